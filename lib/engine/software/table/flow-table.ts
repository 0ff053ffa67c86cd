// SPDX-License-Identifier: Apache-2.0
import type { Timeouts } from '../../engine.js';
import { copyAddress, isSame } from '../base/address.js';
import { WORKER } from '../base/counters.js';
import { TCP_FLAG } from '../packet/headers.js';
import type { BackendTable } from './backends.js';
import { EMPTY, FlowBuckets, PLACES } from './flow-buckets.js';
import { connectionState, FlowTimeouts, hasHandshake, isExpendable, STATE } from './flow-state.js';
import { FreePairs } from './free-pairs.js';

/** No entry, no pair. */
export const NO_FLOW = -1;

/** `backend` of a pair that has none: it is tracked for policy's sake. */
export const NO_BACKEND = -1;

/** Bits of `marks`. */
export const MARK = {
  /** Packets go to the backend as they came. */
  oneWay: 1 << 1,
} as const;

/** Pairs that one sweep looks at. */
const SWEEP_PAIRS = 256;

/** Pairs that one insertion under pressure looks at. */
const HAND_PAIRS = 64;

/** Free pairs below which embryonic and ended connections are given up, where the table is large. */
const PRESSURE_PAIRS = 256;

/** How often an insertion that finds no place is tried again. */
const RETRIES = 2;

/** Words of an entry's key: source, destination, ports, protocol. */
const KEY_WORDS = 10;

/** One direction of a new connection: what its packets have. */
export interface Direction {
  source: Int32Array;
  sourceAt: number;
  destination: Int32Array;
  destinationAt: number;
  /** Source port in the upper 16 bits, destination port in the lower. */
  ports: number;
  hash: number;
}

/**
 * Theory of operation. A connection is a pair of neighbouring entries: `2k` has the tuple of packets
 * from the client, `2k + 1` that of the replies; what one direction is rewritten to stands in the
 * other, the other way round. What is removed leaves the buckets at once, but its entry keeps its
 * contents until the next poll, because packets of the burst under way may still be rewritten by it.
 * There is one table for each family.
 */
export class FlowTable {
  readonly capacity: number;
  /** Keys by entry: see {@link sourceAt} and its neighbours for where things are. */
  readonly keys: Int32Array;
  // Columns by entry.
  readonly hash: Int32Array;
  readonly lastSeen: Uint32Array;
  readonly packets: Float64Array;
  readonly bytes: Float64Array;
  readonly tcpFlags: Uint8Array;
  // Columns by pair.
  /** Slot, or {@link NO_BACKEND}. */
  readonly backend: Int32Array;
  readonly serial: Uint32Array;
  /** What the connection keeps of its beginning: bits of {@link MARK}. */
  readonly marks: Uint8Array;
  /** Version of the policy that `verdict` was given under; 0: it has not been asked. */
  readonly judged: Uint32Array;
  /** What the policy said of the pair: `PASSED` or one of `DROP`. */
  readonly verdict: Int8Array;
  readonly live: Uint8Array;
  /** 1: the first packet of the connection came by a tunnel. */
  readonly cameByTunnel: Uint8Array;

  readonly #buckets: FlowBuckets;
  readonly #timeouts: FlowTimeouts;
  readonly #counters: { add(counter: number, count: number): void };
  readonly #free: FreePairs;
  #used = 0;
  #sweepCursor = 0;
  #pressureCursor = 0;

  /**
   * @param capacity - connections
   * @param counters - takes `flowsExpired`, `flowsEvicted` and `flowsCleared`
   */
  constructor(
    capacity: number,
    timeouts: Timeouts,
    counters: { add(counter: number, count: number): void },
  ) {
    this.capacity = capacity;
    this.#timeouts = new FlowTimeouts(timeouts);
    this.#counters = counters;
    this.#buckets = new FlowBuckets(capacity);
    const entries = capacity * 2;
    this.keys = new Int32Array(entries * KEY_WORDS);
    this.hash = new Int32Array(entries);
    this.lastSeen = new Uint32Array(entries);
    this.packets = new Float64Array(entries);
    this.bytes = new Float64Array(entries);
    this.tcpFlags = new Uint8Array(entries);
    this.backend = new Int32Array(capacity);
    this.serial = new Uint32Array(capacity);
    this.marks = new Uint8Array(capacity);
    this.judged = new Uint32Array(capacity);
    this.verdict = new Int8Array(capacity);
    this.live = new Uint8Array(capacity);
    this.cameByTunnel = new Uint8Array(capacity);
    this.#free = new FreePairs(capacity);
  }

  /** Connections that have a place in the table. */
  get used(): number {
    return this.#used;
  }

  /** Where the source address of an entry's key begins in {@link keys}. */
  sourceAt(entry: number): number {
    return entry * KEY_WORDS;
  }

  destinationAt(entry: number): number {
    return entry * KEY_WORDS + 4;
  }

  ports(entry: number): number {
    return this.keys[entry * KEY_WORDS + 8];
  }

  protocol(entry: number): number {
    return this.keys[entry * KEY_WORDS + 9];
  }

  /** @returns the entry of this direction, or {@link NO_FLOW} */
  find(
    source: Int32Array,
    sourceAt: number,
    destination: Int32Array,
    destinationAt: number,
    ports: number,
    protocol: number,
    hash: number,
  ): number {
    const { tags, entries } = this.#buckets;
    const tag = hash >>> 16;
    let first = this.#buckets.primary(hash);
    for (let choice = 0; choice < 2; choice++) {
      for (let place = first; place < first + PLACES; place++) {
        if (tags[place] !== tag) continue;
        const entry = entries[place];
        if (entry === EMPTY) continue;
        const at = entry * KEY_WORDS;
        if (this.keys[at + 8] !== ports || this.keys[at + 9] !== protocol) continue;
        if (
          isSame(this.keys, at, source, sourceAt) &&
          isSame(this.keys, at + 4, destination, destinationAt)
        ) {
          return entry;
        }
      }
      first = this.#buckets.other(hash);
    }
    return NO_FLOW;
  }

  /**
   * Inserts both directions; gives embryonic and ended connections up where there is little room.
   * @param backend - its slot, or {@link NO_BACKEND}
   * @param now - seconds
   * @param marks - bits of {@link MARK}
   * @returns the pair, or {@link NO_FLOW} where there is no room
   */
  insert(
    protocol: number,
    forward: Direction,
    reply: Direction,
    backend: number,
    serial: number,
    now: number,
    marks = 0,
  ): number {
    this.#relieve(now);
    if (this.#free.count === 0) return NO_FLOW;
    const pair = this.#free.top;
    this.#fill(pair * 2, protocol, forward);
    this.#fill(pair * 2 + 1, protocol, reply);
    for (let tries = 0; ; tries++) {
      const stuck = this.#link(pair);
      if (stuck === NO_FLOW) break;
      if (tries === RETRIES || !this.#makeRoomFor(stuck, now)) return NO_FLOW;
    }
    this.backend[pair] = backend;
    this.serial[pair] = serial;
    this.marks[pair] = marks;
    this.judged[pair] = 0;
    this.live[pair] = 1;
    this.#free.pop();
    this.#used++;
    return pair;
  }

  /**
   * Removes both directions; the pair can be used again after {@link reclaim}.
   * @param counter - one of `WORKER`, or `null`: not counted
   */
  remove(pair: number, counter: number | null): void {
    for (let entry = pair * 2; entry <= pair * 2 + 1; entry++) {
      this.#buckets.unlink(entry, this.hash[entry]);
    }
    this.live[pair] = 0;
    this.#free.pushLater(pair);
    this.#used--;
    if (counter !== null) this.#counters.add(counter, 1);
  }

  /** Keeps what the policy said of a pair. */
  judge(pair: number, version: number, verdict: number): void {
    this.judged[pair] = version;
    this.verdict[pair] = verdict;
  }

  /** Counts a packet of this direction. @param now - seconds */
  touch(entry: number, now: number, ipLength: number, tcpFlags: number): void {
    this.lastSeen[entry] = now;
    this.packets[entry] += 1;
    this.bytes[entry] += ipLength;
    // Whoever has sent RST and goes on speaking has not meant it.
    const isOver = (tcpFlags & (TCP_FLAG.rst | TCP_FLAG.syn)) !== 0;
    const before = isOver ? this.tcpFlags[entry] : this.tcpFlags[entry] & ~TCP_FLAG.rst;
    this.tcpFlags[entry] = before | tcpFlags;
  }

  /** State of a pair: one of `STATE`. */
  state(pair: number): number {
    const forward = pair * 2;
    const reply = forward + 1;
    const bothSpoke = this.packets[forward] > 0 && this.packets[reply] > 0;
    const isOneWay = this.isOneWay(pair);
    if (hasHandshake(this.protocol(forward))) {
      return connectionState(this.tcpFlags[forward], this.tcpFlags[reply], bothSpoke, isOneWay);
    }
    return bothSpoke || isOneWay ? STATE.established : STATE.unreplied;
  }

  /** Packets go to the backend as they came. */
  isOneWay(pair: number): boolean {
    return (this.marks[pair] & MARK.oneWay) !== 0;
  }

  /** Seconds since either direction was seen. */
  idle(pair: number, now: number): number {
    return now - this.#seen(pair);
  }

  expired(pair: number, now: number): boolean {
    const protocol = this.protocol(pair * 2);
    return this.idle(pair, now) >= this.#timeouts.of(protocol, this.state(pair));
  }

  /** Looks at the next pairs, and removes what has expired and what has no connection to keep. */
  sweep(now: number, backends: BackendTable): void {
    const count = Math.min(SWEEP_PAIRS, this.capacity);
    for (let i = 0; i < count; i++) {
      const pair = this.#sweepCursor;
      this.#sweepCursor = pair + 1 === this.capacity ? 0 : pair + 1;
      if (!this.live[pair]) continue;
      if (this.expired(pair, now)) this.remove(pair, WORKER.flowsExpired);
      else if (this.#isStale(pair, backends)) this.remove(pair, WORKER.flowsCleared);
    }
  }

  /** Makes what was removed since the last call available again. Between polls only. */
  reclaim(): void {
    this.#free.reclaim();
  }

  // UDP or echo to a backend that is gone or flushed.
  #isStale(pair: number, backends: BackendTable): boolean {
    if (hasHandshake(this.protocol(pair * 2))) return false;
    const backend = this.backend[pair];
    if (backend === NO_BACKEND) return false;
    return !backends.isThere(backend, this.serial[pair]) || backends.flushed[backend] === 1;
  }

  #seen(pair: number): number {
    return Math.max(this.lastSeen[pair * 2], this.lastSeen[pair * 2 + 1]);
  }

  // Pressure: before there is no room at all, connections that have not become any make some.
  #relieve(now: number): void {
    if (this.#free.count >= Math.min(PRESSURE_PAIRS, Math.floor(this.capacity / 4))) return;
    const count = Math.min(HAND_PAIRS, this.capacity);
    for (let i = 0; i < count; i++) {
      const pair = this.#pressureCursor;
      this.#pressureCursor = pair + 1 === this.capacity ? 0 : pair + 1;
      if (!this.live[pair] || !this.#mayGo(pair, now)) continue;
      this.#giveUp(pair, now);
      return;
    }
  }

  #makeRoomFor(stuck: number, now: number): boolean {
    const hash = this.hash[stuck];
    let victim = NO_FLOW;
    let first = this.#buckets.primary(hash);
    for (let choice = 0; choice < 2; choice++) {
      for (let place = first; place < first + PLACES; place++) {
        const entry = this.#buckets.entries[place];
        // The forward entry of the very connection may have left a place behind.
        if (entry === EMPTY || !this.#mayGo(entry >> 1, now)) continue;
        const pair = entry >> 1;
        if (victim === NO_FLOW || this.#seen(pair) < this.#seen(victim)) victim = pair;
      }
      first = this.#buckets.other(hash);
    }
    if (victim === NO_FLOW) return false;
    this.#giveUp(victim, now);
    return true;
  }

  #mayGo(pair: number, now: number): boolean {
    return isExpendable(this.state(pair)) || this.expired(pair, now);
  }

  #giveUp(pair: number, now: number): void {
    this.remove(pair, this.expired(pair, now) ? WORKER.flowsExpired : WORKER.flowsEvicted);
  }

  #fill(entry: number, protocol: number, direction: Direction): void {
    const at = entry * KEY_WORDS;
    copyAddress(this.keys, at, direction.source, direction.sourceAt);
    copyAddress(this.keys, at + 4, direction.destination, direction.destinationAt);
    this.keys[at + 8] = direction.ports;
    this.keys[at + 9] = protocol;
    this.hash[entry] = direction.hash;
    this.lastSeen[entry] = 0;
    this.packets[entry] = 0;
    this.bytes[entry] = 0;
    this.tcpFlags[entry] = 0;
  }

  /** @returns the entry that found no place, or {@link NO_FLOW} */
  #link(pair: number): number {
    const forward = pair * 2;
    const reply = forward + 1;
    if (!this.#buckets.link(forward, this.hash[forward])) return forward;
    if (this.#buckets.link(reply, this.hash[reply])) return NO_FLOW;
    this.#buckets.unlink(forward, this.hash[forward]);
    return reply;
  }
}
