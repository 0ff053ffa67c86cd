// SPDX-License-Identifier: Apache-2.0
import type { Network } from '../base/address.js';
import { AddressMap } from './address-map.js';

/** The backends that new connections may go to. Immutable once it is made. */
export interface Pool {
  slot: number;
  /** Slots of backends, by row. */
  members: Uint32Array;
  /** Slots of the members of weight > 0. */
  eligible: ReadonlySet<number>;
  /** Rows of `members`, see `buildMaglev`; empty: nobody may serve. */
  maglev: Uint16Array | Uint32Array;
  /** Where nobody may serve, the sender is not told. */
  silent: boolean;
}

/** What is served: an address, a port and a protocol, by a pool for each scope. */
export interface Frontend {
  slot: number;
  address: Int32Array;
  port: number;
  protocol: number;
  /** It is of kind `cluster`: the whole address is the service's. */
  isCluster: boolean;
  /** Number of the service port. */
  service: number;
  /** Slots of pools, by `SCOPE`. */
  pools: readonly [pod: number, node: number, outside: number];
  /** Bits by `SCOPE`. */
  masquerade: number;
  /** Seconds; 0: none. */
  affinity: number;
  /** Sources that may come in; empty: all. */
  ranges: readonly Network[];
}

/** The number under which a frontend is unique, besides its address. */
function keyOf(port: number, protocol: number): number {
  return (port << 8) | protocol;
}

/** Exact match of (address, port, protocol): one look-up, however many services there are. */
export class ServiceTable {
  readonly #bySlot = new Map<number, Frontend>();
  readonly #byKey = new AddressMap<Frontend>();
  // How many frontends of kind `cluster` have the address.
  readonly #clusterAddresses = new AddressMap<number>();
  // How often frontends name a pool.
  readonly #poolUses = new Map<number, number>();

  get size(): number {
    return this.#bySlot.size;
  }

  /** @param at - where the address begins in `words` */
  find(words: Int32Array, at: number, port: number, protocol: number): Frontend | undefined {
    return this.#byKey.get(words, at, keyOf(port, protocol));
  }

  /** Whether some frontend of kind `cluster` has this address. */
  isClusterAddress(words: Int32Array, at: number): boolean {
    return this.#clusterAddresses.get(words, at, 0) !== undefined;
  }

  at(slot: number): Frontend | undefined {
    return this.#bySlot.get(slot);
  }

  /** How often frontends name a pool, each up to three times. */
  usesOfPool(slot: number): number {
    return this.#poolUses.get(slot) ?? 0;
  }

  /** The slot is empty before. */
  put(frontend: Frontend): void {
    this.#bySlot.set(frontend.slot, frontend);
    this.#byKey.set(frontend.address, 0, keyOf(frontend.port, frontend.protocol), frontend);
    this.#count(frontend, 1);
  }

  /** Removes what the slot holds, if anything. */
  remove(slot: number): void {
    const frontend = this.#bySlot.get(slot);
    if (frontend === undefined) return;
    this.#bySlot.delete(slot);
    this.#byKey.delete(frontend.address, 0, keyOf(frontend.port, frontend.protocol));
    this.#count(frontend, -1);
  }

  #count({ address, isCluster, pools }: Frontend, difference: number): void {
    for (const pool of pools) {
      const uses = this.usesOfPool(pool) + difference;
      if (uses === 0) this.#poolUses.delete(pool);
      else this.#poolUses.set(pool, uses);
    }
    if (!isCluster) return;
    const count = (this.#clusterAddresses.get(address, 0, 0) ?? 0) + difference;
    if (count === 0) this.#clusterAddresses.delete(address, 0, 0);
    else this.#clusterAddresses.set(address, 0, 0, count);
  }
}
