// SPDX-License-Identifier: Apache-2.0
import type { InterfaceRequest, ProgramDelta } from '../compile/program.js';

/** `dpdk` is the native engine, `software` the one in TypeScript. */
export type EngineKind = 'dpdk' | 'software';

/** Limits and timeouts of an engine. Every one has a default: {@link ENGINE_DEFAULTS}. */
export interface EngineOptions {
  /** Worker lcores (native engine only). */
  workers: number;
  /** Connections that the flow table holds; each takes two directions. */
  flows: number;
  /** Backend slots, over all services. */
  backends: number;
  /** Interface slots. Debian's DPDK carries at most 32 devices; `memory` interfaces are not devices. */
  interfaces: number;
  /** Neighbour entries, over all interfaces. */
  neighbours: number;
  /** Packet buffers (native engine only). */
  mbufs: number;
  /** `auto`: hugepages where there are some free ones, else ordinary memory. */
  hugepages: 'auto' | 'on' | 'off';
  /** Memory for packet buffers and tables, in MiB (native engine only). */
  memory: number;
  /** `manual`: time stands still and packets wait until {@link Engine.step} is called. For tests. */
  clock: 'real' | 'manual';
  /** Idle timeouts of flows, in seconds. */
  timeouts: FlowTimeouts;
}

/** Seconds without a packet after which a flow ends. */
export interface FlowTimeouts {
  /** TCP: only one side has spoken. */
  tcpUnreplied: number;
  /** TCP: both sides have spoken (kube-proxy: 24 h). */
  tcpEstablished: number;
  /** TCP: one side has sent FIN (kube-proxy's close-wait: 1 h). */
  tcpCloseWait: number;
  /** TCP: both sides have sent FIN, or one an RST. */
  tcpClosed: number;
  /** UDP: only one side has spoken. */
  udpUnreplied: number;
  /** UDP: both sides have spoken. */
  udpStream: number;
}

export const ENGINE_DEFAULTS: EngineOptions = {
  workers: 1,
  flows: 131_072,
  backends: 65_536,
  interfaces: 64,
  neighbours: 4_096,
  mbufs: 16_384,
  hugepages: 'auto',
  memory: 256,
  clock: 'real',
  timeouts: {
    tcpUnreplied: 60,
    tcpEstablished: 86_400,
    tcpCloseWait: 3_600,
    tcpClosed: 10,
    udpUnreplied: 30,
    udpStream: 120,
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
  /** Slot of the backend in the program. */
  backendSlot: number;
  state: FlowState;
  /** Seconds since the last packet of either direction. */
  idle: number;
  /** Packets and bytes (from the IP header on), client to backend and back. */
  packets: number;
  bytes: number;
  replyPackets: number;
  replyBytes: number;
}

export const FLOW_STATES = ['unreplied', 'established', 'close-wait', 'closed'] as const;
export type FlowState = (typeof FLOW_STATES)[number];

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
}

/**
 * An engine executes a program. Two implementations: native (DPDK) and software (TypeScript); one
 * contract suite runs on both. Methods that wait on a device or a worker return promises; `send`
 * and `receive` copy, and serve `memory` interfaces only.
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
  /** Number of flows that have a place in the table (expired ones are swept in time). */
  flowCount(): number;
  /** Puts frames on a `memory` interface's receive side; returns how many found room. */
  send(slot: number, frames: readonly Uint8Array[]): number;
  /** Takes up to `max` frames that were sent out of a `memory` interface. */
  receive(slot: number, max: number): Uint8Array[];
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
 * `held` is a gauge: packets that wait for a neighbour. `originated` are ARP requests of our own.
 * `cycles` are TSC clocks spent on packets, the interface drivers' rx and tx calls left out.
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
  'flowsCreated',
  'flowsExpired',
  'polls',
  'busyPolls',
  'cycles',
] as const;

export const INTERFACE_COUNTERS = ['rxPackets', 'rxBytes', 'txPackets', 'txBytes'] as const;
