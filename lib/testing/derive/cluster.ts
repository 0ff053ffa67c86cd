// SPDX-License-Identifier: Apache-2.0

import { parseManifests } from '../../sources/files/manifests.js';
import type { ManifestFile } from '../../sources/files/read.js';
import { readEndpointSlice } from '../../sources/kubernetes/objects.js';
import { translate, warningText } from '../../sources/kubernetes/translate.js';
import { translatePolicy } from '../../sources/kubernetes/translate-policy.js';
import { type Inventory, takeInventory } from './inventory.js';
import { type ClusterNode, completeNodes, familiesOf, nodeObject } from './nodes.js';
import { type ClusterPod, completePods, podObject } from './pods.js';
import { type ClusterService, completeServices, serviceObject } from './services.js';
import { type ClusterEndpoint, endpointsIn, sliceObjects } from './slices.js';

/** A whole cluster: what was given, and what follows from it. */
export interface Cluster {
  readonly nodes: readonly ClusterNode[];
  readonly pods: readonly ClusterPod[];
  readonly services: readonly ClusterService[];
  /** Of headless services, by `namespace/name`: what a resolver would say. */
  readonly headless: ReadonlyMap<string, readonly ClusterEndpoint[]>;
  /** Everything that a proxy reads, as the API server would show it: a `List` in JSON. */
  readonly manifest: string;
  readonly skipped: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
}

/**
 * @param nodeCount - how many nodes there are where none is given
 * @throws SluiceError `ERR_MANIFEST`, `ERR_CAPACITY`
 */
export function deriveCluster(files: readonly ManifestFile[], nodeCount: number): Cluster {
  const inventory = takeInventory(files);
  const warnings: string[] = [];
  const families = familiesOf(inventory);
  const taken = new Set<string>();
  const nodes = completeNodes(inventory, families, nodeCount, taken);
  const pods = completePods(inventory, nodes, families, taken);
  const services = completeServices(inventory, families, taken);
  const slices = new Map(
    services.map((service) => [
      service,
      givenSlices(inventory, service) ??
        sliceObjects(service, pods, (message) => warnings.push(message)),
    ]),
  );
  const headless = new Map(
    services
      .filter((service) => service.headless)
      .map((service) => [
        `${service.namespace}/${service.name}`,
        endpointsIn(slices.get(service)!.map(readEndpointSlice)),
      ]),
  );
  const orphans = inventory.slices
    .map(({ raw }) => raw)
    .filter((raw) => ![...slices.values()].some((list) => list.includes(raw)));
  const rawNodes = new Map(inventory.nodes.map(({ object, raw }) => [object.metadata.name, raw]));
  const objects = [
    ...namespaceObjects(inventory, pods, services),
    ...nodes.map((node) => nodeObject(node, rawNodes.get(node.name))),
    ...pods.map(podObject),
    ...services.map(serviceObject),
    ...[...slices.values()].flat(),
    ...orphans,
    ...inventory.others.map(({ raw }) => raw),
  ];
  const manifest = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  warnings.push(...proxyWarnings(manifest));
  const { skipped } = inventory;
  return { nodes, pods, services, headless, manifest, skipped, warnings };
}

/** What the proxies will not do of what the objects ask for. */
function proxyWarnings(text: string): string[] {
  const { objects } = parseManifests([{ name: 'cluster', text }]);
  const { warnings } = translate(objects);
  return [...warnings, ...translatePolicy(objects).warnings].map(warningText);
}

/** `null`: none is given, so they are derived. */
function givenSlices({ slices }: Inventory, { namespace, name }: ClusterService) {
  const given = slices.filter(
    ({ object: { metadata } }) =>
      metadata.namespace === namespace && metadata.labels['kubernetes.io/service-name'] === name,
  );
  return given.length === 0 ? null : given.map(({ raw }) => raw);
}

/** Every namespace that something is in, with the label that the API server gives it. */
function namespaceObjects(
  inventory: Inventory,
  pods: readonly ClusterPod[],
  services: readonly ClusterService[],
): object[] {
  const given = new Map(
    inventory.namespaces.map(({ object, raw }) => [object.metadata.name, raw] as const),
  );
  const policies = inventory.others
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map(({ raw }) => raw['metadata'] as { namespace?: string });
  const names = new Set([
    ...given.keys(),
    ...[...pods, ...services].map(({ namespace }) => namespace),
    ...policies.map(({ namespace }) => namespace ?? 'default'),
  ]);
  return [...names].sort().map((name) => {
    const raw = given.get(name);
    const metadata = raw?.['metadata'] as { labels?: Record<string, string> } | undefined;
    return {
      ...raw,
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        ...metadata,
        name,
        labels: { ...metadata?.labels, 'kubernetes.io/metadata.name': name },
      },
    };
  });
}
