// SPDX-License-Identifier: Apache-2.0
import {
  emptyDelta,
  FRONTEND_KIND,
  INTERFACE_SCOPE,
  NO_GROUP,
  NODE_ADDRESS,
  type ProgramDelta,
  SCOPE,
} from '../../lib/compile/program.js';
import { concat, macBytes, PROTOCOL } from './packets.js';
import { type PolicyLiteral, policyTables } from './policy.js';
import { mapped, prefixColumns } from './program-columns.js';

export { mapped };

/** A program delta in readable form. What is left out is empty or, of tables that are replaced, unchanged. */
export interface ProgramLiteral extends PolicyLiteral {
  frontends?: readonly FrontendLiteral[];
  removedFrontends?: readonly number[];
  /** Besides those that pools list. */
  backends?: readonly BackendLiteral[];
  removedBackends?: readonly number[];
  pools?: readonly PoolLiteral[];
  removedPools?: readonly number[];
  groups?: readonly GroupLiteral[];
  removedGroups?: readonly number[];
  /** By a group, or by one next hop, which gets a group of its own. */
  routes?: readonly ({ to: string } & (HopLiteral | { group: number }))[];
  /** Prefixes. */
  removedRoutes?: readonly string[];
  /** All of our own addresses. `node`: of no interface. */
  addresses?: readonly { on: number | 'node'; address: string }[];
  /** Scopes of all interfaces that are not outside. */
  scopes?: readonly { on: number; scope: keyof typeof INTERFACE_SCOPE }[];
  podNetworks?: readonly string[];
  serviceNetworks?: readonly string[];
}

export interface FrontendLiteral {
  /** `10.96.0.10:80/tcp`, `[fd00::10]:80/udp`, `10.96.0.10/ping`, `[fd00::10]/ping`. */
  at: string;
  /** Default: its index. */
  slot?: number;
  /** Slot of the pool for sources of every scope. */
  pool?: number;
  pools?: Readonly<Record<Scope, number>>;
  kind?: keyof typeof FRONTEND_KIND;
  /** Default: its slot. */
  service?: number;
  /** Scopes, with commas: `node,outside`. */
  masquerade?: string;
  /** Seconds. */
  affinity?: number;
  ranges?: readonly string[];
}

export interface GroupLiteral {
  /** Below 16. */
  slot: number;
  hops: readonly HopLiteral[];
}

export interface HopLiteral {
  /** Egress interface. */
  over: number;
  /** The next hop, where there is one. */
  via?: string;
  mac?: string;
  /** Default 0. */
  key?: number;
  /** Default 1. */
  weight?: number;
}

type Scope = keyof typeof SCOPE;

export interface BackendLiteral {
  slot: number;
  /** `10.1.0.2:8080`, `[fd01::2]:8080`; without a port for echo. */
  at: string;
  /** Default 0. */
  service?: number;
  flushed?: boolean;
  /** Packets go to it as they came, by this group. */
  group?: number;
}

export interface PoolLiteral {
  slot: number;
  /** Put into the table of backends (once, where pools share them), and members. */
  backends?: readonly (BackendLiteral & { weight?: number })[];
  /** Members that the table of backends has already. */
  members?: readonly { backend: number; weight?: number }[];
  silent?: boolean;
}

const PROTOCOLS: Readonly<Record<string, number>> = PROTOCOL;

/** Turns a literal into columns. */
export function delta(literal: ProgramLiteral): ProgramDelta {
  const backends = allBackends(literal);
  const members = (literal.pools ?? []).map(membersOf);
  const pools = literal.pools ?? [];
  return {
    ...emptyDelta(),
    ...frontendTables(literal.frontends ?? []),
    removedFrontends: Uint32Array.from(literal.removedFrontends ?? []),
    backends: {
      slot: Uint32Array.from(backends, (row) => row.slot),
      address: concat(...backends.map((row) => endpointOf(row.at).address)),
      port: Uint16Array.from(backends, (row) => endpointOf(row.at).port),
      service: Uint32Array.from(backends, (row) => row.service ?? 0),
      flushed: Uint8Array.from(backends, (row) => (row.flushed ? 1 : 0)),
      group: Uint32Array.from(backends, (row) => row.group ?? NO_GROUP),
    },
    removedBackends: Uint32Array.from(literal.removedBackends ?? []),
    pools: {
      slot: Uint32Array.from(pools, (pool) => pool.slot),
      first: Uint32Array.from(pools, (_, i) => members.slice(0, i).flat().length),
      count: Uint32Array.from(members, (rows) => rows.length),
      silent: Uint8Array.from(pools, (pool) => (pool.silent ? 1 : 0)),
    },
    members: {
      backend: Uint32Array.from(members.flat(), (row) => row.backend),
      weight: Uint16Array.from(members.flat(), (row) => row.weight),
    },
    removedPools: Uint32Array.from(literal.removedPools ?? []),
    ...routeTables(literal),
    removedGroups: Uint32Array.from(literal.removedGroups ?? []),
    removedRoutes: prefixColumns(literal.removedRoutes ?? []),
    addresses: literal.addresses === undefined ? null : addressColumns(literal.addresses),
    scopes: literal.scopes === undefined ? null : scopeColumns(literal.scopes),
    podNetworks: literal.podNetworks === undefined ? null : prefixColumns(literal.podNetworks),
    serviceNetworks:
      literal.serviceNetworks === undefined ? null : prefixColumns(literal.serviceNetworks),
    ...policyTables(literal),
  };
}

/** Address and port of `10.1.0.2:8080`, `[fd01::2]:8080` or either without a port. */
export function endpointOf(text: string): { address: Uint8Array; port: number } {
  const [, v6, v4, port] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  const address = v6 ?? v4;
  if (address === undefined) throw new Error(`${text} is no endpoint`);
  return { address: mapped(address), port: Number(port ?? 0) };
}

function allBackends(literal: ProgramLiteral): BackendLiteral[] {
  const listed = [
    ...(literal.backends ?? []),
    ...(literal.pools ?? []).flatMap((pool) => pool.backends ?? []),
  ];
  const keyOf = ({ slot, at, service, flushed }: BackendLiteral) =>
    `${slot} ${at} ${service ?? 0} ${flushed ?? false}`;
  return [...new Map(listed.map((row) => [keyOf(row), row])).values()];
}

function membersOf(pool: PoolLiteral): { backend: number; weight: number }[] {
  const inline = (pool.backends ?? []).map(({ slot, weight }) => ({ backend: slot, weight }));
  return [...inline, ...(pool.members ?? [])].map(({ backend, weight }) => ({
    backend,
    weight: weight ?? 1,
  }));
}

function frontendTables(
  literals: readonly FrontendLiteral[],
): Pick<ProgramDelta, 'frontends' | 'ranges'> {
  const rows = literals.map((literal, index) => {
    const [endpoint, protocol] = literal.at.split('/');
    const { address, port } = endpointOf(endpoint);
    const ping = endpoint.startsWith('[') ? PROTOCOL.icmpv6 : PROTOCOL.icmp;
    return {
      ...literal,
      address,
      port,
      protocol: protocol === 'ping' ? ping : PROTOCOLS[protocol],
      slot: literal.slot ?? index,
      ranges: literal.ranges ?? [],
    };
  });
  const poolFor = (scope: Scope) =>
    Uint32Array.from(rows, (row) => row.pools?.[scope] ?? row.pool ?? 0);
  return {
    frontends: {
      slot: Uint32Array.from(rows, (row) => row.slot),
      address: concat(...rows.map((row) => row.address)),
      port: Uint16Array.from(rows, (row) => row.port),
      protocol: Uint8Array.from(rows, (row) => row.protocol),
      kind: Uint8Array.from(rows, (row) => FRONTEND_KIND[row.kind ?? 'cluster']),
      service: Uint32Array.from(rows, (row) => row.service ?? row.slot),
      podPool: poolFor('pod'),
      nodePool: poolFor('node'),
      outsidePool: poolFor('outside'),
      masquerade: Uint8Array.from(rows, (row) => scopeBits(row.masquerade)),
      affinity: Uint32Array.from(rows, (row) => row.affinity ?? 0),
      rangesFirst: Uint32Array.from(
        rows,
        (_, i) => rows.slice(0, i).flatMap(({ ranges }) => ranges).length,
      ),
      rangesCount: Uint32Array.from(rows, (row) => row.ranges.length),
    },
    ranges: prefixColumns(rows.flatMap((row) => row.ranges)),
  };
}

function scopeBits(words: string | undefined): number {
  const scopes = Object.entries(SCOPE).filter(([name]) => words?.split(',').includes(name));
  return scopes.reduce((bits, [, scope]) => bits | (1 << scope), 0);
}

// Of routes with a next hop of their own: the same one for the same prefix, whatever the delta.
const ownGroups = new Map<string, number>();

/** Slot of the group that a route with one next hop gets. */
export function ownGroupOf(prefix: string): number {
  const slot = ownGroups.get(prefix) ?? 16 + ownGroups.size;
  ownGroups.set(prefix, slot);
  return slot;
}

// Another one where the delta has it already.
function ownGroup(prefix: string, taken: ReadonlySet<number>): number {
  const slot = ownGroupOf(prefix);
  let free = 16 + ownGroups.size;
  if (!taken.has(slot)) return slot;
  while (taken.has(free)) free++;
  return free;
}

function routeTables({
  groups: given = [],
  routes = [],
}: ProgramLiteral): Pick<ProgramDelta, 'groups' | 'nextHops' | 'routes'> {
  const groups = [...given];
  const slots = routes.map((route) => {
    if ('group' in route) return route.group;
    const slot = ownGroup(route.to, new Set(groups.map((group) => group.slot)));
    groups.push({ slot, hops: [route] });
    return slot;
  });
  const hops = groups.flatMap((group) => group.hops);
  const orZero = (bytes: Uint8Array | undefined, length: number) => bytes ?? new Uint8Array(length);
  return {
    groups: {
      slot: Uint32Array.from(groups, ({ slot }) => slot),
      first: Uint32Array.from(groups, (_, i) => groups.slice(0, i).flatMap((g) => g.hops).length),
      count: Uint32Array.from(groups, (group) => group.hops.length),
    },
    nextHops: {
      interface: Uint16Array.from(hops, ({ over }) => over),
      gateway: concat(...hops.map(({ via }) => orZero(via === undefined ? via : mapped(via), 16))),
      mac: concat(...hops.map(({ mac }) => orZero(mac === undefined ? mac : macBytes(mac), 6))),
      key: Uint32Array.from(hops, ({ key }) => key ?? 0),
      weight: Uint8Array.from(hops, ({ weight }) => weight ?? 1),
    },
    routes: {
      ...prefixColumns(routes.map(({ to }) => to)),
      group: Uint32Array.from(slots),
    },
  };
}

function addressColumns(rows: NonNullable<ProgramLiteral['addresses']>) {
  const { prefix, length } = prefixColumns(rows.map(({ address }) => address));
  const slots = Uint16Array.from(rows, ({ on }) => (on === 'node' ? NODE_ADDRESS : on));
  return { interface: slots, address: prefix, length };
}

function scopeColumns(rows: NonNullable<ProgramLiteral['scopes']>) {
  return {
    interface: Uint16Array.from(rows, (row) => row.on),
    scope: Uint8Array.from(rows, (row) => INTERFACE_SCOPE[row.scope]),
  };
}
