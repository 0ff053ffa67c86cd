// SPDX-License-Identifier: Apache-2.0

/** Milliseconds since the confirmation from which on an entry is stale, and from which on useless. */
export const NEIGHBOUR_STALE_MS = 60_000;
export const NEIGHBOUR_DEAD_MS = 120_000;
/** Least milliseconds between two requests for one neighbour. */
export const ARP_INTERVAL_MS = 1_000;

/** A station on the link of an interface. */
export class Neighbour {
  readonly mac = new Uint8Array(6);
  /** Packets that wait for it. */
  held = 0;
  #confirmedMs = Number.NEGATIVE_INFINITY;
  #requestedMs = Number.NEGATIVE_INFINITY;

  /** Its MAC may be used. */
  usable(nowMs: number): boolean {
    return nowMs - this.#confirmedMs < NEIGHBOUR_DEAD_MS;
  }

  /** It may be used, but should be asked again. */
  stale(nowMs: number): boolean {
    return nowMs - this.#confirmedMs >= NEIGHBOUR_STALE_MS;
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
    if (nowMs - this.#requestedMs < ARP_INTERVAL_MS) return false;
    this.#requestedMs = nowMs;
    return true;
  }
}

/** (interface, IPv4 address) -> MAC, learned by ARP (RFC 826). The capacity is over all interfaces. */
export class NeighbourTable {
  readonly #capacity: number;
  readonly #byInterface: Map<number, Neighbour>[];
  #used = 0;

  constructor(capacity: number, interfaces: number) {
    this.#capacity = capacity;
    this.#byInterface = Array.from({ length: interfaces }, () => new Map<number, Neighbour>());
  }

  find(slot: number, address: number): Neighbour | undefined {
    return this.#byInterface[slot].get(address | 0);
  }

  /** @returns `null` where there is no room */
  add(slot: number, address: number): Neighbour | null {
    if (this.#used >= this.#capacity) return null;
    const neighbour = new Neighbour();
    this.#byInterface[slot].set(address | 0, neighbour);
    this.#used++;
    return neighbour;
  }

  /** The peer is gone; whoever comes next may have other addresses. Entries stay, unresolved. */
  forgetInterface(slot: number): void {
    for (const neighbour of this.#byInterface[slot].values()) neighbour.forget();
  }

  removeInterface(slot: number): void {
    this.#used -= this.#byInterface[slot].size;
    this.#byInterface[slot].clear();
  }
}
