// SPDX-License-Identifier: Apache-2.0
import type { ProgramDelta } from '../../lib/compile/program.js';
import { ipBytes, macBytes } from './packets.js';

/** A program delta in readable form. What is left out is empty. */
export interface ProgramLiteral {
  /** `10.96.0.1:80/tcp` -> slot of the pool. The slot of a frontend is its index unless given. */
  frontends?: readonly { at: string; pool: number; slot?: number }[];
  removedFrontends?: readonly number[];
  pools?: readonly { slot: number; backends: readonly BackendLiteral[] }[];
  removedPools?: readonly number[];
  /** Prefix, egress interface, and the next hop where there is one. */
  routes?: readonly { to: string; over: number; via?: string; mac?: string }[];
  /** Prefixes. */
  removedRoutes?: readonly string[];
  /** All addresses of all interfaces. Left out: unchanged. */
  addresses?: readonly { on: number; address: string }[];
}

export interface BackendLiteral {
  slot: number;
  /** `10.1.0.2:8080` */
  at: string;
  weight?: number;
}

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17 };

/** Turns a literal into columns. */
export function delta(literal: ProgramLiteral): ProgramDelta {
  const frontends = (literal.frontends ?? []).map(({ at, pool, slot }, index) => {
    const [endpoint, protocol] = at.split('/');
    return { ...endpointOf(endpoint), protocol: PROTOCOLS[protocol], pool, slot: slot ?? index };
  });
  const pools = literal.pools ?? [];
  const backends = pools.flatMap((pool) =>
    pool.backends.map(({ at, slot, weight }) => ({ ...endpointOf(at), slot, weight: weight ?? 1 })),
  );
  const routes = literal.routes ?? [];
  const prefixes = routes.map(({ to }) => prefixOf(to));
  const removed = (literal.removedRoutes ?? []).map(prefixOf);
  const counts = pools.map((pool) => pool.backends.length);
  return {
    frontends: {
      slot: Uint32Array.from(frontends, (row) => row.slot),
      address: concat(frontends.map((row) => row.address)),
      port: Uint16Array.from(frontends, (row) => row.port),
      protocol: Uint8Array.from(frontends, (row) => row.protocol),
      pool: Uint32Array.from(frontends, (row) => row.pool),
    },
    removedFrontends: Uint32Array.from(literal.removedFrontends ?? []),
    pools: {
      slot: Uint32Array.from(pools, (pool) => pool.slot),
      first: Uint32Array.from(pools, (_, i) => counts.slice(0, i).reduce((a, b) => a + b, 0)),
      count: Uint32Array.from(counts),
    },
    backends: {
      slot: Uint32Array.from(backends, (row) => row.slot),
      address: concat(backends.map((row) => row.address)),
      port: Uint16Array.from(backends, (row) => row.port),
      weight: Uint16Array.from(backends, (row) => row.weight),
    },
    removedPools: Uint32Array.from(literal.removedPools ?? []),
    routes: {
      prefix: concat(prefixes.map((prefix) => prefix.address)),
      length: Uint8Array.from(prefixes, (prefix) => prefix.length),
      interface: Uint16Array.from(routes, (route) => route.over),
      gateway: concat(
        routes.map(({ via }) => (via === undefined ? new Uint8Array(16) : mapped(via))),
      ),
      mac: concat(routes.map(({ mac }) => (mac === undefined ? new Uint8Array(6) : macBytes(mac)))),
    },
    removedRoutes: {
      prefix: concat(removed.map((prefix) => prefix.address)),
      length: Uint8Array.from(removed, (prefix) => prefix.length),
    },
    addresses: literal.addresses === undefined ? null : addressColumns(literal.addresses),
  };
}

/** `::ffff:a.b.c.d`, 16 bytes. */
export function mapped(address: string): Uint8Array {
  return Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...ipBytes(address)]);
}

function addressColumns(rows: readonly { on: number; address: string }[]) {
  const prefixes = rows.map(({ address }) => prefixOf(address));
  return {
    interface: Uint16Array.from(rows, (row) => row.on),
    address: concat(prefixes.map((prefix) => prefix.address)),
    length: Uint8Array.from(prefixes, (prefix) => prefix.length),
  };
}

function endpointOf(text: string): { address: Uint8Array; port: number } {
  const [address, port] = text.split(':');
  return { address: mapped(address), port: Number(port) };
}

function prefixOf(text: string): { address: Uint8Array; length: number } {
  const [address, length] = text.split('/');
  return { address: mapped(address), length: Number(length) };
}

function concat(rows: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(rows));
}
