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
  /** New or changed groups of next hops. A group is put whole: its rows replace the previous ones. */
  groups: GroupColumns;
  /** Rows that `groups` refer to by `first` and `count`. */
  nextHops: NextHopColumns;
  /** Slots of groups to remove. No route may be left that names one. */
  removedGroups: Uint32Array;
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
  /** Who may send by an interface (replaces; who is not named takes any source), or `null`: unchanged. */
  sources: SourceColumns | null;
  /** New or changed rule sets. A set is put whole: its rows replace the previous ones. */
  ruleSets: RuleSetColumns;
  /** Rows that `ruleSets` refer to by `first` and `count`, in the order in which they are asked. */
  rules: RuleColumns;
  /** Slots of rule sets to remove. No identity may be left that names one. */
  removedRuleSets: Uint32Array;
  /** New or changed identities. An identity is put whole: its rows replace the previous ones. */
  identities: IdentityColumns;
  /** Rows that `identities` refer to by `first` and `count`. */
  memberships: MembershipColumns;
  /** Slots of identities to remove. No network may be left that names one. */
  removedIdentities: Uint32Array;
  /** New or changed networks, pods as networks of one address: whose identity addresses have. */
  identityNetworks: IdentityNetworkColumns;
  /** Those to remove. */
  removedIdentityNetworks: PrefixColumns;
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

/** `backends.group`: the backend is what packets are addressed to. */
export const NO_GROUP = 0xffffffff;

export interface BackendColumns {
  /** Stable while (service, address, port) exists; offset of the backend's counters. */
  slot: Uint32Array;
  /** 16 bytes a row. */
  address: Uint8Array;
  /** 0 for echo; of a backend with a group it is only a part of what it is known by. */
  port: Uint16Array;
  /** Number of the service port that it belongs to. */
  service: Uint32Array;
  /** 1: connections to it are cut. */
  flushed: Uint8Array;
  /**
   * Slot of the group of next hops by which packets go to it as they came (direct server return), or
   * {@link NO_GROUP}: they are addressed to it.
   */
  group: Uint32Array;
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

/** Of equal worth to a route: each flow goes by one of them (ECMP). */
export interface GroupColumns {
  slot: Uint32Array;
  /** First row in `nextHops`. */
  first: Uint32Array;
  /** Number of rows in `nextHops`, 1 to {@link MAX_GROUP}. */
  count: Uint32Array;
}

/** Next hops that a group may have. */
export const MAX_GROUP = 64;

export interface NextHopColumns {
  /** Slot of the egress interface. */
  interface: Uint16Array;
  /** 16 bytes a row: next hop; all zero: the destination is on the link. */
  gateway: Uint8Array;
  /** 6 bytes a row: MAC of the next hop; all zero: resolve by ARP or neighbour discovery. */
  mac: Uint8Array;
  /** What stands for the next hop in the choice: the same for the same next hop, whatever its group. */
  key: Uint32Array;
  /** Share of flows relative to the others of the group, 1 to 255. */
  weight: Uint8Array;
}

export interface RouteColumns extends PrefixColumns {
  /** Slot of the group of next hops; their gateways are of the prefix's family. */
  group: Uint32Array;
}

/** Sources that an interface may send with; of an interface with none any source may come. */
export interface SourceColumns extends PrefixColumns {
  interface: Uint16Array;
}

/** `ingress` and `egress` of an identity: everything may pass. */
export const NO_RULES = 0xffffffff;

/** `ingress` and `egress` of an identity: nothing may pass, because its rules are not known yet. */
export const PENDING_RULES = 0xfffffffe;

/** `rules.selector`: whoever the peer is. */
export const ANY_PEER = 0xffffffff;

/** Of a rule; `pass` goes on with the next tier. */
export const ACTION = { deny: 0, accept: 1, pass: 2 } as const;

/** Of a rule, in the order in which they are asked; `network` is not asked about a pod and itself. */
export const TIER = { admin: 0, network: 1, baseline: 2 } as const;

export interface RuleSetColumns {
  slot: Uint32Array;
  /** First row in `rules`. */
  first: Uint32Array;
  /** Number of rows in `rules`. What no rule is for may pass. */
  count: Uint32Array;
}

export interface RuleColumns {
  /** Number of the selector that the peer must be a member of, or {@link ANY_PEER}. */
  selector: Uint32Array;
  /** IANA protocol number; 0: any, ports or none. */
  protocol: Uint8Array;
  /** Ports of the destination, both inclusive. */
  portFirst: Uint16Array;
  portLast: Uint16Array;
  /** One of {@link ACTION}. */
  action: Uint8Array;
  /** One of {@link TIER}; never falls within a set. */
  tier: Uint8Array;
  /** The compiler's number of the rule: what `explain` names. */
  rule: Uint32Array;
}

/** Addresses that no rule tells apart have one identity: what may reach them, and which selectors hold them. */
export interface IdentityColumns {
  slot: Uint32Array;
  /** Slots of the rule sets of what goes to it and comes from it, {@link NO_RULES} or {@link PENDING_RULES}. */
  ingress: Uint32Array;
  egress: Uint32Array;
  /** First row in `memberships`. */
  first: Uint32Array;
  /** Number of rows in `memberships`; may be 0. */
  count: Uint32Array;
}

export interface MembershipColumns {
  /** Number of a selector; ascending within an identity. */
  selector: Uint32Array;
}

/** The longest prefix that holds an address tells its identity. */
export interface IdentityNetworkColumns extends PrefixColumns {
  identity: Uint32Array;
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
  'backends.group',
  'removedBackends',
  'pools.slot',
  'pools.first',
  'pools.count',
  'pools.silent',
  'members.backend',
  'members.weight',
  'removedPools',
  'groups.slot',
  'groups.first',
  'groups.count',
  'nextHops.interface',
  'nextHops.gateway',
  'nextHops.mac',
  'nextHops.key',
  'nextHops.weight',
  'removedGroups',
  'routes.prefix',
  'routes.length',
  'routes.group',
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
  'sources.interface',
  'sources.prefix',
  'sources.length',
  'ruleSets.slot',
  'ruleSets.first',
  'ruleSets.count',
  'rules.selector',
  'rules.protocol',
  'rules.portFirst',
  'rules.portLast',
  'rules.action',
  'rules.tier',
  'rules.rule',
  'removedRuleSets',
  'identities.slot',
  'identities.ingress',
  'identities.egress',
  'identities.first',
  'identities.count',
  'memberships.selector',
  'removedIdentities',
  'identityNetworks.prefix',
  'identityNetworks.length',
  'identityNetworks.identity',
  'removedIdentityNetworks.prefix',
  'removedIdentityNetworks.length',
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
    backends: {
      slot: none32,
      address: none8,
      port: none16,
      service: none32,
      flushed: none8,
      group: none32,
    },
    removedBackends: none32,
    pools: { slot: none32, first: none32, count: none32, silent: none8 },
    members: { backend: none32, weight: none16 },
    removedPools: none32,
    groups: { slot: none32, first: none32, count: none32 },
    nextHops: { interface: none16, gateway: none8, mac: none8, key: none32, weight: none8 },
    removedGroups: none32,
    routes: { prefix: none8, length: none8, group: none32 },
    removedRoutes: { prefix: none8, length: none8 },
    addresses: null,
    scopes: null,
    podNetworks: null,
    serviceNetworks: null,
    sources: null,
    ruleSets: { slot: none32, first: none32, count: none32 },
    rules: {
      selector: none32,
      protocol: none8,
      portFirst: none16,
      portLast: none16,
      action: none8,
      tier: none8,
      rule: none32,
    },
    removedRuleSets: none32,
    identities: { slot: none32, ingress: none32, egress: none32, first: none32, count: none32 },
    memberships: { selector: none32 },
    removedIdentities: none32,
    identityNetworks: { prefix: none8, length: none8, identity: none32 },
    removedIdentityNetworks: { prefix: none8, length: none8 },
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
