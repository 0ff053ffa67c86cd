// SPDX-License-Identifier: Apache-2.0
import type { GivenSlice, Inventory } from './inventory.js';
import type { ClusterNode } from './nodes.js';
import type { Sketch } from './pods.js';

/** Endpoints with a reference to a pod that is not given, or of a service that selects its pods. */
export function podsOfSlices(
  { slices, services }: Inventory,
  known: readonly Sketch[],
  nodes: readonly ClusterNode[],
): Sketch[] {
  const taken = new Set([
    ...known.flatMap(({ addresses }) => addresses),
    ...nodes.flatMap(({ addresses }) => addresses),
  ]);
  const names = new Set(known.map(({ namespace, name }) => `${namespace}/${name}`));
  const found = new Map<string, Sketch>();
  for (const slice of slices) {
    const { metadata, endpoints, addressType } = slice.object;
    const serviceName = metadata.labels['kubernetes.io/service-name'] ?? '';
    const selector = services.find(
      ({ object }) =>
        object.metadata.namespace === metadata.namespace && object.metadata.name === serviceName,
    )?.wishes.selector;
    endpoints.forEach(({ address, node }, index) => {
      const name = slice.pods[index] ?? derivedName(serviceName, selector, found.size + 1);
      if (address === '' || addressType === 'FQDN' || name === null || taken.has(address)) return;
      const key = `${metadata.namespace}/${name}`;
      if (names.has(key)) return;
      taken.add(address);
      const before = found.get(key);
      found.set(key, {
        ...sketchOf(slice, metadata.namespace, name, selector ?? {}, node),
        addresses: [...(before?.addresses ?? []), address],
      });
    });
  }
  return [...found.values()];
}

function derivedName(service: string, selector: object | undefined, n: number): string | null {
  return Object.keys(selector ?? {}).length === 0 ? null : `${service}-endpoint-${n}`;
}

function sketchOf(
  owner: GivenSlice,
  namespace: string,
  name: string,
  labels: Readonly<Record<string, string>>,
  nodeName: string,
): Sketch {
  const containers = [{ ports: portsOf(owner) }];
  return {
    namespace,
    name,
    workload: null,
    labels,
    spec: { nodeName, containers, initContainers: [], hostNetwork: false, nodeSelector: {} },
    owner,
    addresses: [],
    hostNetwork: false,
    ready: true,
    terminating: false,
    raw: { metadata: { name, namespace, labels }, spec: { containers } },
  };
}

function portsOf({ object }: GivenSlice) {
  return object.ports
    .filter(({ port }) => port > 0)
    .map(({ name, port, protocol }) => ({ name, containerPort: port, protocol }));
}
