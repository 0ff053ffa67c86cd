// SPDX-License-Identifier: Apache-2.0
import type { FlowTimeouts } from '../../engine.js';
import { PROTOCOL, TCP_FLAG } from '../packet/headers.js';

/** No entry, no pair. */
export const NO_FLOW = -1;

/** Pairs that one poll sweeps. */
export const SWEEP_PAIRS = 64;

/** Index into `FLOW_STATES`. */
export const STATE = { unreplied: 0, established: 1, closeWait: 2, closed: 3 } as const;

const PLACES = 8;
const EMPTY = -1;

/** A connection to insert: both tuples follow from it. Addresses are numbers. */
export interface NewFlow {
  protocol: number;
  client: number;
  clientPort: number;
  service: number;
  servicePort: number;
  backend: number;
  backendPort: number;
  forwardHash: number;
  replyHash: number;
  backendSlot: number;
  pool: number;
}

/**
 * Theory of operation. A connection is a pair of neighbouring entries: `2k` has the tuple of packets
 * from the client, `2k + 1` that of the replies; what one direction is rewritten to stands in the
 * other. Two buckets of 8 places can hold an entry; a place is a tag and the entry's index. What
 * is removed leaves the buckets at once, but its entry keeps its contents until the next poll, because
 * packets of the burst under way may still be rewritten by it.
 */
export class FlowTable {
  readonly capacity: number;
  // Columns by entry.
  readonly source: Uint32Array;
  readonly destination: Uint32Array;
  readonly ports: Uint32Array;
  readonly protocol: Uint8Array;
  readonly hash: Uint32Array;
  readonly lastSeen: Uint32Array;
  readonly packets: Float64Array;
  readonly bytes: Float64Array;
  readonly tcpFlags: Uint8Array;
  // Columns by pair.
  readonly backendSlot: Uint32Array;
  readonly pool: Uint32Array;
  readonly live: Uint8Array;

  readonly #timeouts: FlowTimeouts;
  readonly #tags: Uint16Array;
  readonly #entries: Int32Array;
  readonly #mask: number;
  // A stack: the lowest pairs lie on top at first, the latest freed ones later.
  readonly #free: Uint32Array;
  #freeCount: number;
  readonly #removed: number[] = [];
  #used = 0;
  #cursor = 0;

  /** @param capacity - connections */
  constructor(capacity: number, timeouts: FlowTimeouts) {
    this.capacity = capacity;
    this.#timeouts = timeouts;
    const entries = capacity * 2;
    this.source = new Uint32Array(entries);
    this.destination = new Uint32Array(entries);
    this.ports = new Uint32Array(entries);
    this.protocol = new Uint8Array(entries);
    this.hash = new Uint32Array(entries);
    this.lastSeen = new Uint32Array(entries);
    this.packets = new Float64Array(entries);
    this.bytes = new Float64Array(entries);
    this.tcpFlags = new Uint8Array(entries);
    this.backendSlot = new Uint32Array(capacity);
    this.pool = new Uint32Array(capacity);
    this.live = new Uint8Array(capacity);

    let buckets = 2;
    while (buckets * 6 < capacity * 2) buckets *= 2;
    this.#mask = buckets - 1;
    this.#tags = new Uint16Array(buckets * PLACES);
    this.#entries = new Int32Array(buckets * PLACES).fill(EMPTY);
    this.#free = new Uint32Array(capacity).map((_, i) => capacity - 1 - i);
    this.#freeCount = capacity;
  }

  /** Connections that have a place in the table. */
  get used(): number {
    return this.#used;
  }

  /** @returns the entry of this direction, or {@link NO_FLOW} */
  find(source: number, destination: number, ports: number, protocol: number, hash: number): number {
    const tag = hash >>> 16;
    let bucket = hash & this.#mask;
    for (let choice = 0; choice < 2; choice++) {
      const first = bucket * PLACES;
      for (let place = first; place < first + PLACES; place++) {
        const entry = this.#entries[place];
        if (
          entry !== EMPTY &&
          this.#tags[place] === tag &&
          this.source[entry] === source &&
          this.destination[entry] === destination &&
          this.ports[entry] === ports &&
          this.protocol[entry] === protocol
        ) {
          return entry;
        }
      }
      bucket = this.#other(bucket, tag);
    }
    return NO_FLOW;
  }

  /** Inserts both directions. @returns the pair, or {@link NO_FLOW} where there is no room */
  insert(flow: NewFlow): number {
    if (this.#freeCount === 0) return NO_FLOW;
    const pair = this.#free[this.#freeCount - 1];
    const forward = pair * 2;
    const reply = forward + 1;
    this.#fill(forward, flow.client, flow.service, flow.clientPort, flow.servicePort, flow);
    this.#fill(reply, flow.backend, flow.client, flow.backendPort, flow.clientPort, flow);
    this.hash[forward] = flow.forwardHash;
    this.hash[reply] = flow.replyHash;
    if (!this.#link(forward)) return NO_FLOW;
    if (!this.#link(reply)) {
      this.#unlink(forward);
      return NO_FLOW;
    }
    this.backendSlot[pair] = flow.backendSlot;
    this.pool[pair] = flow.pool;
    this.live[pair] = 1;
    this.#freeCount--;
    this.#used++;
    return pair;
  }

  /** Removes both directions; the pair can be used again after {@link reclaim}. */
  remove(pair: number): void {
    this.#unlink(pair * 2);
    this.#unlink(pair * 2 + 1);
    this.live[pair] = 0;
    this.#removed.push(pair);
    this.#used--;
  }

  /** Counts a packet of this direction. @param now - seconds */
  touch(entry: number, now: number, ipLength: number, tcpFlags: number): void {
    this.lastSeen[entry] = now;
    this.packets[entry] += 1;
    this.bytes[entry] += ipLength;
    this.tcpFlags[entry] |= tcpFlags;
  }

  /** State of a pair: one of {@link STATE}. */
  state(pair: number): number {
    const forward = pair * 2;
    const reply = forward + 1;
    if (this.protocol[forward] === PROTOCOL.tcp) {
      const either = this.tcpFlags[forward] | this.tcpFlags[reply];
      const both = this.tcpFlags[forward] & this.tcpFlags[reply];
      if (either & TCP_FLAG.rst || both & TCP_FLAG.fin) return STATE.closed;
      if (either & TCP_FLAG.fin) return STATE.closeWait;
    }
    const replied = this.packets[forward] > 0 && this.packets[reply] > 0;
    return replied ? STATE.established : STATE.unreplied;
  }

  /** Seconds since either direction was seen. */
  idle(pair: number, now: number): number {
    return now - Math.max(this.lastSeen[pair * 2], this.lastSeen[pair * 2 + 1]);
  }

  expired(pair: number, now: number): boolean {
    return this.idle(pair, now) >= this.#timeout(pair);
  }

  /** Looks at the next pairs and removes expired ones. @returns how many were removed */
  sweep(now: number): number {
    let removed = 0;
    const count = Math.min(SWEEP_PAIRS, this.capacity);
    for (let i = 0; i < count; i++) {
      const pair = this.#cursor;
      this.#cursor = pair + 1 === this.capacity ? 0 : pair + 1;
      if (!this.live[pair] || !this.expired(pair, now)) continue;
      this.remove(pair);
      removed++;
    }
    return removed;
  }

  /** Makes what was removed since the last call available again. Between polls only. */
  reclaim(): void {
    for (const pair of this.#removed) this.#free[this.#freeCount++] = pair;
    this.#removed.length = 0;
  }

  #timeout(pair: number): number {
    const state = this.state(pair);
    const timeouts = this.#timeouts;
    if (this.protocol[pair * 2] !== PROTOCOL.tcp) {
      return state === STATE.established ? timeouts.udpStream : timeouts.udpUnreplied;
    }
    switch (state) {
      case STATE.closed:
        return timeouts.tcpClosed;
      case STATE.closeWait:
        return timeouts.tcpCloseWait;
      case STATE.established:
        return timeouts.tcpEstablished;
      default:
        return timeouts.tcpUnreplied;
    }
  }

  #fill(
    entry: number,
    source: number,
    destination: number,
    sourcePort: number,
    destinationPort: number,
    flow: NewFlow,
  ): void {
    this.source[entry] = source;
    this.destination[entry] = destination;
    this.ports[entry] = (sourcePort << 16) | destinationPort;
    this.protocol[entry] = flow.protocol;
    this.lastSeen[entry] = 0;
    this.packets[entry] = 0;
    this.bytes[entry] = 0;
    this.tcpFlags[entry] = 0;
  }

  #other(bucket: number, tag: number): number {
    return (bucket ^ Math.imul(tag + 1, 0x5bd1e995)) & this.#mask;
  }

  #link(entry: number): boolean {
    const hash = this.hash[entry];
    const tag = hash >>> 16;
    const primary = hash & this.#mask;
    const other = this.#other(primary, tag);
    const bucket = this.#room(other) > this.#room(primary) ? other : primary;
    const first = bucket * PLACES;
    for (let place = first; place < first + PLACES; place++) {
      if (this.#entries[place] !== EMPTY) continue;
      this.#entries[place] = entry;
      this.#tags[place] = tag;
      return true;
    }
    return false;
  }

  #unlink(entry: number): void {
    const tag = this.hash[entry] >>> 16;
    let bucket = this.hash[entry] & this.#mask;
    for (let choice = 0; choice < 2; choice++) {
      const first = bucket * PLACES;
      for (let place = first; place < first + PLACES; place++) {
        if (this.#entries[place] !== entry) continue;
        this.#entries[place] = EMPTY;
        return;
      }
      bucket = this.#other(bucket, tag);
    }
  }

  #room(bucket: number): number {
    let free = 0;
    const first = bucket * PLACES;
    for (let place = first; place < first + PLACES; place++) {
      if (this.#entries[place] === EMPTY) free++;
    }
    return free;
  }
}
