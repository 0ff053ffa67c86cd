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
 * Rules that a delta must keep are in docs/program.md.
 */

/**
 * One change of the program. Applied whole or not at all. Removals happen before insertions, and
 * removing what is not there is no fault: an interface that goes takes its routes with it.
 */
export interface ProgramDelta {
  /** New or changed frontends, by slot. */
  frontends: FrontendColumns;
  /** Rows that `frontends` refer to by `rangesFirst` and `rangesCount`: source networks. */
  ranges: PrefixColumns;
  /** Slots of frontends to remove. */
  removedFrontends: Uint32Array;
  /** New or changed backends, by slot: every endpoint that may serve, chosen or not. */
  backends: BackendColumns;
  /** Slots of backends to remove. No pool may be left that has one as a member. */
  removedBackends: Uint32Array;
  /** New or changed pools. A pool is put whole: its member rows replace the previous ones. */
  pools: PoolColumns;
  /** Rows that `pools` refer to by `first` and `count`. */
  members: MemberColumns;
  /** Slots of pools to remove. No frontend may be left that names one. */
  removedPools: Uint32Array;
  /** New or changed routes, keyed by prefix and length. */
  routes: RouteColumns;
  /** Routes to remove. */
  removedRoutes: PrefixColumns;
  /** All of our own addresses (replaces the previous table), or `null`: unchanged. */
  addresses: AddressColumns | null;
  /** Scopes of interfaces (replaces; who is not named is outside), or `null`: unchanged. */
  scopes: ScopeColumns | null;
  /** Networks whose sources are pods of this node (replaces), or `null`: unchanged. */
  podNetworks: PrefixColumns | null;
  /** Networks that service addresses come from (replaces), or `null`: unchanged. */
  serviceNetworks: PrefixColumns | null;
}

/** What kind of address a frontend has; of a cluster address every port is the service's. */
export const FRONTEND_KIND = { cluster: 0, external: 1, nodePort: 2 } as const;

/** Where a packet's source is; `masquerade` of a frontend has bit `1 << scope`. */
export const SCOPE = { pod: 0, node: 1, outside: 2 } as const;

/** Scope of an interface in {@link ScopeColumns}. */
export const INTERFACE_SCOPE = { outside: 0, pod: 1, host: 2 } as const;

/** `addresses.interface` of an address that belongs to the node and to no interface. */
export const NODE_ADDRESS = 0xffff;

export interface FrontendColumns {
  slot: Uint32Array;
  /** 16 bytes a row. */
  address: Uint8Array;
  port: Uint16Array;
  /** IANA protocol number: 6 TCP, 17 UDP, 132 SCTP; 1 and 58 (ICMP, ICMPv6) with port 0: echo. */
  protocol: Uint8Array;
  /** One of {@link FRONTEND_KIND}. */
  kind: Uint8Array;
  /** Number of the service port: what affinity is kept by. Below 2^20. */
  service: Uint32Array;
  /** Slots of the pools that serve sources of each {@link SCOPE}. */
  podPool: Uint32Array;
  nodePool: Uint32Array;
  outsidePool: Uint32Array;
  /** Bits by {@link SCOPE}: the source is rewritten to an address of ours. */
  masquerade: Uint8Array;
  /** Seconds that a client keeps its backend; 0: no affinity. */
  affinity: Uint32Array;
  /** First row in `ranges`. */
  rangesFirst: Uint32Array;
  /** Number of rows in `ranges`; 0: open to everybody. */
  rangesCount: Uint32Array;
}

export interface BackendColumns {
  /** Stable while (service, address, port) exists; offset of the backend's counters. */
  slot: Uint32Array;
  /** 16 bytes a row. */
  address: Uint8Array;
  /** 0 for echo. */
  port: Uint16Array;
  /** Number of the service port that it belongs to. */
  service: Uint32Array;
  /** 1: connections to it are cut. */
  flushed: Uint8Array;
}

export interface PoolColumns {
  slot: Uint32Array;
  /** First row in `members`. */
  first: Uint32Array;
  /** Number of rows in `members`; 0 is a pool without members. */
  count: Uint32Array;
  /** Without a member of weight > 0: 0 rejects new connections, 1 drops them silently. */
  silent: Uint8Array;
}

export interface MemberColumns {
  /** Slot of the backend. Once per pool. */
  backend: Uint32Array;
  /** Share of new flows relative to the others; 0: none. */
  weight: Uint16Array;
}

export interface RouteColumns extends PrefixColumns {
  /** Slot of the egress interface. */
  interface: Uint16Array;
  /** 16 bytes a row, of the prefix's family: next hop; all zero: the destination is on the link. */
  gateway: Uint8Array;
  /** 6 bytes a row: MAC of the next hop; all zero: resolve by ARP or neighbour discovery. */
  mac: Uint8Array;
}

export interface PrefixColumns {
  /** 16 bytes a row, host bits zero. */
  prefix: Uint8Array;
  /** 0 to 32 where the prefix is IPv4 mapped, else 0 to 128. */
  length: Uint8Array;
}

export interface AddressColumns {
  /** Slot of the interface, or {@link NODE_ADDRESS}. */
  interface: Uint16Array;
  /** 16 bytes a row. */
  address: Uint8Array;
  length: Uint8Array;
}

export interface ScopeColumns {
  interface: Uint16Array;
  /** One of {@link INTERFACE_SCOPE}. */
  scope: Uint8Array;
}

/** Table and column names in order, as `describe()` of the addon gives them: `table.column`. */
export const PROGRAM_COLUMNS = [
  'frontends.slot',
  'frontends.address',
  'frontends.port',
  'frontends.protocol',
  'frontends.kind',
  'frontends.service',
  'frontends.podPool',
  'frontends.nodePool',
  'frontends.outsidePool',
  'frontends.masquerade',
  'frontends.affinity',
  'frontends.rangesFirst',
  'frontends.rangesCount',
  'ranges.prefix',
  'ranges.length',
  'removedFrontends',
  'backends.slot',
  'backends.address',
  'backends.port',
  'backends.service',
  'backends.flushed',
  'removedBackends',
  'pools.slot',
  'pools.first',
  'pools.count',
  'pools.silent',
  'members.backend',
  'members.weight',
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
  'scopes.interface',
  'scopes.scope',
  'podNetworks.prefix',
  'podNetworks.length',
  'serviceNetworks.prefix',
  'serviceNetworks.length',
] as const;

/** A delta that changes nothing. */
export function emptyDelta(): ProgramDelta {
  const none8 = new Uint8Array(0);
  const none16 = new Uint16Array(0);
  const none32 = new Uint32Array(0);
  return {
    frontends: {
      slot: none32,
      address: none8,
      port: none16,
      protocol: none8,
      kind: none8,
      service: none32,
      podPool: none32,
      nodePool: none32,
      outsidePool: none32,
      masquerade: none8,
      affinity: none32,
      rangesFirst: none32,
      rangesCount: none32,
    },
    ranges: { prefix: none8, length: none8 },
    removedFrontends: none32,
    backends: { slot: none32, address: none8, port: none16, service: none32, flushed: none8 },
    removedBackends: none32,
    pools: { slot: none32, first: none32, count: none32, silent: none8 },
    members: { backend: none32, weight: none16 },
    removedPools: none32,
    routes: { prefix: none8, length: none8, interface: none16, gateway: none8, mac: none8 },
    removedRoutes: { prefix: none8, length: none8 },
    addresses: null,
    scopes: null,
    podNetworks: null,
    serviceNetworks: null,
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
  /** Worker that has its first queue; `null`: the least loaded. */
  worker: number | null;
  /** Pairs of a receive and a transmit queue; each is for a worker of its own, from `worker` on. */
  queues: number;
  /** One worker receives, and spreads what it receives over all. */
  softwareRss: boolean;
  /** L4 checksums of received packets may be left to be finished by us (docs/packet-path.md). */
  unfinishedChecksums: boolean;
  /** What is particular to the kind: `socket`, `role`, `id`, `netns`, `device`, `rx`, `tx`, ... */
  parameters: Readonly<Record<string, string>>;
}
