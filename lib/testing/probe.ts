// SPDX-License-Identifier: Apache-2.0
import type { DropReason } from '../engine/reasons.js';
import { Fields } from '../model/fields.js';
import { PROTOCOLS, type Protocol } from '../model/model.js';
import type { ExplainReport } from '../observe/explain-report.js';
import type { Cluster } from './derive/cluster.js';
import type { ClusterNode } from './derive/nodes.js';
import { type Judged, judgedBy } from './judged.js';
import {
  type Destination,
  type Names,
  nameOf,
  refuse,
  type Source,
  sameFamily,
  workloadOf,
} from './names.js';
import { probeLines } from './probe-text.js';
import { sharesOf } from './shares.js';
import { HOST, type Topology, UPLINK } from './topology.js';
import { type Leg, leavesAs, type Packet, type Walk, type Walker } from './walk.js';

/** A question: may `from` speak to `to`? */
export interface ProbeInput {
  /** `namespace/pod`, or the name of a workload: its first pod; `node/NAME`; or an address. */
  from: string;
  /** `service.namespace:port`, `namespace/pod:port`, `node/NAME:port`, or `address:port`. */
  to: string;
  /** Default: the service port's; without a port `ICMP`; else `TCP`. */
  protocol?: Protocol;
}

/**
 * `denied`: a policy says no. `rejected`: dropped, and the sender is told. `dropped`: for another
 * reason. `no-route`: there is no route, or a name without an address. `mixed`: some backends answer and others do not.
 */
export const VERDICTS = ['allowed', 'denied', 'rejected', 'dropped', 'no-route', 'mixed'] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface ProbeResult {
  readonly from: string;
  readonly to: string;
  readonly protocol: Protocol;
  readonly verdict: Verdict;
  /** Why it is dropped; `null`: it is not, or not all of it. */
  readonly reason: DropReason | null;
  /** Where connections end: one for a plain address; none where a service has none. */
  readonly backends: readonly ProbeBackend[];
  /** The policy's word on what leaves the source, and on what comes to the first backend. */
  readonly egress: Judged | null;
  readonly ingress: Judged | null;
  /** The same for people, in lines. */
  readonly text: readonly string[];
}

/** One of the places where connections end. */
export interface ProbeBackend {
  /** `namespace/name`; `null`: no pod. */
  readonly pod: string | null;
  /** `namespace/name` of the workload that the pod belongs to, or its own; `null`: no pod. */
  readonly workload: string | null;
  readonly address: string;
  readonly port: number;
  /** `null`: outside the cluster. */
  readonly node: string | null;
  /** Of new connections, 0 to 1. */
  readonly share: number;
  readonly verdict: Exclude<Verdict, 'mixed'>;
  readonly reason: DropReason | null;
  /** Source address that it sees. */
  readonly source: string;
  /** That is not the client's: it was rewritten to an address of a node. */
  readonly masquerade: boolean;
  readonly egress: Judged | null;
  readonly ingress: Judged | null;
  /** What the engine of each node on the way said. */
  readonly legs: readonly { readonly node: string; readonly report: ExplainReport }[];
}

const KEYS = ['from', 'to', 'protocol'];
const SOURCE_PORT = 40_000;
const LAST_PORT = 65_535;
const FIRST_PORT = 1_024;

/** Asks the engines. */
export class Prober {
  readonly #cluster: Cluster;
  readonly #names: Names;
  readonly #topology: Topology;
  readonly #walker: Walker;

  constructor(cluster: Cluster, names: Names, topology: Topology, walker: Walker) {
    this.#cluster = cluster;
    this.#names = names;
    this.#topology = topology;
    this.#walker = walker;
  }

  /** @throws SluiceError `ERR_OPTIONS` */
  async probe(input: ProbeInput): Promise<ProbeResult> {
    const fields = new Fields(input, '', 'ERR_OPTIONS', KEYS);
    const asked = fields.has('protocol') ? fields.oneOf('protocol', PROTOCOLS) : undefined;
    const source = this.#names.source(fields.value('from'));
    const destination = this.#names.destination(fields.value('to'), asked, source);
    const backends = await this.#backends(source, destination);
    const found = backends.length === 0 ? await this.#nobody(source, destination) : backends;
    const facts = {
      from: input.from,
      to: input.to,
      protocol: destination.protocol,
      verdict: verdictOfAll(found),
      reason: common(found.map(({ reason }) => reason)) ?? null,
      backends,
      egress: found[0]?.egress ?? null,
      ingress: found[0]?.ingress ?? null,
    };
    return { ...facts, text: probeLines(facts) };
  }

  async #backends(source: Source, destination: Destination): Promise<ProbeBackend[]> {
    if (destination.kind === 'service' && destination.service.headless) {
      return this.#headless(source, destination);
    }
    const packet = await this.#packet(source, destination);
    const walk = await this.#walker.walk(packet);
    const balanced = walk.legs.findIndex(({ report }) => report.pool !== null);
    if (balanced < 0) return this.#isNobodys(walk, destination) ? [] : [this.#backend(walk, 1)];
    return this.#spread(walk, balanced);
  }

  /** A resolver gives the addresses of all that are ready, each as often as the others. */
  async #headless(
    source: Source,
    { service, servicePort, port, byName, protocol }: Destination & { kind: 'service' },
  ): Promise<ProbeBackend[]> {
    const endpoints = (this.#cluster.headless.get(nameOf(service)) ?? []).filter(
      (each) => each.ready && (servicePort === null || each.portName === servicePort.name),
    );
    const reachable = endpoints.filter(({ address }) => sameFamily(source.addresses, [address]));
    const walks: ProbeBackend[] = [];
    for (const endpoint of reachable) {
      const addresses = [endpoint.address];
      const at = { kind: 'address', addresses, port: byName ? endpoint.port : port } as const;
      const packet = await this.#packet(source, { ...at, protocol });
      walks.push(this.#backend(await this.#walker.walk(packet), 1 / reachable.length));
    }
    return walks;
  }

  /** A packet that was dropped before anybody was found that it could be for. */
  #isNobodys({ end, legs }: Walk, { kind }: Destination): boolean {
    if (end.kind !== 'dropped' || isByPolicy(end.reason)) return false;
    const { destination } = legs[legs.length - 1]!.packet;
    return kind === 'service' || !this.#names.isHeld(destination);
  }

  /** What becomes of a packet for whom there is no backend; none where there is no address to send it to. */
  async #nobody(source: Source, destination: Destination): Promise<ProbeBackend[]> {
    if (destination.kind === 'service' && destination.service.headless) return [];
    return [this.#backend(await this.#walker.walk(await this.#packet(source, destination)), 0)];
  }

  /** One walk for every endpoint, found by other source ports of the client. */
  async #spread(walk: Walk, at: number): Promise<ProbeBackend[]> {
    const before = walk.legs.slice(0, at);
    const first = walk.legs[at]!;
    const { endpoints } = first.report.pool!;
    const shares = sharesOf(endpoints);
    const wanted = shares.filter((share) => share > 0).length;
    const found = new Map<string, Walk>();
    if (first.report.backend === null) return [];
    found.set(endpointKey(first.report.backend), walk);
    for (let n = 1; found.size < wanted && n <= LAST_PORT - FIRST_PORT; n++) {
      const sourcePort =
        FIRST_PORT + ((SOURCE_PORT - FIRST_PORT + n) % (LAST_PORT - FIRST_PORT + 1));
      const leg = await this.#walker.leg({ ...first.packet, sourcePort });
      const { backend } = leg.report;
      if (backend === null || found.has(endpointKey(backend))) continue;
      const rest = await this.#walker.walk(leg.packet, leg);
      found.set(endpointKey(backend), { legs: [...before, ...rest.legs], end: rest.end });
    }
    if (found.size < wanted) throw new Error(`${wanted - found.size} backends have no source port`);
    return endpoints.flatMap((endpoint, row) => {
      const walked = found.get(endpointKey(endpoint));
      return walked === undefined ? [] : [this.#backend(walked, shares[row]!)];
    });
  }

  #backend({ legs, end }: Walk, share: number): ProbeBackend {
    const first = legs[0]!;
    const last = legs[legs.length - 1]!;
    const left = leavesAs(last.report);
    const { backend } = last.report;
    const address = backend?.address ?? left.destination;
    const pod = end.kind === 'pod' ? end.pod : this.#names.podOf(address);
    const node = end.kind === 'node' ? end.node : this.#names.nodeOf(address);
    return {
      pod: pod === undefined ? null : nameOf(pod),
      workload: pod === undefined ? null : workloadOf(pod),
      address,
      port: backend?.port ?? left.destinationPort,
      node: pod?.node ?? node?.name ?? null,
      share,
      verdict: verdictOf(end),
      reason: end.kind === 'dropped' ? end.reason : null,
      source: left.source,
      masquerade: left.source !== first.packet.source,
      egress: judgedBy(legs, 'egress'),
      ingress: judgedBy(legs, 'ingress'),
      legs: legs.map((leg: Leg) => ({ node: leg.node.name, report: leg.report })),
    };
  }

  /** The first packet of a connection, where it comes into the first proxy. */
  async #packet(source: Source, destination: Destination): Promise<Packet> {
    const addresses = addressesOf(source, destination);
    const pair = sameFamily(source.addresses, addresses);
    if (pair === null) {
      const families = 'the sender and the destination have no family in common';
      return refuse('to', `${families} (${source.addresses} and ${addresses})`);
    }
    const { port, protocol } = destination;
    const [from, to] = pair;
    const flow = { source: from, sourcePort: SOURCE_PORT, destination: to, port, protocol };
    if (source.kind === 'node') return { ...flow, node: source.node, interface: HOST };
    if (source.kind === 'pod') {
      const node = this.#names.node(source.pod.node);
      return { ...flow, node, interface: this.#topology.interfaceOf(source.pod) };
    }
    return this.#fromOutside({ ...flow, interface: UPLINK });
  }

  /** The network leads to the holder of an address; a load balancer to nodes that have endpoints. */
  async #fromOutside(packet: Omit<Packet, 'node'>): Promise<Packet> {
    const pod = this.#names.podOf(packet.destination);
    const holder: ClusterNode | undefined =
      pod === undefined ? this.#names.nodeOf(packet.destination) : this.#names.node(pod.node);
    if (holder !== undefined) return { ...packet, node: holder };
    for (const node of this.#cluster.nodes) {
      const { report } = await this.#walker.leg({ ...packet, node });
      if (report.reason?.name !== 'no_local_backend') return { ...packet, node };
    }
    return { ...packet, node: this.#cluster.nodes[0]! };
  }
}

function addressesOf(source: Source, destination: Destination): readonly string[] {
  if (destination.kind === 'address') return destination.addresses;
  const { loadBalancer, externalIPs, addresses } = destination.service;
  return source.kind === 'outside' ? [...loadBalancer, ...externalIPs, ...addresses] : addresses;
}

function endpointKey({ address, port }: { address: string; port: number }): string {
  return `${address} ${port}`;
}

function verdictOf(end: Walk['end']): Exclude<Verdict, 'mixed'> {
  if (end.kind !== 'dropped') return 'allowed';
  if (isByPolicy(end.reason)) return 'denied';
  if (end.reason === 'no_route') return 'no-route';
  return end.rejected ? 'rejected' : 'dropped';
}

/** Nobody to send to is nowhere to go. */
function verdictOfAll(backends: readonly ProbeBackend[]): Verdict {
  if (backends.length === 0) return 'no-route';
  return common(backends.map(({ verdict }) => verdict)) ?? 'mixed';
}

function isByPolicy(reason: DropReason): boolean {
  return reason.startsWith('policy_');
}

/** What all have; `undefined` where they differ. */
function common<T>(values: readonly T[]): T | undefined {
  return values.every((value) => value === values[0]) ? values[0] : undefined;
}
