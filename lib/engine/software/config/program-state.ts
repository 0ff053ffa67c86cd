// SPDX-License-Identifier: Apache-2.0
import type { ProgramDelta } from '../../../compile/program.js';
import { buildMaglev } from '../table/maglev.js';
import { RouteTable } from '../table/routes.js';
import { type Pool, ServiceTable } from '../table/service-table.js';
import { checkDelta, type ProgramLimits } from './check-delta.js';
import { mappedAddress } from './mapped-address.js';

/** One of our own addresses. */
export interface InterfaceAddress {
  address: number;
  /** Prefix length in bits. */
  length: number;
}

const NO_POOL = -1;

/**
 * The program that the stages execute. They run on the same thread as {@link commit}, so a change
 * made in place is seen whole by the next poll, and what is checked before anything is touched makes
 * it a transaction.
 */
export class ProgramState {
  readonly services = new ServiceTable();
  readonly routes = new RouteTable();
  readonly pools = new Map<number, Pool>();
  readonly #limits: ProgramLimits;
  // Backends by slot, to tell whether a flow's backend is still the one that it was.
  readonly #backendPool: Int32Array;
  readonly #backendAddress: Uint32Array;
  readonly #backendPort: Uint16Array;
  readonly #addresses: InterfaceAddress[][];
  readonly #own = new Set<number>();
  #generation = 0;

  constructor(limits: ProgramLimits) {
    this.#limits = limits;
    this.#backendPool = new Int32Array(limits.backends).fill(NO_POOL);
    this.#backendAddress = new Uint32Array(limits.backends);
    this.#backendPort = new Uint16Array(limits.backends);
    this.#addresses = Array.from({ length: limits.interfaces }, () => []);
  }

  /**
   * Applies all of a delta or nothing.
   * @returns the new generation number
   * @throws SluiceError `ERR_PROGRAM`, `ERR_CAPACITY`
   */
  commit(delta: ProgramDelta): number {
    checkDelta(delta, this, this.#limits);
    for (const slot of delta.removedFrontends) this.services.remove(slot);
    for (const slot of delta.removedPools) this.#removePool(slot);
    for (const slot of delta.pools.slot) this.#removePool(slot);
    this.#putPools(delta);
    this.#putFrontends(delta);
    this.#putRoutes(delta);
    this.#putAddresses(delta);
    return ++this.#generation;
  }

  /** The addresses of an interface, in the order of the program. */
  addressesOf(slot: number): readonly InterfaceAddress[] {
    return this.#addresses[slot];
  }

  hasAddress(slot: number, address: number): boolean {
    const addresses = this.#addresses[slot];
    for (let i = 0; i < addresses.length; i++) if (addresses[i].address === address) return true;
    return false;
  }

  /** Whether the address is ours, on whichever interface. */
  isOwn(address: number): boolean {
    return this.#own.has(address | 0);
  }

  /** Pool that a backend slot is in use by, or `null`. */
  poolOfBackend(slot: number): number | null {
    const pool = this.#backendPool[slot];
    return pool === NO_POOL ? null : pool;
  }

  /** Whether the slot still holds this very backend. */
  isAlive(slot: number, pool: number, address: number, port: number): boolean {
    return (
      this.#backendPool[slot] === pool &&
      this.#backendAddress[slot] === address &&
      this.#backendPort[slot] === port
    );
  }

  /** Takes away the addresses of an interface and the routes over it. */
  removeInterface(slot: number): void {
    this.routes.removeInterface(slot);
    this.#addresses[slot] = [];
    this.#collectOwn();
  }

  #removePool(slot: number): void {
    for (const backend of this.pools.get(slot)?.backends ?? []) {
      this.#backendPool[backend.slot] = NO_POOL;
    }
    this.pools.delete(slot);
  }

  #putPools({ pools, backends }: ProgramDelta): void {
    for (let row = 0; row < pools.slot.length; row++) {
      const rows = Array.from({ length: pools.count[row] }, (_, i) => pools.first[row] + i);
      const pool: Pool = {
        slot: pools.slot[row],
        backends: rows.map((backend) => ({
          slot: backends.slot[backend],
          address: mappedAddress(backends.address, backend),
          port: backends.port[backend],
        })),
        maglev: buildMaglev(
          rows.map((backend) => ({
            address: backends.address.subarray(backend * 16, backend * 16 + 16),
            port: backends.port[backend],
            weight: backends.weight[backend],
          })),
        ),
      };
      this.pools.set(pool.slot, pool);
      for (const backend of pool.backends) {
        this.#backendPool[backend.slot] = pool.slot;
        this.#backendAddress[backend.slot] = backend.address;
        this.#backendPort[backend.slot] = backend.port;
      }
    }
  }

  #putFrontends({ frontends }: ProgramDelta): void {
    // All of them go first: two of them may have changed places.
    for (const slot of frontends.slot) this.services.remove(slot);
    for (let row = 0; row < frontends.slot.length; row++) {
      this.services.put({
        slot: frontends.slot[row],
        address: mappedAddress(frontends.address, row),
        port: frontends.port[row],
        protocol: frontends.protocol[row],
        pool: frontends.pool[row],
      });
    }
  }

  #putRoutes({ routes, removedRoutes }: ProgramDelta): void {
    for (let row = 0; row < removedRoutes.length.length; row++) {
      this.routes.remove(mappedAddress(removedRoutes.prefix, row), removedRoutes.length[row]);
    }
    for (let row = 0; row < routes.length.length; row++) {
      const mac = routes.mac.slice(row * 6, row * 6 + 6);
      this.routes.put(mappedAddress(routes.prefix, row), routes.length[row], {
        interface: routes.interface[row],
        gateway: mappedAddress(routes.gateway, row),
        mac: mac.every((byte) => byte === 0) ? null : mac,
      });
    }
  }

  #putAddresses({ addresses }: ProgramDelta): void {
    if (addresses === null) return;
    for (let slot = 0; slot < this.#addresses.length; slot++) this.#addresses[slot] = [];
    for (let row = 0; row < addresses.length.length; row++) {
      this.#addresses[addresses.interface[row]].push({
        address: mappedAddress(addresses.address, row),
        length: addresses.length[row],
      });
    }
    this.#collectOwn();
  }

  #collectOwn(): void {
    this.#own.clear();
    for (const { address } of this.#addresses.flat()) this.#own.add(address | 0);
  }
}
