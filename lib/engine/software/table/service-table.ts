// SPDX-License-Identifier: Apache-2.0
import { PROTOCOL } from '../packet/headers.js';

/** A backend of a pool. */
export interface PoolBackend {
  slot: number;
  address: number;
  port: number;
}

/** The backends of one or more frontends. Immutable once it is made. */
export interface Pool {
  slot: number;
  backends: readonly PoolBackend[];
  /** Rows of `backends`, see `buildMaglev`; empty: nobody may serve. */
  maglev: Uint16Array | Uint32Array;
}

/** What is served: an address, a port and a protocol, by a pool. */
export interface Frontend {
  slot: number;
  address: number;
  port: number;
  protocol: number;
  /** Slot of the pool. */
  pool: number;
}

/**
 * Exact match of (address, port, protocol). Constant in the number of services: one look-up of a key
 * that packs the three into 49 bits.
 */
export class ServiceTable {
  readonly #bySlot = new Map<number, Frontend>();
  readonly #byKey = new Map<number, Frontend>();
  readonly #byAddress = new Map<number, number>();

  /** The key under which a frontend is unique. */
  static key(address: number, port: number, protocol: number): number {
    return (address * 0x10000 + port) * 2 + (protocol === PROTOCOL.udp ? 1 : 0);
  }

  /** The frontend of a packet. Only TCP and UDP have any. */
  find(address: number, port: number, protocol: number): Frontend | undefined {
    return this.#byKey.get(ServiceTable.key(address, port, protocol));
  }

  /** Whether some frontend has this address. */
  hasAddress(address: number): boolean {
    return this.#byAddress.has(address | 0);
  }

  frontends(): IterableIterator<Frontend> {
    return this.#bySlot.values();
  }

  put(frontend: Frontend): void {
    this.#bySlot.set(frontend.slot, frontend);
    this.#byKey.set(ServiceTable.key(frontend.address, frontend.port, frontend.protocol), frontend);
    const address = frontend.address | 0;
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
  }

  /** Removes what the slot holds, if anything. */
  remove(slot: number): void {
    const frontend = this.#bySlot.get(slot);
    if (frontend === undefined) return;
    this.#bySlot.delete(slot);
    this.#byKey.delete(ServiceTable.key(frontend.address, frontend.port, frontend.protocol));
    const address = frontend.address | 0;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }
}
