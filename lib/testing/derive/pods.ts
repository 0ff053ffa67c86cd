// SPDX-License-Identifier: Apache-2.0

import { SluiceError } from '../../errors.js';
import { type Family, familyOf } from '../../model/address.js';
import { containerPorts } from '../../sources/kubernetes/read-pod.js';
import { AddressRange } from './addresses.js';
import { type Given, type Inventory, refuse } from './inventory.js';
import type { ClusterNode } from './nodes.js';
import type { PodObject, PodSpec, WorkloadObject } from './schema.js';
import { hasLabels, selects } from './selector.js';
import { podsOfSlices } from './slice-pods.js';

/** A pod of the cluster, given or derived. */
export interface ClusterPod {
  readonly namespace: string;
  readonly name: string;
  /** Name of the Deployment, StatefulSet, ... that it belongs to. */
  readonly workload: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly node: string;
  /** One of each family; those of the node where it has the node's network. */
  readonly addresses: readonly string[];
  readonly hostNetwork: boolean;
  readonly ports: readonly { name: string; containerPort: number; protocol: string }[];
  readonly ready: boolean;
  readonly terminating: boolean;
  /** As it was given, or as much of one as is needed. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** A pod that may lack its place and its addresses. */
export interface Sketch extends Omit<ClusterPod, 'node' | 'addresses' | 'ports'> {
  readonly spec: PodSpec;
  /** What to blame where it cannot be placed. */
  readonly owner: Given<unknown>;
  readonly addresses: readonly string[];
}

/** No IPv4 network of a node hands out its first address, which is the node's by custom. */
const FIRST_OF_NODE = 2;

/**
 * All pods: the given ones, those of workloads none of whose pods is given, and those that given
 * EndpointSlices speak of.
 * @param taken - addresses that are somebody's; grows
 */
export function completePods(
  inventory: Inventory,
  nodes: readonly ClusterNode[],
  families: readonly Family[],
  taken: Set<string>,
): ClusterPod[] {
  const workloads = sortByName(inventory.workloads);
  const given = inventory.pods
    .filter(({ object }) => isRunning(object))
    .map((pod) => givenPod(pod, workloads));
  const derived = workloads.flatMap((workload) =>
    given.some((pod) => isOf(pod, workload.object)) ? [] : podsOf(workload, nodes),
  );
  const sketches = [...sortSketches(given), ...derived];
  const ofSlices = podsOfSlices(inventory, sketches, nodes);
  const all = [...sketches, ...ofSlices];
  refuseSameNames(all);
  for (const address of all.flatMap(({ addresses }) => addresses)) taken.add(address);
  const places = new Places(nodes, taken);
  return all.map((sketch) => places.place(sketch, families));
}

function isRunning({ status }: PodObject): boolean {
  return status.phase !== 'Succeeded' && status.phase !== 'Failed';
}

function givenPod(given: Given<PodObject>, workloads: readonly Given<WorkloadObject>[]): Sketch {
  const { metadata, spec, status } = given.object;
  const { namespace, labels } = metadata;
  return {
    namespace,
    name: metadata.name,
    workload:
      workloads.find(({ object }) => isOf({ namespace, labels }, object))?.object.metadata.name ??
      null,
    labels,
    spec,
    owner: given,
    addresses: status.ips,
    hostNetwork: spec.hostNetwork,
    ready: !status.conditions.some(({ type, status }) => type === 'Ready' && status !== 'True'),
    terminating: metadata.deletionTimestamp !== undefined,
    raw: given.raw,
  };
}

function isOf(
  pod: Pick<Sketch, 'namespace' | 'labels'>,
  { metadata, spec }: WorkloadObject,
): boolean {
  return pod.namespace === metadata.namespace && selects(spec.selector, pod.labels);
}

function podsOf(workload: Given<WorkloadObject>, nodes: readonly ClusterNode[]): Sketch[] {
  const { metadata, spec } = workload.object;
  const { template } = spec;
  if (!selects(spec.selector, template.metadata.labels)) {
    const message = 'its selector does not select the pods of its template';
    refuse(workload, 'spec.selector', message);
  }
  return podNames(workload, nodes).map(({ name, nodeName }) => ({
    namespace: metadata.namespace,
    name,
    workload: metadata.name,
    labels: template.metadata.labels,
    spec: nodeName === null ? template.spec : { ...template.spec, nodeName },
    owner: workload,
    addresses: [],
    hostNetwork: template.spec.hostNetwork,
    ready: true,
    terminating: false,
    raw: {
      metadata: { name, namespace: metadata.namespace, labels: template.metadata.labels },
      spec: ((workload.raw['spec'] as Record<string, unknown>)['template'] as { spec: object })
        .spec,
    },
  }));
}

function podNames(
  { kind, object }: Given<WorkloadObject>,
  nodes: readonly ClusterNode[],
): { name: string; nodeName: string | null }[] {
  const { metadata, spec } = object;
  if (kind === 'DaemonSet') {
    const { nodeName, nodeSelector } = spec.template.spec;
    return nodes
      .filter(({ name, labels }) => hasLabels(labels, nodeSelector) && name === (nodeName || name))
      .map(({ name }) => ({ name: `${metadata.name}-${name}`, nodeName: name }));
  }
  const first = kind === 'StatefulSet' ? 0 : 1;
  return Array.from({ length: spec.replicas }, (_, index) => ({
    name: `${metadata.name}-${first + index}`,
    nodeName: null,
  }));
}

/** Chooses nodes and addresses, the same for the same pods. */
class Places {
  readonly #nodes: readonly ClusterNode[];
  readonly #ranges = new Map<string, AddressRange>();
  readonly #taken: Set<string>;
  #next = 0;

  constructor(nodes: readonly ClusterNode[], taken: Set<string>) {
    this.#nodes = nodes;
    this.#taken = taken;
  }

  place({ spec, owner, ...sketch }: Sketch, families: readonly Family[]): ClusterPod {
    const node = this.#nodeFor(spec, sketch.addresses, owner);
    const addresses = sketch.hostNetwork
      ? firstOfFamilies(node.addresses)
      : [...sketch.addresses, ...this.#addressesFor(sketch.addresses, node, families, owner)];
    return { ...sketch, node: node.name, addresses, ports: containerPorts(spec) };
  }

  #nodeFor(
    { nodeName, nodeSelector }: PodSpec,
    addresses: readonly string[],
    owner: Given<unknown>,
  ): ClusterNode {
    const named = this.#nodes.find(({ name }) => name === nodeName);
    if (named !== undefined) return named;
    const host = this.#nodes.find((node) => addresses.some((at) => node.addresses.includes(at)));
    if (host !== undefined) return host;
    const fit = this.#nodes.filter(({ labels }) => hasLabels(labels, nodeSelector));
    if (fit.length > 0) return fit[this.#next++ % fit.length]!;
    const field = owner.kind === 'Pod' ? 'spec.nodeSelector' : 'spec.template.spec.nodeSelector';
    return refuse(owner, field, 'no node has these labels');
  }

  #addressesFor(
    has: readonly string[],
    node: ClusterNode,
    families: readonly Family[],
    owner: Given<unknown>,
  ): string[] {
    // A pod that is given with an address has the families that it has.
    if (has.length > 0) return [];
    return families.map((family) => {
      const network = node.podNetworks.find((each) => familyOf(each) === family)!;
      const range =
        this.#ranges.get(network) ?? new AddressRange(network, this.#taken, FIRST_OF_NODE);
      this.#ranges.set(network, range);
      const address = range.take();
      if (address !== null) return address;
      const message = `${network} of ${node.name} has no address left for its pods`;
      throw new SluiceError('ERR_CAPACITY', message, { path: owner.origin });
    });
  }
}

function firstOfFamilies(addresses: readonly string[]): string[] {
  const families = new Set<Family>();
  return addresses.filter((address) => {
    const isFirst = !families.has(familyOf(address));
    families.add(familyOf(address));
    return isFirst;
  });
}

function refuseSameNames(sketches: readonly Sketch[]): void {
  const seen = new Set<string>();
  for (const { namespace, name, owner } of sketches) {
    const key = `${namespace}/${name}`;
    if (seen.has(key)) refuse(owner, 'metadata.name', `there is another pod ${key}`);
    seen.add(key);
  }
}

type Named = { namespace: string; name: string };

export function compareNames(a: Named, b: Named): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function sortSketches(sketches: readonly Sketch[]): Sketch[] {
  return [...sketches].sort(compareNames);
}

export function sortByName<T extends Given<{ metadata: Named }>>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => compareNames(a.object.metadata, b.object.metadata));
}

/** As the API server would show it. */
export function podObject({ raw, node, addresses, hostNetwork }: ClusterPod): object {
  const spec = { ...(raw['spec'] as object), nodeName: node, ...(hostNetwork && { hostNetwork }) };
  const podIPs = addresses.map((ip) => ({ ip }));
  const status = { phase: 'Running', ...(raw['status'] as object), podIP: addresses[0], podIPs };
  return { ...raw, apiVersion: 'v1', kind: 'Pod', spec, status };
}
