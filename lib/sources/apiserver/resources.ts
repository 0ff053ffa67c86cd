// SPDX-License-Identifier: Apache-2.0
import type { WatchedKind } from '../kubernetes/watched.js';

/** What is listed and watched of one kind. */
export interface WatchedResource {
  kind: WatchedKind;
  /** Such as `/api/v1/services`. */
  path: string;
  fieldSelector?: string;
  labelSelector?: string;
  /** The API may not be installed: then there are none of these objects, and it is no error. */
  optional?: boolean;
}

export interface WatchedResourcesOptions {
  /** Name of our own Node object; null: it is not watched. */
  nodeName: string | null;
  /** Only Services with the label of this value; by default, only those without it. */
  serviceProxyName?: string;
  /** Also what policies are made of; default true. */
  policy?: boolean;
  /** Of what is in namespaces, only that of one; default: of all. */
  namespace?: string;
}

const PROXY_NAME = 'service.kubernetes.io/service-proxy-name';

/**
 * What a node agent watches, with kube-proxy's selectors: headless Services and their slices (two
 * labels, because the label of a slice is the control plane's and that of a Service is anybody's)
 * do not even come over the wire. A Service that becomes headless arrives as deleted; one of type
 * ExternalName passes, for it has no `clusterIP` at all.
 *
 * Slices are not selected by proxy name: they carry their Service's labels when the controller
 * has got round to it, and a slice without a Service does nothing.
 */
export function watchedResources(options: WatchedResourcesOptions): WatchedResource[] {
  const { nodeName, serviceProxyName, policy = true, namespace } = options;
  const at = (root: string, plural: string): string =>
    namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`;
  const resources: WatchedResource[] = [
    {
      kind: 'Service',
      path: at('/api/v1', 'services'),
      fieldSelector: 'spec.clusterIP!=None',
      labelSelector:
        serviceProxyName === undefined ? `!${PROXY_NAME}` : `${PROXY_NAME}=${serviceProxyName}`,
    },
    {
      kind: 'EndpointSlice',
      path: at('/apis/discovery.k8s.io/v1', 'endpointslices'),
      labelSelector: '!service.kubernetes.io/headless',
    },
  ];
  if (nodeName !== null) {
    const fieldSelector = `metadata.name=${nodeName}`;
    resources.push({ kind: 'Node', path: '/api/v1/nodes', fieldSelector });
  }
  if (!policy) return resources;
  return [
    ...resources,
    { kind: 'Namespace', path: '/api/v1/namespaces' },
    { kind: 'Pod', path: at('/api/v1', 'pods') },
    { kind: 'NetworkPolicy', path: at('/apis/networking.k8s.io/v1', 'networkpolicies') },
    {
      kind: 'ClusterNetworkPolicy',
      path: '/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies',
      optional: true,
    },
  ];
}
