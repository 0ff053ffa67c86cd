// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { familyOf, formatMac } from '../model/address.js';
import type { InterfaceSpec, NodeSpec, RouteSpec } from '../model/model.js';
import { RANGES } from './derive/addresses.js';
import type { Cluster } from './derive/cluster.js';
import type { ClusterNode } from './derive/nodes.js';
import type { ClusterPod } from './derive/pods.js';
import { nameOf } from './names.js';

/**
 * How the proxies of a cluster's nodes stand to one another: on each node an interface for every
 * pod of its own, one for the node's processes, and an uplink to all others. Who is at the other end
 * of the uplink is told by the MAC of the next hop.
 */

/** The interface to the other nodes and the world outside. */
export const UPLINK = 'uplink';
/** The interface of the node's own processes. */
export const HOST = 'host';

/** What a node's proxy is opened with. */
export interface NodeSetup {
  readonly node: NodeSpec;
  readonly interfaces: readonly InterfaceSpec[];
  readonly routes: readonly RouteSpec[];
}

/** Whom a packet goes to when it leaves a proxy. */
export type NextHop =
  | { readonly kind: 'node'; readonly node: ClusterNode }
  | { readonly kind: 'outside' };

const OUTSIDE_MAC = '02:00:00:ff:ff:ff';
const LOCAL_MAC = '02:00:00:aa:00:01';
/** An engine has 1,024 interfaces at most. */
const MAX_PODS = 1_000;

export class Topology {
  readonly #cluster: Cluster;
  readonly #byMac: ReadonlyMap<string, ClusterNode>;
  readonly #podsOf: ReadonlyMap<string, readonly ClusterPod[]>;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#byMac = new Map(cluster.nodes.map((node, index) => [nodeMac(index), node]));
    const podsOf = new Map<string, ClusterPod[]>();
    for (const pod of cluster.pods) {
      if (pod.hostNetwork) continue;
      const list = podsOf.get(pod.node) ?? [];
      list.push(pod);
      podsOf.set(pod.node, list);
    }
    this.#podsOf = podsOf;
  }

  /** @throws SluiceError `ERR_CAPACITY` */
  setup({ name, addresses }: ClusterNode): NodeSetup {
    const own = this.#podsOf.get(name) ?? [];
    if (own.length > MAX_PODS) {
      const message = `${own.length} pods on one node, and ${MAX_PODS} may be; give more nodes`;
      throw new SluiceError('ERR_CAPACITY', message, { path: `Node ${name}` });
    }
    return {
      node: { name, serviceNetworks: Object.values(RANGES.services) },
      interfaces: [
        { kind: 'memory', name: UPLINK },
        { kind: 'memory', name: HOST, scope: 'host' },
        ...own.map(
          (pod, index): InterfaceSpec => ({
            kind: 'memory',
            name: podInterface(index),
            scope: 'pod',
            pod: nameOf(pod),
            sources: pod.addresses,
          }),
        ),
      ],
      routes: [
        ...routesTo(addresses, HOST, LOCAL_MAC),
        ...own.flatMap((pod, index) => routesTo(pod.addresses, podInterface(index), LOCAL_MAC)),
        ...this.#cluster.nodes.flatMap((node, index) =>
          node.name === name
            ? []
            : routesTo(
                [
                  ...node.addresses,
                  ...(this.#podsOf.get(node.name) ?? []).flatMap((pod) => pod.addresses),
                ],
                UPLINK,
                nodeMac(index),
              ),
        ),
        { prefix: '0.0.0.0/0', dev: UPLINK, mac: OUTSIDE_MAC },
        { prefix: '::/0', dev: UPLINK, mac: OUTSIDE_MAC },
      ],
    };
  }

  /** The interface of a pod on its node. */
  interfaceOf(pod: ClusterPod): string {
    return pod.hostNetwork ? HOST : podInterface(this.#podsOf.get(pod.node)!.indexOf(pod));
  }

  /** The pod at the other end of an interface of a node. */
  podAt(node: ClusterNode, interfaceName: string): ClusterPod | undefined {
    const index = POD_INTERFACE.exec(interfaceName)?.[1];
    return index === undefined ? undefined : this.#podsOf.get(node.name)?.[Number(index)];
  }

  /** Whom a packet goes to that leaves by the uplink. */
  nextHop(mac: string | null): NextHop {
    const node = this.#byMac.get(mac ?? '');
    return node === undefined ? { kind: 'outside' } : { kind: 'node', node };
  }
}

const POD_INTERFACE = /^pod-([0-9]+)$/;

function podInterface(index: number): string {
  return `pod-${index}`;
}

function routesTo(addresses: readonly string[], dev: string, mac: string): RouteSpec[] {
  return addresses.map((address) => ({
    prefix: `${address}/${familyOf(address) === 4 ? 32 : 128}`,
    dev,
    mac,
  }));
}

function nodeMac(index: number): string {
  return formatMac(Uint8Array.of(2, 0, 0, 1, index >> 8, index & 0xff));
}
