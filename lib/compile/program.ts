// SPDX-License-Identifier: Apache-2.0
import type { InterfaceKind } from '../model/model.js';

/**
 * The program: what the compiler hands to an engine. Flat columns, no names, no strings. Both
 * engines execute the same program; the native engine's twin of this layout is
 * `native/config/program.h`, and a test holds the two column lists together.
 *
 * Conventions: addresses are 16 bytes each, in network order, IPv4 as `::ffff:a.b.c.d`; a prefix
 * length is in bits of its own family (0..32 for IPv4); a *slot* is a small stable index that the
 * compiler hands out and may reuse after removal; columns of one table have equal row counts.
 */

/**
 * One change of the program. Applied whole or not at all. Removals happen before insertions, and
 * removing what is not there is no fault: an interface that goes takes its routes with it.
 */
export interface ProgramDelta {
  /** New or changed frontends, by slot. */
  frontends: FrontendColumns;
  /** Slots of frontends to remove. */
  removedFrontends: Uint32Array;
  /** New or changed pools. A pool is put whole: its backend rows replace the previous ones. */
  pools: PoolColumns;
  /** Rows that `pools` refer to by `first` and `count`. */
  backends: BackendColumns;
  /** Slots of pools to remove. No frontend may be left that names one. */
  removedPools: Uint32Array;
  /** New or changed routes, keyed by prefix and length. */
  routes: RouteColumns;
  /** Routes to remove. */
  removedRoutes: PrefixColumns;
  /** All addresses of all interfaces (replaces the previous table), or `null`: unchanged. */
  addresses: AddressColumns | null;
}

export interface FrontendColumns {
  slot: Uint32Array;
  /** 16 bytes a row. */
  address: Uint8Array;
  port: Uint16Array;
  /** IANA protocol number: 6 TCP, 17 UDP. */
  protocol: Uint8Array;
  /** Slot of the pool that serves it. */
  pool: Uint32Array;
}

export interface PoolColumns {
  slot: Uint32Array;
  /** First row in `backends`. */
  first: Uint32Array;
  /** Number of rows in `backends`; 0 is a pool without backends. */
  count: Uint32Array;
}

export interface BackendColumns {
  /** Stable while (pool, address, port) exists; offset of the backend's counters. */
  slot: Uint32Array;
  /** 16 bytes a row. */
  address: Uint8Array;
  port: Uint16Array;
  /** Share of new flows relative to the others; 0 drains: no new flows, existing ones stay. */
  weight: Uint16Array;
}

export interface RouteColumns extends PrefixColumns {
  /** Slot of the egress interface. */
  interface: Uint16Array;
  /** 16 bytes a row: next hop; all zero: the destination itself is on the link. */
  gateway: Uint8Array;
  /** 6 bytes a row: MAC of the next hop; all zero: resolve by ARP. */
  mac: Uint8Array;
}

export interface PrefixColumns {
  /** 16 bytes a row, host bits zero. */
  prefix: Uint8Array;
  length: Uint8Array;
}

export interface AddressColumns {
  interface: Uint16Array;
  /** 16 bytes a row. */
  address: Uint8Array;
  length: Uint8Array;
}

/** Table and column names in order, as `describe()` of the addon gives them: `table.column`. */
export const PROGRAM_COLUMNS = [
  'frontends.slot',
  'frontends.address',
  'frontends.port',
  'frontends.protocol',
  'frontends.pool',
  'removedFrontends',
  'pools.slot',
  'pools.first',
  'pools.count',
  'backends.slot',
  'backends.address',
  'backends.port',
  'backends.weight',
  'removedPools',
  'routes.prefix',
  'routes.length',
  'routes.interface',
  'routes.gateway',
  'routes.mac',
  'removedRoutes.prefix',
  'removedRoutes.length',
  'addresses.interface',
  'addresses.address',
  'addresses.length',
] as const;

/** A delta that changes nothing. */
export function emptyDelta(): ProgramDelta {
  const none8 = new Uint8Array(0);
  const none16 = new Uint16Array(0);
  const none32 = new Uint32Array(0);
  return {
    frontends: { slot: none32, address: none8, port: none16, protocol: none8, pool: none32 },
    removedFrontends: none32,
    pools: { slot: none32, first: none32, count: none32 },
    backends: { slot: none32, address: none8, port: none16, weight: none16 },
    removedPools: none32,
    routes: { prefix: none8, length: none8, interface: none16, gateway: none8, mac: none8 },
    removedRoutes: { prefix: none8, length: none8 },
    addresses: null,
  };
}

/** What an engine needs to make an interface: the spec, resolved to a slot and a MAC. */
export interface InterfaceRequest {
  /** Index that the program names this interface by. Below `EngineOptions.interfaces`. */
  slot: number;
  kind: InterfaceKind;
  name: string;
  /** Our own MAC on this interface, 6 bytes. `null`: the device's own (`af_packet`), else random. */
  mac: Uint8Array | null;
  /** Largest IP packet, in bytes. */
  mtu: number;
  /** Worker that polls it; `null`: the least loaded. */
  worker: number | null;
  /** What is particular to the kind: `socket`, `role`, `id`, `netns`, `device`, `rx`, `tx`, ... */
  parameters: Readonly<Record<string, string>>;
}
