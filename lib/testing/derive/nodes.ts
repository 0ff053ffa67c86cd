// SPDX-License-Identifier: Apache-2.0
import { canonicalAddress, type Family, familyOf } from '../../model/address.js';
import { completeNode } from '../../sources/kubernetes/node.js';
import { AddressRange, PodNetworks, RANGES } from './addresses.js';
import type { Inventory } from './inventory.js';

/** A node of the cluster, given or derived. */
export interface ClusterNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of every family that the cluster has; the first of each is what it is reached by. */
  readonly addresses: readonly string[];
  readonly podNetworks: readonly string[];
}

/** A cluster has the families that its nodes' pod networks have, or that its services ask for. */
export function familiesOf(inventory: Inventory): Family[] {
  const networks = inventory.nodes.flatMap(({ object }) => object.spec?.podCIDRs ?? []);
  const single = inventory.nodes.flatMap(({ object }) => object.spec?.podCIDR ?? []);
  const families = new Set<Family>([...networks, ...single].map(familyOf));
  if (families.size === 0) families.add(4);
  for (const { object, wishes } of inventory.services) {
    for (const family of wishes.ipFamilies) families.add(family === 'IPv6' ? 6 : 4);
    for (const ip of object.spec.clusterIPs) if (canonicalAddress(ip)) families.add(familyOf(ip));
    if (wishes.ipFamilyPolicy === 'RequireDualStack') families.add(4).add(6);
  }
  for (const { object } of inventory.pods) {
    for (const ip of object.status.ips) families.add(familyOf(ip));
  }
  return [...families].sort();
}

/**
 * The nodes that are given or named by something, or `count` of them where there is none.
 * @param taken - addresses that are somebody's; grows
 */
export function completeNodes(
  inventory: Inventory,
  families: readonly Family[],
  count: number,
  taken: Set<string>,
): ClusterNode[] {
  const objects = inventory.nodes.map(({ object }) => object);
  const names = new Set(objects.map(({ metadata }) => metadata.name));
  for (const name of namedNodes(inventory)) names.add(name);
  for (let n = 1; objects.length === 0 && names.size < count; n++) names.add(`node-${n}`);
  const known = [...names].sort().map((name) => {
    const { addresses: given = [], podNetworks = [] } = completeNode({ name }, objects);
    const addresses = given.length > 0 ? given : addressesByPods(name, inventory);
    const labels = objects.find(({ metadata }) => metadata.name === name)?.metadata.labels ?? {};
    return { name, labels, addresses, podNetworks };
  });
  for (const address of known.flatMap(({ addresses }) => addresses)) taken.add(address);
  const given = known.flatMap(({ podNetworks }) => podNetworks);
  const makers = families.map((family) => ({
    family,
    addresses: new AddressRange(RANGES.nodes[family], taken, 2),
    networks: new PodNetworks(
      family,
      given.filter((network) => familyOf(network) === family),
    ),
  }));
  return known.map((node) => {
    const lacks = (texts: readonly string[], family: Family) =>
      !texts.some((text) => familyOf(text) === family);
    const addresses = makers
      .filter(({ family }) => lacks(node.addresses, family))
      .map((maker) => maker.addresses.take()!);
    const networks = makers
      .filter(({ family }) => lacks(node.podNetworks, family))
      .map((maker) => maker.networks.take());
    return {
      ...node,
      addresses: [...node.addresses, ...addresses],
      podNetworks: [...node.podNetworks, ...networks],
    };
  });
}

/** What pods say of the node that they are on. */
function addressesByPods(name: string, { pods }: Inventory): string[] {
  const statuses = pods
    .filter(({ object }) => object.spec.nodeName === name)
    .map(({ object }) => object.status.hostIP);
  return [...new Set(statuses)].filter((address) => address !== '');
}

/** Names of nodes that pods, templates and endpoints speak of. */
function namedNodes({ pods, workloads, slices }: Inventory): string[] {
  const names = [
    ...pods.map(({ object }) => object.spec.nodeName),
    ...workloads.map(({ object }) => object.spec.template.spec.nodeName),
    ...slices.flatMap(({ object }) => object.endpoints.map(({ node }) => node)),
  ];
  return names.filter((name) => name !== undefined && name !== '') as string[];
}

/** As the API server would show it. */
export function nodeObject(
  { name, labels, addresses, podNetworks }: ClusterNode,
  raw: Readonly<Record<string, unknown>> | undefined,
): object {
  const metadata = raw?.['metadata'] ?? { name, labels };
  const spec = { ...(raw?.['spec'] as object), podCIDRs: podNetworks };
  const status = {
    ...(raw?.['status'] as object),
    addresses: addresses.map((address) => ({ type: 'InternalIP', address })),
  };
  return { ...raw, apiVersion: 'v1', kind: 'Node', metadata, spec, status };
}
