// SPDX-License-Identifier: Apache-2.0
import { writeIpv4 } from '../model/address.js';
import type { AddressColumns, ProgramDelta } from './program.js';
import type { AddressRow, RouteRow } from './routes.js';

/** IANA numbers of the protocols that frontends may have. */
const PROTOCOL_NUMBERS = { TCP: 6, UDP: 17 } as const;

interface BackendRow {
  slot: number;
  address: string;
  port: number;
  weight: number;
}

/** Collects the rows of one delta and turns them into columns. */
export class DeltaBuilder {
  readonly #frontends = {
    slot: [] as number[],
    address: [] as string[],
    port: [] as number[],
    protocol: [] as number[],
    pool: [] as number[],
  };
  readonly #removedFrontends: number[] = [];
  readonly #pools = { slot: [] as number[], first: [] as number[], count: [] as number[] };
  readonly #backends: BackendRow[] = [];
  readonly #removedPools: number[] = [];
  readonly #routes: RouteRow[] = [];
  readonly #removedRoutes: RouteRow[] = [];
  #addresses: readonly AddressRow[] | null = null;

  putFrontend(row: {
    slot: number;
    address: string;
    port: number;
    protocol: keyof typeof PROTOCOL_NUMBERS;
    pool: number;
  }): void {
    this.#frontends.slot.push(row.slot);
    this.#frontends.address.push(row.address);
    this.#frontends.port.push(row.port);
    this.#frontends.protocol.push(PROTOCOL_NUMBERS[row.protocol]);
    this.#frontends.pool.push(row.pool);
  }

  removeFrontend(slot: number): void {
    this.#removedFrontends.push(slot);
  }

  putPool(slot: number, backends: readonly BackendRow[]): void {
    this.#pools.slot.push(slot);
    this.#pools.first.push(this.#backends.length);
    this.#pools.count.push(backends.length);
    for (const backend of backends) this.#backends.push(backend);
  }

  removePool(slot: number): void {
    this.#removedPools.push(slot);
  }

  putRoute(row: RouteRow): void {
    this.#routes.push(row);
  }

  removeRoute(row: RouteRow): void {
    this.#removedRoutes.push(row);
  }

  setAddresses(rows: readonly AddressRow[]): void {
    this.#addresses = rows;
  }

  /** Nothing has been put, removed or set. */
  get empty(): boolean {
    return (
      this.#frontends.slot.length === 0 &&
      this.#removedFrontends.length === 0 &&
      this.#pools.slot.length === 0 &&
      this.#removedPools.length === 0 &&
      this.#routes.length === 0 &&
      this.#removedRoutes.length === 0 &&
      this.#addresses === null
    );
  }

  build(): ProgramDelta {
    const backends = this.#backends;
    const routes = this.#routes;
    const removed = this.#removedRoutes;
    return {
      frontends: {
        slot: Uint32Array.from(this.#frontends.slot),
        address: addressColumn(this.#frontends.address),
        port: Uint16Array.from(this.#frontends.port),
        protocol: Uint8Array.from(this.#frontends.protocol),
        pool: Uint32Array.from(this.#frontends.pool),
      },
      removedFrontends: Uint32Array.from(this.#removedFrontends),
      pools: {
        slot: Uint32Array.from(this.#pools.slot),
        first: Uint32Array.from(this.#pools.first),
        count: Uint32Array.from(this.#pools.count),
      },
      backends: {
        slot: Uint32Array.from(backends, (row) => row.slot),
        address: addressColumn(backends.map((row) => row.address)),
        port: Uint16Array.from(backends, (row) => row.port),
        weight: Uint16Array.from(backends, (row) => row.weight),
      },
      removedPools: Uint32Array.from(this.#removedPools),
      routes: {
        prefix: packed(
          routes.map((row) => row.prefix),
          16,
        ),
        length: Uint8Array.from(routes, (row) => row.length),
        interface: Uint16Array.from(routes, (row) => row.interface),
        gateway: packed(
          routes.map((row) => row.gateway),
          16,
        ),
        mac: packed(
          routes.map((row) => row.mac),
          6,
        ),
      },
      removedRoutes: {
        prefix: packed(
          removed.map((row) => row.prefix),
          16,
        ),
        length: Uint8Array.from(removed, (row) => row.length),
      },
      addresses: this.#addresses === null ? null : addressColumns(this.#addresses),
    };
  }
}

function addressColumns(rows: readonly AddressRow[]): AddressColumns {
  return {
    interface: Uint16Array.from(rows, (row) => row.interface),
    address: packed(
      rows.map((row) => row.address),
      16,
    ),
    length: Uint8Array.from(rows, (row) => row.length),
  };
}

/** The texts come from a checked model: each is an IPv4 address. */
function addressColumn(texts: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(texts.length * 16);
  texts.forEach((text, index) => {
    writeIpv4(text, bytes, index * 16);
  });
  return bytes;
}

function packed(rows: readonly Uint8Array[], width: number): Uint8Array {
  const bytes = new Uint8Array(rows.length * width);
  rows.forEach((row, index) => {
    bytes.set(row, index * width);
  });
  return bytes;
}
