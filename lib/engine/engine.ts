// SPDX-License-Identifier: Apache-2.0
import type { InterfaceRequest, ProgramDelta } from '../compile/program.js';
import type { DropReason } from './reasons.js';

/** `dpdk` is the native engine, `software` the one in TypeScript. */
export type EngineKind = 'dpdk' | 'software';

/** Limits and timeouts of an engine. Every one has a default: {@link ENGINE_DEFAULTS}. */
export interface EngineOptions {
  /** Worker lcores (native engine only). */
  workers: number;
  /** IPv4 connections that the flow table holds; each takes two directions. */
  flows: number;
  /** IPv6 connections. */
  flows6: number;
  /** Clients that session affinity remembers, over all services. */
  affinities: number;
  /** Backend slots, over all services. */
  backends: number;
  /** Interface slots. Debian's DPDK carries at most 32 devices; `memory` interfaces are not devices. */
  interfaces: number;
  /** Neighbour entries, over all interfaces. */
  neighbours: number;
  /** Routes of each family. */
  routes: number;
  /** Packets that wait for one neighbour. */
  heldPerNeighbour: number;
  /** Packets that wait for neighbours, per worker. */
  heldPackets: number;
  /** Datagrams in fragments that are followed at a time, per worker. */
  fragments: number;
  /** Fragments that wait for the first one of their datagram, per worker. */
  fragmentPackets: number;
  /** Resets and ICMP errors that say a packet was rejected or could not be sent on, per worker and second. */
  icmpRate: number;
  /** Source ports that may be given in place of a client's, both inclusive. */
  snatPortMin: number;
  snatPortMax: number;
  /** TCP and SCTP connections without a flow are picked up midway (Linux: nf_conntrack_tcp_loose). */
  tcpPickup: boolean;
  /** Packet buffers (native engine only). */
  mbufs: number;
  /** `auto`: hugepages where there are some free ones, else ordinary memory. */
  hugepages: 'auto' | 'on' | 'off';
  /** Memory for packet buffers and tables, in MiB (native engine only). */
  memory: number;
  /** `manual`: time stands still and packets wait until {@link Engine.step} is called. For tests. */
  clock: 'real' | 'manual';
  /** Seconds. */
  timeouts: Timeouts;
}

/** Seconds without a packet after which a flow ends, and other ages. */
export interface Timeouts {
  /** TCP: only one side has spoken (Linux: SYN_SENT). */
  tcpUnreplied: number;
  /** TCP: the client has not acknowledged yet (Linux: SYN_RECV). */
  tcpSynReceived: number;
  /** TCP: established (kube-proxy: 24 h). */
  tcpEstablished: number;
  /** TCP: one side has sent FIN (kube-proxy's close-wait: 1 h). */
  tcpCloseWait: number;
  /** TCP: both sides have sent FIN. */
  tcpTimeWait: number;
  /** TCP: one side has sent an RST. */
  tcpClosed: number;
  /** UDP: only one side has spoken. */
  udpUnreplied: number;
  /** UDP: both sides have spoken. */
  udpStream: number;
  /** SCTP: not established yet. */
  sctpUnreplied: number;
  sctpEstablished: number;
  /** SCTP: shutting down, or aborted. */
  sctpClosed: number;
  /** ICMP echo. */
  icmp: number;
  /** Age of a datagram in fragments. */
  fragment: number;
  /** Time that a packet waits for its neighbour. */
  hold: number;
  /** Age from which on a neighbour is asked again. */
  neighbourStale: number;
  /** Age from which on a neighbour is not used any more. */
  neighbourDead: number;
}

export const ENGINE_DEFAULTS: EngineOptions = {
  workers: 1,
  flows: 131_072,
  flows6: 131_072,
  affinities: 65_536,
  backends: 65_536,
  interfaces: 64,
  neighbours: 4_096,
  routes: 65_536,
  heldPerNeighbour: 16,
  heldPackets: 1_024,
  fragments: 1_024,
  fragmentPackets: 1_024,
  icmpRate: 1_000,
  snatPortMin: 1_024,
  snatPortMax: 65_535,
  tcpPickup: true,
  mbufs: 16_384,
  hugepages: 'auto',
  memory: 256,
  clock: 'real',
  timeouts: {
    tcpUnreplied: 120,
    tcpSynReceived: 60,
    tcpEstablished: 86_400,
    tcpCloseWait: 3_600,
    tcpTimeWait: 120,
    tcpClosed: 10,
    udpUnreplied: 30,
    udpStream: 120,
    sctpUnreplied: 30,
    sctpEstablished: 210,
    sctpClosed: 10,
    icmp: 30,
    fragment: 30,
    hold: 3,
    neighbourStale: 60,
    neighbourDead: 120,
  },
};

/** What came of an {@link InterfaceRequest}. */
export interface InterfaceReport {
  slot: number;
  /** Our MAC, 6 bytes. */
  mac: Uint8Array;
  worker: number;
  /** The peer is there: packets can pass. */
  up: boolean;
}

/** A peer came or went. */
export interface LinkEvent {
  slot: number;
  up: boolean;
}

/** One direction-pair of the flow table, seen from the client. */
export interface FlowRecord {
  protocol: number;
  /** 16 bytes each, IPv4 mapped. */
  client: Uint8Array;
  clientPort: number;
  service: Uint8Array;
  servicePort: number;
  backend: Uint8Array;
  backendPort: number;
  /** What the backend sees as the source: the client's, or an address and port of ours. */
  source: Uint8Array;
  sourcePort: number;
  /** Slot of the backend in the program; `null`: not for a service, and tracked for policy's sake. */
  backendSlot: number | null;
  state: FlowState;
  /** Seconds since the last packet of either direction. */
  idle: number;
  /** Packets and bytes (from the IP header on), client to backend and back. */
  packets: number;
  bytes: number;
  replyPackets: number;
  replyBytes: number;
}

export const FLOW_STATES = [
  'unreplied',
  'syn-received',
  'established',
  'close-wait',
  'time-wait',
  'closed',
] as const;
export type FlowState = (typeof FLOW_STATES)[number];

/** Places of the shared tables that are in use at this moment (what is over is swept in time). */
export interface Occupancy {
  flows: number;
  flows6: number;
  affinities: number;
  neighbours: number;
  /** Routes of both families. */
  routes: number;
  frontends: number;
  backends: number;
  pools: number;
}

/** What would become of a packet: the decisions of the stages, nothing sent and nothing changed. */
export interface Explanation {
  /** `host`: to this node's kernel. `hold`: it would wait for a neighbour or for a first fragment. */
  fate: 'forward' | 'answer' | 'host' | 'drop' | 'hold';
  /** Where `fate` is `drop`. */
  reason: DropReason | null;
  /** The sender would be told (TCP reset, ICMP error). */
  rejected: boolean;
  /** As received; `null` where parse (or arp, nd) was its end. Addresses are 16 bytes. */
  tuple: Tuple | null;
  /** One of `SCOPE`; `null` where nobody asked. */
  scope: number | null;
  /** `related`: an ICMP error of the flow. `null`: a miss. */
  flow: { direction: 'forward' | 'reply' | 'related'; state: FlowState } | null;
  /** Slot of the frontend that a miss found. */
  frontend: number | null;
  /** Slot of its pool for the scope. */
  pool: number | null;
  /** Slot of the Maglev table; `null` where affinity chose. */
  maglevSlot: number | null;
  /** The client's affinity chose the backend. */
  affinity: boolean;
  /** Slot of the backend, of a flow or newly chosen. */
  backend: number | null;
  /** What policy said of what leaves the source and comes to the destination; `null`: it was not asked. */
  egress: Judgement | null;
  ingress: Judgement | null;
  /** The source is rewritten to an address of ours. */
  masquerade: boolean;
  /** Addresses and ports as they leave (of an ICMP error: its outer addresses, ports 0). */
  rewrite: Tuple | null;
  /** `gateway` and `mac` are `null` where the route has none. */
  route: { interface: number; gateway: Uint8Array | null; mac: Uint8Array | null } | null;
  /** The next hop's address, and its MAC where it is known. */
  neighbour: { address: Uint8Array; mac: Uint8Array | null } | null;
  /** Slot of the tunnel that it came by, within another packet; the rest is about what was inside. */
  tunnel: { interface: number } | null;
  /**
   * Of a packet that leaves by a tunnel: the interface that the packet leaves by which carries it, the
   * tunnel's other end, and the MAC of the next hop to there where it is known.
   */
  encap: { interface: number; remote: Uint8Array; neighbour: Uint8Array | null } | null;
}

/** The policy's word on one direction. `rule` is its number in the program; `null`: no rule was for it. */
export interface Judgement {
  allowed: boolean;
  rule: number | null;
}

export interface Tuple {
  source: Uint8Array;
  destination: Uint8Array;
  sourcePort: number;
  destinationPort: number;
  protocol: number;
}

/** What the engine is and runs on; shown by `sluice version`. */
export interface EngineDescription {
  kind: EngineKind;
  /** DPDK's version, or `null`. */
  dpdk: string | null;
  /** CPU features in use, e.g. `sse4.2`. */
  cpu: readonly string[];
  /** `true`: packet memory is in hugepages. */
  hugepages: boolean;
  workers: number;
  /** The CPU of each worker; empty where none has one of its own. */
  workerCpus: readonly number[];
}

/**
 * An engine executes a program. Two implementations: native (DPDK) and software (TypeScript); one
 * contract suite runs on both. Methods that wait on a device or a worker return promises; `send`
 * and `receive` copy, and with `setLink` serve `memory` interfaces only.
 */
export interface Engine {
  readonly description: EngineDescription;
  readonly options: EngineOptions;
  /** Live counters; the views stay readable after `close`. */
  readonly counters: CounterRegion;
  /**
   * Makes all of `delta` visible at once. Resolves when no worker reads the previous program.
   * @returns the new generation number
   * @throws SluiceError `ERR_PROGRAM`, `ERR_CAPACITY` (path = column) — nothing has changed then
   */
  commit(delta: ProgramDelta): Promise<number>;
  /**
   * @throws SluiceError `ERR_INTERFACE`, `ERR_INTERFACE_EXISTS`, `ERR_INTERFACE_KIND`,
   * `ERR_INTERFACE_LIMIT`, `ERR_HUGEPAGES`, `ERR_PERMISSION`
   */
  addInterface(request: InterfaceRequest): Promise<InterfaceReport>;
  /**
   * Packets under way to it are dropped as `interface_removed`. The slot is free afterwards.
   * @throws SluiceError `ERR_INTERFACE_UNKNOWN`
   */
  removeInterface(slot: number): Promise<void>;
  /** At most `limit` flows that have not expired, in no particular order. */
  flows(limit: number): Promise<FlowRecord[]>;
  /** Never waits: may be called as often as one likes. */
  occupancy(): Occupancy;
  /**
   * Runs a frame through the real tables as if it came in by interface `slot`, without sending it or
   * changing anything.
   * @throws SluiceError `ERR_INTERFACE_UNKNOWN`
   */
  explain(slot: number, frame: Uint8Array): Promise<Explanation>;
  /** Puts frames on a `memory` interface's receive side; returns how many found room. */
  send(slot: number, frames: readonly Uint8Array[]): number;
  /** Takes up to `max` frames that were sent out of a `memory` interface. */
  receive(slot: number, max: number): Uint8Array[];
  /**
   * Says whether the peer of a `memory` interface is there: as with any other, packets to it are dropped
   * while it is not.
   * @throws SluiceError `ERR_INTERFACE_UNKNOWN`, `ERR_INTERFACE_KIND`
   */
  setLink(slot: number, up: boolean): Promise<void>;
  /** Manual clock only: sets the time to `nowMs` and polls every interface once. */
  step(nowMs: number): void;
  /** Called with batches of events, on the event loop. */
  onLink: ((events: LinkEvent[]) => void) | null;
  /** Idempotent. Resolves when workers have stopped and all interfaces are gone. */
  close(): Promise<void>;
}

/**
 * Counters in shared memory: 8 bytes each, written by one worker, read by anybody. Every worker has
 * a block of `stride` counters; see {@link COUNTER_LAYOUT} for what a block holds.
 */
export interface CounterRegion {
  /** `u64` in the native engine, `f64` in the software engine (exact up to 2^53). */
  readonly values: BigUint64Array | Float64Array;
  /** Counters per worker. */
  readonly stride: number;
  readonly workers: number;
  readonly layout: CounterLayout;
}

/** Offsets, in counters, within one worker's block. */
export interface CounterLayout {
  /** First of {@link WORKER_COUNTERS}. */
  worker: number;
  /** First of the drop reasons, in the order of `DROP_REASONS`. */
  drops: number;
  /** First interface; {@link INTERFACE_COUNTERS} each. */
  interfaces: number;
  /** First backend slot: connections assigned to it. One counter each. */
  backends: number;
}

/**
 * A worker's own counters. `rx + handedIn = forwarded + answered + host + drops + held + handedOut`.
 * `held` is a gauge: packets that wait for a neighbour or a first fragment; `fragments` (datagrams) and
 * `fragmentPackets` (part of `held`) are gauges too. `originated` are frames of our own: requests for
 * neighbours, resets and ICMP errors; `icmpLimited` those that the budget forbade. `related` are ICMP
 * errors that belong to a flow. `flowsExpired`, `flowsEvicted` (embryonic and ended ones, for want of room) and
 * `flowsCleared` (backend gone or flushed) are pairs that were removed. `affinityHits` are new flows
 * whose backend affinity chose, `masqueraded` new flows with a source of ours. `cycles` are TSC clocks
 * spent on packets, the interface drivers' rx and tx calls left out. `steered` are frames that the worker
 * received for others (software RSS), which count them as `rx`.
 */
export const WORKER_COUNTERS = [
  'rx',
  'forwarded',
  'answered',
  'host',
  'held',
  'handedIn',
  'handedOut',
  'originated',
  'icmpLimited',
  'related',
  'flowsCreated',
  'flowsExpired',
  'flowsEvicted',
  'flowsCleared',
  'affinityHits',
  'masqueraded',
  'fragments',
  'fragmentPackets',
  'polls',
  'busyPolls',
  'cycles',
  'steered',
] as const;

export const INTERFACE_COUNTERS = ['rxPackets', 'rxBytes', 'txPackets', 'txBytes'] as const;
