// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS, copyAddress } from '../base/address.js';
import { AddressMap } from './address-map.js';

/** Least milliseconds between two requests for one neighbour. */
export const REQUEST_INTERVAL_MS = 1_000;

/** Ages since the last confirmation, in milliseconds. */
export interface NeighbourAges {
  /** From which on it is asked again. */
  staleMs: number;
  /** From which on it is not used any more. */
  deadMs: number;
}

/** A station on the link of an interface. */
export class Neighbour {
  readonly mac = new Uint8Array(6);
  readonly address = new Int32Array(ADDRESS_WORDS);
  /** Packets that wait for it. */
  held = 0;
  #confirmedMs = Number.NEGATIVE_INFINITY;
  #requestedMs = Number.NEGATIVE_INFINITY;

  /** @param slot - of the interface */
  constructor(
    readonly slot: number,
    readonly ages: NeighbourAges,
  ) {}

  /** Its MAC may be used. */
  usable(nowMs: number): boolean {
    return nowMs - this.#confirmedMs < this.ages.deadMs;
  }

  /** It may be used, but should be asked again. */
  stale(nowMs: number): boolean {
    return nowMs - this.#confirmedMs >= this.ages.staleMs;
  }

  /** Takes the MAC at `at` of a frame. */
  learn(frame: Uint8Array, at: number, nowMs: number): void {
    for (let i = 0; i < 6; i++) this.mac[i] = frame[at + i];
    this.#confirmedMs = nowMs;
  }

  forget(): void {
    this.#confirmedMs = Number.NEGATIVE_INFINITY;
    this.#requestedMs = Number.NEGATIVE_INFINITY;
  }

  /** Whether a request is due; the caller sends one then. */
  takeRequest(nowMs: number): boolean {
    if (nowMs - this.#requestedMs < REQUEST_INTERVAL_MS) return false;
    this.#requestedMs = nowMs;
    return true;
  }
}

/**
 * (interface, address) -> MAC, learned by ARP (RFC 826) and neighbour discovery (RFC 4861). The capacity
 * is over all interfaces and both families.
 */
export class NeighbourTable {
  readonly #neighbours = new AddressMap<Neighbour>();

  constructor(
    readonly capacity: number,
    readonly ages: NeighbourAges,
  ) {}

  get size(): number {
    return this.#neighbours.size;
  }

  get isFull(): boolean {
    return this.size >= this.capacity;
  }

  /** @param at - where the address begins in `words` */
  find(slot: number, words: Int32Array, at: number): Neighbour | undefined {
    return this.#neighbours.get(words, at, slot);
  }

  /** @returns `undefined` where there is no room */
  add(slot: number, words: Int32Array, at: number): Neighbour | undefined {
    if (this.isFull) return undefined;
    const neighbour = new Neighbour(slot, this.ages);
    copyAddress(neighbour.address, 0, words, at);
    this.#neighbours.set(words, at, slot, neighbour);
    return neighbour;
  }

  /**
   * Takes the MAC at `macAt` of a frame: of an existing neighbour always, of a new one only where
   * `isWanted`, and there is room.
   */
  learn(
    slot: number,
    words: Int32Array,
    at: number,
    isWanted: boolean,
    frame: Uint8Array,
    macAt: number,
    nowMs: number,
  ): void {
    const known = this.find(slot, words, at) ?? (isWanted ? this.add(slot, words, at) : undefined);
    known?.learn(frame, macAt, nowMs);
  }

  /** The peer is gone; whoever comes next may have other addresses. Entries stay, unresolved. */
  forgetInterface(slot: number): void {
    for (const neighbour of this.#neighbours.values()) {
      if (neighbour.slot === slot) neighbour.forget();
    }
  }

  removeInterface(slot: number): void {
    this.#neighbours.deleteWhere((neighbour) => neighbour.slot === slot);
  }
}
