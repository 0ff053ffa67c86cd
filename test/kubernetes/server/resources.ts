// SPDX-License-Identifier: Apache-2.0
import type { Tree } from './objects.js';

export type Subresource = 'status' | 'scale' | 'finalize';

/** A resource of the API. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly subresources: readonly Subresource[];
  /** Has a `metadata.generation`. */
  readonly generation: boolean;
  /** What a bookmark's object has besides its metadata: Go's zero value of the kind. */
  readonly blank: Tree;
  /** The collection of the store: two resources may show the same objects. */
  readonly collection: string;
  /** Of a CustomResourceDefinition: items of its lists say what they are. */
  readonly custom: boolean;
  /** Fields that may be selected by, besides the name and the namespace. */
  readonly selectable: readonly string[];
}

export const apiVersionOf = ({ group, version }: Resource): string =>
  group ? `${group}/${version}` : version;

const NODE_STATUS = {
  daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
  nodeInfo: {
    machineID: '',
    systemUUID: '',
    bootID: '',
    kernelVersion: '',
    osImage: '',
    containerRuntimeVersion: '',
    kubeletVersion: '',
    kubeProxyVersion: '',
    operatingSystem: '',
    architecture: '',
  },
};

type Traits = Partial<
  Pick<
    Resource,
    | 'namespaced'
    | 'shortNames'
    | 'subresources'
    | 'generation'
    | 'blank'
    | 'collection'
    | 'custom'
    | 'selectable'
  >
>;

/** @param groupVersion - `v1`, or `group/version`. */
export function resource(
  groupVersion: string,
  plural: string,
  kind: string,
  traits: Traits = {},
): Resource {
  const [version = '', group = ''] = groupVersion.split('/').reverse();
  return {
    group,
    version,
    plural,
    singular: kind.toLowerCase(),
    kind,
    namespaced: true,
    shortNames: [],
    subresources: [],
    generation: false,
    blank: {},
    collection: group ? `${plural}.${group}` : plural,
    custom: false,
    selectable: [],
    ...traits,
  };
}

export const BUILT_IN: readonly Resource[] = [
  resource('v1', 'namespaces', 'Namespace', {
    namespaced: false,
    shortNames: ['ns'],
    subresources: ['status', 'finalize'],
    blank: { spec: {}, status: {} },
    selectable: ['status.phase'],
  }),
  resource('v1', 'nodes', 'Node', {
    namespaced: false,
    shortNames: ['no'],
    subresources: ['status'],
    blank: { spec: {}, status: NODE_STATUS },
    selectable: ['spec.unschedulable'],
  }),
  resource('v1', 'pods', 'Pod', {
    shortNames: ['po'],
    subresources: ['status'],
    generation: true,
    blank: { spec: { containers: null }, status: {} },
    selectable: ['spec.nodeName', 'status.phase', 'status.podIP', 'spec.restartPolicy'],
  }),
  resource('v1', 'services', 'Service', {
    shortNames: ['svc'],
    subresources: ['status'],
    blank: { spec: {}, status: { loadBalancer: {} } },
    selectable: ['spec.clusterIP', 'spec.type'],
  }),
  resource('v1', 'endpoints', 'Endpoints', { shortNames: ['ep'], blank: { subsets: null } }),
  resource('v1', 'configmaps', 'ConfigMap', { shortNames: ['cm'] }),
  resource('v1', 'secrets', 'Secret', { selectable: ['type'] }),
  resource('v1', 'events', 'Event', {
    shortNames: ['ev'],
    blank: {
      involvedObject: {},
      source: {},
      firstTimestamp: null,
      lastTimestamp: null,
      eventTime: null,
      reportingComponent: '',
      reportingInstance: '',
    },
    selectable: ['involvedObject.kind', 'involvedObject.name', 'reason', 'type'],
  }),
  resource('apps/v1', 'deployments', 'Deployment', {
    shortNames: ['deploy'],
    subresources: ['status', 'scale'],
    generation: true,
    blank: {
      spec: {
        selector: null,
        template: { metadata: {}, spec: { containers: null } },
        strategy: {},
      },
      status: {},
    },
  }),
  resource('events.k8s.io/v1', 'events', 'Event', {
    shortNames: ['ev'],
    collection: 'events',
    blank: {
      eventTime: null,
      regarding: {},
      deprecatedSource: {},
      deprecatedFirstTimestamp: null,
      deprecatedLastTimestamp: null,
    },
    selectable: ['reason', 'type'],
  }),
  resource('networking.k8s.io/v1', 'networkpolicies', 'NetworkPolicy', {
    shortNames: ['netpol'],
    generation: true,
    blank: { spec: { podSelector: {} } },
  }),
  resource('apiextensions.k8s.io/v1', 'customresourcedefinitions', 'CustomResourceDefinition', {
    namespaced: false,
    shortNames: ['crd', 'crds'],
    subresources: ['status'],
    generation: true,
    blank: {
      spec: { group: '', names: { plural: '', kind: '' }, scope: '', versions: null },
      status: { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: null },
    },
  }),
  resource('coordination.k8s.io/v1', 'leases', 'Lease', { blank: { spec: {} } }),
  resource('discovery.k8s.io/v1', 'endpointslices', 'EndpointSlice', {
    generation: true,
    blank: { addressType: '', endpoints: null, ports: null },
  }),
];

/** The resources that a CustomResourceDefinition defines. */
export function definedBy(definition: Tree): Resource[] {
  const { group, names, scope, versions } = definition.spec;
  return versions
    .filter((version: Tree) => version.served)
    .map((version: Tree) =>
      resource(`${group}/${version.name}`, names.plural, names.kind, {
        namespaced: scope === 'Namespaced',
        shortNames: names.shortNames ?? [],
        subresources: version.subresources?.status ? ['status'] : [],
        generation: true,
        custom: true,
      }),
    );
}
