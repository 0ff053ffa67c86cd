// SPDX-License-Identifier: Apache-2.0
import type { DropReason } from '../engine/reasons.js';
import type { Protocol } from '../model/model.js';
import type { ExplainReport } from '../observe/explain-report.js';
import type { ClusterNode } from './derive/nodes.js';
import type { ClusterPod } from './derive/pods.js';
import type { NodeProxies } from './node-proxies.js';
import { HOST, type Topology, UPLINK } from './topology.js';

/** A packet, and where it comes in. */
export interface Packet {
  readonly node: ClusterNode;
  readonly interface: string;
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly port: number;
  readonly protocol: Protocol;
}

/** What one node's engine said. */
export interface Leg {
  readonly node: ClusterNode;
  readonly packet: Packet;
  readonly report: ExplainReport;
}

/** Where a packet ended. */
export type End =
  | { readonly kind: 'pod'; readonly pod: ClusterPod }
  /** A process of the node, or the node itself. */
  | { readonly kind: 'node'; readonly node: ClusterNode }
  | { readonly kind: 'outside' }
  | { readonly kind: 'dropped'; readonly reason: DropReason; readonly rejected: boolean };

export interface Walk {
  readonly legs: readonly Leg[];
  readonly end: End;
}

/** More nodes than any packet comes through. */
const MAX_LEGS = 8;

/** Takes packets from node to node, as the engine of each says. */
export class Walker {
  readonly #topology: Topology;
  readonly #proxies: NodeProxies;

  constructor(topology: Topology, proxies: NodeProxies) {
    this.#topology = topology;
    this.#proxies = proxies;
  }

  async leg(packet: Packet): Promise<Leg> {
    const { node, protocol, port } = packet;
    const proxy = await this.#proxies.of(node);
    const report = await proxy.explain({
      from: packet.source,
      to: packet.destination,
      protocol,
      fromPort: packet.sourcePort,
      interface: packet.interface,
      ...(protocol !== 'ICMP' && { port }),
    });
    return { node, packet, report };
  }

  /** @param first - the first leg, where it has been gone already */
  async walk(packet: Packet, first?: Leg): Promise<Walk> {
    const legs: Leg[] = [];
    let next: Packet | null = packet;
    while (next !== null) {
      const leg: Leg = legs.length === 0 && first !== undefined ? first : await this.leg(next);
      legs.push(leg);
      const onward = this.#onward(leg);
      if ('kind' in onward) return { legs, end: onward };
      next = legs.length < MAX_LEGS ? onward : null;
    }
    throw new Error(`a packet to ${packet.destination} goes round and round`);
  }

  /** Where a packet ends, or where it goes on. */
  #onward({ node, packet, report }: Leg): End | Packet {
    const { fate, reason, rejected, route } = report;
    if (fate === 'answer') return { kind: 'node', node };
    if (fate === 'drop') return { kind: 'dropped', reason: reason!.name, rejected };
    // A node's own MAC is nobody's to know here: what waits for it has arrived.
    if (route === null || (fate === 'hold' && route.interface !== HOST)) {
      throw new Error(`a probe was not decided: ${report.text.join('; ')}`);
    }
    const pod = this.#topology.podAt(node, route.interface);
    if (pod !== undefined) return { kind: 'pod', pod };
    if (route.interface !== UPLINK) return { kind: 'node', node };
    const hop = this.#topology.nextHop(route.mac);
    if (hop.kind === 'outside') return hop;
    const left = leavesAs(report);
    return {
      ...packet,
      node: hop.node,
      interface: UPLINK,
      source: left.source,
      sourcePort: packet.protocol === 'ICMP' ? packet.sourcePort : left.sourcePort,
      destination: left.destination,
      port: left.destinationPort,
    };
  }
}

/** Addresses and ports with which a packet leaves a node. */
export function leavesAs({ rewrite, packet }: ExplainReport) {
  return (rewrite ?? packet)!;
}
