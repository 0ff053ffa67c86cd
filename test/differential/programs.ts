// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import type { ProgramDelta } from '../../lib/compile/program.js';
import {
  type BackendLiteral,
  delta,
  type FrontendLiteral,
  type HopLiteral,
  type PoolLiteral,
  type ProgramLiteral,
} from '../support/program.js';
import { policyChange, startPolicy } from './policies.js';
import { tunnelRoutes } from './tunnels.js';
import {
  at,
  BACKEND_PORTS,
  INTERFACES,
  mostly,
  NODE_PORT,
  PEER_MACS,
  pick,
  SERVICE_PORTS,
  WORLDS,
} from './world.js';

/** Slots 0 to 9 hold backends of IPv4, 10 to 19 of IPv6; pools 0 to 3 and 4 to 7 likewise. */
const BACKENDS_EACH = 10;
const POOLS_EACH = 4;

/** Slots 0 and 1 hold groups of IPv4, 2 and 3 of IPv6. */
const GROUPS_EACH = 2;

/** Every destination that there may be, by slot. */
const DESTINATIONS: readonly Pick<FrontendLiteral, 'at' | 'kind' | 'slot'>[] = WORLDS.flatMap(
  (world) => {
    const { services, external, own } = world;
    const ports = (
      address: string,
      numbers: readonly number[],
      kind: FrontendLiteral['kind'] & {},
    ) =>
      numbers.flatMap((port) =>
        ['tcp', 'udp', 'sctp'].map((protocol) => ({
          at: `${at(world, address, port)}/${protocol}`,
          kind,
        })),
      );
    return [
      ...services.flatMap((address) => ports(address, SERVICE_PORTS, 'cluster')),
      ...ports(external, [SERVICE_PORTS[0]], 'external'),
      ...ports(own[0], [NODE_PORT], 'nodePort'),
      ...ports(own[1], [NODE_PORT], 'nodePort'),
      { at: `${at(world, services[0])}/ping`, kind: 'cluster' as const },
    ];
  },
).map((destination, slot) => ({ ...destination, slot }));

const isV6 = ({ at }: Pick<FrontendLiteral, 'at'>) => at.startsWith('[');
const poolOf = (family: 4 | 6) =>
  fc.nat(POOLS_EACH - 1).map((n) => n + (family === 4 ? 0 : POOLS_EACH));

/** Now and then of the wrong family. */
const poolFor = (destination: Pick<FrontendLiteral, 'at'>) => {
  const family = isV6(destination) ? 6 : 4;
  return mostly(30, poolOf(family), poolOf(family === 6 ? 4 : 6));
};

const masquerade = pick('', '', 'outside', 'node,outside', 'pod,node,outside');
const ranges = mostly<readonly string[]>(
  16,
  fc.constant([]),
  pick(
    ['10.0.0.0/24', 'fd00::/64'],
    ['10.0.0.2/32', 'fd00::2/128', '192.0.2.0/24'],
    ['192.0.2.0/24', 'fd00::/64'],
  ),
);

function frontendAt(destination: (typeof DESTINATIONS)[number]): fc.Arbitrary<FrontendLiteral> {
  const pool = poolFor(destination);
  return fc
    .record({
      pools: fc.record({ pod: pool, node: pool, outside: pool }),
      masquerade,
      affinity: pick(0, 5, 1_000),
      service: fc.nat(3),
      ranges,
    })
    .map((rest) => ({ ...destination, ...rest }));
}

function backendAt(slot: number): fc.Arbitrary<BackendLiteral> {
  const world = WORLDS[slot < BACKENDS_EACH ? 0 : 1];
  return fc
    .record({
      address: mostly(10, pick(...world.backends), pick(...world.clients)),
      port: mostly(4, pick(...BACKEND_PORTS), fc.constant(NODE_PORT)),
      service: fc.nat(1),
      flushed: mostly(8, fc.constant(false), fc.constant(true)),
      // Of either family, whatever its next hops are.
      group: mostly<{ group?: number }>(
        4,
        fc.constant({}),
        fc.record({ group: fc.nat(2 * GROUPS_EACH - 1) }),
      ),
    })
    .map(({ address, port, group, ...rest }) => ({
      slot,
      at: at(world, address, port),
      ...rest,
      ...group,
    }));
}

function poolAt(slot: number): fc.Arbitrary<PoolLiteral> {
  const first = slot < POOLS_EACH ? 0 : BACKENDS_EACH;
  const own = Array.from({ length: BACKENDS_EACH }, (_, n) => first + n);
  const weight = mostly(6, pick(1, 1, 1, 3), fc.constant(0));
  return fc
    .record({
      slots: mostly<number[]>(
        10,
        fc.subarray(own, { minLength: 1, maxLength: 4 }),
        fc.constant([]),
      ),
      weights: fc.tuple(weight, weight, weight, weight),
      silent: fc.boolean(),
    })
    .map(({ slots, weights, silent }) => ({
      slot,
      silent,
      members: slots.map((backend, n) => ({ backend, weight: weights[n] })),
    }));
}

const anyBackend = fc.nat(2 * BACKENDS_EACH - 1);
const anyPool = fc.nat(2 * POOLS_EACH - 1);

const ADDRESSES = WORLDS.flatMap(({ own }) =>
  own.map((address, on) => ({
    on,
    address: `${address}/${address.includes(':') ? 64 : on === 2 ? 30 : 24}`,
  })),
);

const ROUTES = WORLDS.flatMap(({ networks, gateway, own }) => [
  ...networks.connected.map((to, over) => ({ to, over })),
  { to: networks.behindGateway, over: 2, via: gateway },
  // What this node's kernel is asked by, where no interface leads to it.
  { to: `${own[2]}/${own[2].includes(':') ? 128 : 32}`, over: INTERFACES[3], mac: PEER_MACS[3] },
]);

/** For backends that packets go to as they came; of no family. */
const GROUPS: ProgramLiteral['groups'] = Array.from({ length: 2 * GROUPS_EACH }, (_, slot) => ({
  slot,
  hops: slot % 2 === 0 ? [{ over: 1, mac: PEER_MACS[1] }] : [{ over: 2 }, { over: 1, key: 1 }],
}));

/** What goes with an interface that is removed. */
export const restoration: ProgramDelta = delta({
  addresses: ADDRESSES,
  groups: GROUPS,
  routes: ROUTES,
  scopes: [
    { on: 1, scope: 'pod' },
    { on: 3, scope: 'host' },
  ],
});

const addresses: fc.Arbitrary<NonNullable<ProgramLiteral['addresses']>> = mostly(
  2,
  fc.constant(ADDRESSES),
  pick<NonNullable<ProgramLiteral['addresses']>>(
    ADDRESSES.filter(({ on }) => on !== 1),
    [
      { on: 1, address: 'fe80::7/64' },
      ...ADDRESSES.filter(({ on }) => on === 0),
      { on: 'node', address: '10.5.0.1/32' },
      { on: 'node', address: 'fd05::1/128' },
    ],
    [...ADDRESSES, { on: 1, address: '10.2.0.1/16' }, { on: 1, address: 'fd02::1/64' }],
  ),
);

const scope = pick<'outside' | 'pod' | 'host'>('outside', 'pod', 'host');
const scopes: fc.Arbitrary<NonNullable<ProgramLiteral['scopes']>> = fc
  .tuple(scope, scope)
  .map(([one, three]) => [
    { on: 1, scope: one },
    { on: 3, scope: three },
  ]);

const routes = fc.uniqueArray(
  fc.oneof(
    ...WORLDS.map((world) => {
      const { networks, gateway } = world;
      return pick<NonNullable<ProgramLiteral['routes']>[number]>(
        ...tunnelRoutes(world),
        { to: networks.behindGateway, over: 2, via: gateway },
        { to: networks.host, over: 1, mac: PEER_MACS[1] },
        { to: networks.everything, over: 2, via: gateway },
        { to: networks.other, over: 2, via: gateway },
        { to: networks.behindGateway, over: 7, via: gateway }, // no such interface: to be refused
      );
    }),
  ),
  { maxLength: 2, selector: ({ to }) => to },
);

/** Several next hops, and a route by them; now and then of the other family, or one that goes. */
const group = fc.nat(WORLDS.length - 1).chain((family) => {
  const { gateway, backends, clients, networks } = WORLDS[family];
  const hop = pick<HopLiteral>(
    { over: 2, via: gateway },
    { over: 1, via: backends[0] },
    { over: 1, via: backends[1], mac: PEER_MACS[1] },
    { over: 0, via: clients[0] },
    { over: 1, mac: PEER_MACS[1] },
    { over: 3, mac: PEER_MACS[3] },
  );
  const hops = fc.array(
    fc
      .tuple(hop, pick(1, 2, 3, 0xdeadbeef), pick(1, 1, 2))
      .map(([each, key, weight]) => ({ ...each, key, weight })),
    { minLength: 1, maxLength: 4 },
  );
  const slot = mostly(
    12,
    fc.nat(GROUPS_EACH - 1).map((n) => family * GROUPS_EACH + n),
    fc.nat(2 * GROUPS_EACH - 1),
  );
  const to = pick(
    networks.behindGateway,
    networks.host,
    networks.everything,
    networks.other,
    ...networks.connected,
  );
  return fc.tuple(slot, hops, to, mostly(6, fc.constant<number[]>([]), fc.tuple(fc.nat(3)))).map(
    ([number, rows, prefix, removedGroups]): ProgramLiteral => ({
      groups: [{ slot: number, hops: rows }],
      routes: [{ to: prefix, group: number }],
      removedGroups,
    }),
  );
});

const removedRoutes = fc.array(
  fc.oneof(
    ...WORLDS.map(({ networks }) =>
      pick(networks.behindGateway, networks.host, networks.everything, networks.other),
    ),
  ),
  { maxLength: 1 },
);

const networks = (name: 'pods' | 'services') =>
  fc.subarray(WORLDS.map((world) => world.networks[name]));

/** A change of the program; now and then one that must be refused. */
const change: fc.Arbitrary<ProgramLiteral> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      frontends: fc.array(pick(...DESTINATIONS).chain(frontendAt), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      backends: fc.array(anyBackend.chain(backendAt), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      pools: fc.array(anyPool.chain(poolAt), { minLength: 1, maxLength: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      removedFrontends: fc.array(fc.nat(DESTINATIONS.length), { maxLength: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      removedBackends: fc.array(anyBackend, { maxLength: 2 }),
      removedPools: fc.array(anyPool, { maxLength: 1 }),
    }),
  },
  // A backend leaves all pools and the table: what becomes of its connections?
  {
    weight: 3,
    arbitrary: fc.tuple(fc.nat(1), fc.nat(BACKENDS_EACH - 1)).map(([family, slot]) => ({
      removedBackends: [family * BACKENDS_EACH + slot],
      pools: Array.from({ length: POOLS_EACH }, (_, n) => ({
        slot: family * POOLS_EACH + n,
        members: Array.from({ length: BACKENDS_EACH - 1 }, (_, b) => b + (b < slot ? 0 : 1))
          .filter((b) => (b + n) % 3 !== 0)
          .map((b) => ({ backend: family * BACKENDS_EACH + b })),
      })),
    })),
  },
  { weight: 1, arbitrary: fc.record({ addresses }) },
  { weight: 1, arbitrary: fc.record({ scopes }) },
  {
    weight: 1,
    arbitrary: fc.record({ podNetworks: networks('pods'), serviceNetworks: networks('services') }),
  },
  { weight: 3, arbitrary: fc.record({ routes, removedRoutes }) },
  { weight: 5, arbitrary: policyChange },
  { weight: 3, arbitrary: group },
);

export const anyChange: fc.Arbitrary<ProgramDelta> = change.map((literal) => delta(literal));

/** The program that every run starts from: addresses, connected routes, all services on random pools. */
export const start: fc.Arbitrary<ProgramDelta> = fc
  .record({
    backends: fc.tuple(...Array.from({ length: 2 * BACKENDS_EACH }, (_, slot) => backendAt(slot))),
    pools: fc.tuple(...Array.from({ length: 2 * POOLS_EACH }, (_, slot) => poolAt(slot))),
    frontends: fc.tuple(...DESTINATIONS.map((destination) => frontendAt(destination))),
    scopes: mostly<NonNullable<ProgramLiteral['scopes']>>(
      3,
      fc.constant([
        { on: 1, scope: 'pod' as const },
        { on: 3, scope: 'host' as const },
      ]),
      scopes,
    ),
    serviceNetworks: networks('services'),
    policy: startPolicy,
    tunnelled: fc.uniqueArray(pick(...WORLDS.flatMap((world) => tunnelRoutes(world))), {
      maxLength: 2,
      selector: ({ to }) => to,
    }),
  })
  .map(({ policy, tunnelled, ...literal }) =>
    delta({
      ...literal,
      ...policy,
      addresses: ADDRESSES,
      groups: GROUPS,
      routes: [
        ...ROUTES.filter((route) => !tunnelled.some(({ to }) => to === route.to)),
        ...tunnelled,
      ],
    }),
  );
