// SPDX-License-Identifier: Apache-2.0
import type { SluiceError } from '../../lib/errors.js';
import { read } from '../support/packets.js';
import { delta } from '../support/program.js';
import {
  FAMILIES,
  FIRST,
  fromClient,
  NET,
  OF,
  tcp,
  tcpReply,
  udp,
  udpReply,
  V4,
  V6,
} from './net.js';
import { REFUSED } from './program-refused.js';
import { POLICY_REFUSED } from './program-refused-policy.js';
import { contract } from './rig.js';

for (const { title, path, code, before, literal, spoil } of [...REFUSED, ...POLICY_REFUSED]) {
  contract(`refused whole: ${title}`, async (rig) => {
    const { t } = rig;
    // Each of them would be seen below if the delta were applied in part.
    const columns = delta({
      ...literal,
      addresses: literal.addresses ?? [],
      sources: literal.sources ?? [{ on: 0, from: '192.0.2.0/24' }],
      removedFrontends: literal.removedFrontends ?? [1],
      removedRoutes: literal.removedRoutes ?? ['10.0.0.0/24'],
    });
    spoil?.(columns);
    const generation = await rig.commit(before ?? {});
    const error = await t.throwsAsync<SluiceError>(rig.engine.commit(columns));
    t.is(error?.name, 'SluiceError');
    t.is(error?.code, code ?? 'ERR_PROGRAM');
    t.is(error?.path, path);

    t.is(await rig.commit({}), generation + 1);
    t.is(read(rig.pass(0, 1, udp())[0]).ip?.dst, NET.pod.address);
    t.is(read(rig.pass(0, 1, tcp('S'))[0]).tcp?.dst, 8080);
    t.is(rig.pass(1, 0, udpReply()).length, 1);
    t.is(rig.counter('originated'), 0);
    t.deepEqual(rig.drops(), {});
  });
}

contract('generations count up', async (rig) => {
  const first = await rig.commit({});
  rig.t.is(await rig.commit({ removedFrontends: [0] }), first + 1);
});

contract('frontends change places in one commit', async (rig) => {
  const { t } = rig;
  await rig.commit({
    frontends: [
      { at: '10.96.0.10:53/udp', pool: 1, slot: 0 },
      { at: '10.96.0.10:80/tcp', pool: 0, slot: 1 },
    ],
  });
  t.is(rig.pass(0, 1, udp(), tcp('S')).length, 2);
  await rig.commit({ removedFrontends: [0] });
  t.is(rig.pass(0, 1, udp(2), tcp('S', 2)).length, 1);
  t.deepEqual(rig.drops(), { service_port_unknown: 1 });
});

contract('a slot that is removed and put in one delta is put', async (rig) => {
  const { t } = rig;
  await rig.commit({
    frontends: [{ at: '10.96.0.10:80/tcp', pool: 0, slot: 0 }],
    removedFrontends: [0],
    pools: [{ slot: 0, backends: [{ slot: 0, at: '10.1.0.3:8081' }] }],
    removedPools: [0],
    removedBackends: [0],
  });
  t.is(rig.one(0, 1, tcp('S')).tcp?.dst, 8081);
});

contract('pools share backends', async (rig) => {
  const { t } = rig;
  await rig.commit({
    pools: [
      { slot: 0, backends: [{ slot: 0, at: '10.1.0.2:8080' }] },
      { slot: 2, members: [{ backend: 0 }] },
    ],
  });
  rig.one(0, 1, tcp('S'));
  rig.one(0, 1, tcp('S', 1, NET.idle));
  t.is(rig.connections(0), 2);
  t.is(rig.engine.occupancy().backends, 12);
});

contract('each scope has a pool of its own', async (rig) => {
  const { t } = rig;
  const pools = ['pod', 'node', 'outside'].map((_, i) => ({
    slot: 30 + i,
    backends: [{ slot: 30 + i, at: `10.1.0.2:${30 + i}` }],
  }));
  await rig.commit({
    frontends: [
      { at: '10.96.0.30:80/tcp', slot: 30, pools: { pod: 30, node: 31, outside: 32 } },
      { at: '[fd96::30]:80/tcp', slot: 31, pools: { pod: 33, node: 33, outside: 33 } },
    ],
    pools: [...pools, { slot: 33, backends: [{ slot: 33, at: '[fd01::2]:33' }] }],
  });
  const ask = (port: number, src: string = V4.client) =>
    rig.one(0, 1, fromClient('10.96.0.30', { src }).tcp({ src: port, dst: 80, flags: 'S' }).build())
      .tcp?.dst;
  t.is(ask(1), 32);
  await rig.commit({ podNetworks: ['10.0.0.8/29', 'fd00::/64'] });
  t.is(ask(2), 30);
  t.is(ask(3, '10.0.0.20'), 32);
  await rig.commit({ podNetworks: [], scopes: [{ on: 0, scope: 'pod' }] });
  t.is(ask(4), 30);
  // The node is an address of ours on an interface of scope host; others there are outside.
  await rig.commit({ scopes: [{ on: 0, scope: 'host' }] });
  t.is(ask(5), 32);
  t.is(ask(6, V4.own[0]), 31);
  t.is(ask(7, V4.own[1]), 31);
  // A pod network wins over nothing but outside.
  await rig.commit({ podNetworks: ['10.0.0.0/24'] });
  t.is(ask(8, V4.own[0]), 31);
  t.is(ask(9), 30);
});

contract('tables that are replaced stay as they are where a delta says nothing', async (rig) => {
  const { t } = rig;
  await rig.commit({ serviceNetworks: ['10.96.0.0/16'] });
  await rig.commit({});
  rig.pass(0, 0, udp(1, 'x', '10.96.7.7'));
  t.deepEqual(rig.drops(), { service_address_unknown: 1 });
  await rig.commit({ serviceNetworks: [] });
  rig.pass(0, 0, udp(1, 'x', '10.96.7.7'));
  t.deepEqual(rig.drops(), { service_address_unknown: 1, no_route: 1 });
});

contract('a cluster address has all ports, an external one its own', async (rig) => {
  const { t } = rig;
  await rig.commit({
    frontends: [
      { at: '10.1.0.50:80/tcp', slot: 30, pool: 0, kind: 'external' },
      { at: '10.1.0.51:80/tcp', slot: 31, pool: 0, kind: 'nodePort' },
      { at: '10.1.0.52:80/tcp', slot: 32, pool: 0, kind: 'cluster' },
    ],
  });
  for (const n of [50, 51]) {
    t.is(
      rig.one(0, 1, fromClient(`10.1.0.${n}`).udp({ src: 1, dst: 9 }).build()).ip?.dst,
      `10.1.0.${n}`,
    );
  }
  rig.pass(0, 0, fromClient('10.1.0.52').udp({ src: 1, dst: 9 }).build());
  t.deepEqual(rig.drops(), { service_port_unknown: 1 });
});

contract('source ranges let in who is in one of them, of either family', async (rig) => {
  const { t } = rig;
  const ranges = ['10.0.0.8/31', 'fd00::8/127', '192.0.2.0/24'];
  await rig.commit({
    frontends: FAMILIES.map(({ name, at, podAt }) => ({
      at: `${at(podAt(50), 80)}/tcp`,
      slot: 30 + FIRST[name],
      pool: FIRST[name] + OF.tcp,
      kind: 'external',
      ranges,
    })),
  });
  for (const { client, other, podAt } of FAMILIES) {
    const from = (src: string) =>
      fromClient(podAt(50), { src }).tcp({ src: 1, dst: 80, flags: 'S' }).build();
    t.is(rig.pass(0, 1, from(client)).length, 1);
    t.is(rig.pass(0, 1, from(other)).length, 0);
  }
  t.deepEqual(rig.drops(), { source_not_allowed: 2 });
  t.is(rig.counter('originated'), 0);
});

contract('removing what is not there is no mistake', async (rig) => {
  await rig.commit({
    removedFrontends: [99],
    removedPools: [99],
    removedBackends: [99],
    removedRoutes: ['192.0.2.0/24', '2001:db8::/32'],
  });
  rig.t.is(rig.pass(0, 1, udp()).length, 1);
});

for (const { name, service, pod } of FAMILIES) {
  const host = `${pod}/${name === 'IPv4' ? 32 : 128}`;
  contract(
    `the longest prefix wins, and the rest comes back when it goes, ${name}`,
    async (rig) => {
      const { t } = rig;
      const other = '02:00:00:00:00:d7';
      await rig.commit({ routes: [{ to: host, over: 1, mac: other }] });
      t.is(rig.one(0, 1, udp(1, 'x', service)).eth.dst, other);
      await rig.commit({ removedRoutes: [host] });
      t.is(rig.one(0, 1, udp(1, 'x', service)).eth.dst, NET.pod.mac);
    },
  );

  contract(`a default route is a route, ${name}`, async (rig) => {
    await rig.commit({
      routes: [{ to: name === 'IPv4' ? '0.0.0.0/0' : '::/0', over: 1, mac: NET.pod.mac }],
      removedRoutes: ['10.1.0.0/16', 'fd01::/64'],
    });
    rig.one(0, 1, udp(1, 'x', service));
  });
}

contract('occupancy counts what is there', async (rig) => {
  const { t } = rig;
  t.deepEqual(rig.engine.occupancy(), {
    flows: 0,
    flows6: 0,
    affinities: 0,
    neighbours: 0,
    routes: 8,
    frontends: 12,
    backends: 12,
    pools: 12,
  });
  rig.pass(0, 1, udp(), udp(1, 'x', V6.service), udp(2, 'x', V6.service));
  rig.pass(0, 1, fromClient(V4.hop).udp({ src: 1, dst: 2 }).build());
  await rig.commit({ removedFrontends: [0], removedPools: [0], removedBackends: [0] });
  t.deepEqual(rig.engine.occupancy(), {
    flows: 1,
    flows6: 2,
    affinities: 0,
    neighbours: 1,
    routes: 8,
    frontends: 11,
    backends: 11,
    pools: 11,
  });
});

contract('the shares of backends follow their weights', async (rig) => {
  const { t } = rig;
  const backends = [
    { slot: 30, at: '10.1.0.30:53', weight: 1 },
    { slot: 31, at: '10.1.0.31:53', weight: 3 },
  ];
  await rig.commit({ pools: [{ slot: 1, backends }] });
  for (let first = 1_000; first < 1_960; first += 64) {
    rig.send(0, ...Array.from({ length: 64 }, (_, i) => udp(first + i)));
    rig.step();
  }
  const [light, heavy] = [rig.connections(30), rig.connections(31)];
  t.is(light + heavy, 960);
  t.true(heavy > 2 * light && heavy < 4.5 * light, `${light} to ${heavy}`);
});

contract('a backend slot that moves to another address is another backend', async (rig) => {
  const { t } = rig;
  rig.pass(0, 1, udp(), tcp('S'));
  rig.pass(1, 0, tcpReply('SA'));
  await rig.commit({
    backends: [
      { slot: 0, at: '10.1.0.3:8081' },
      { slot: 1, at: '10.1.0.3:5354' },
    ],
  });
  const [moved, stays] = rig.read(0, 1, udp(), tcp('PA'));
  t.is(moved.udp?.dst, 5354);
  t.is(stays.tcp?.dst, 8080);
  t.is(rig.counter('flowsCleared'), 1);
});

contract('putting the same backend again leaves its connections', async (rig) => {
  const { t } = rig;
  rig.pass(0, 1, udp());
  await rig.commit({ backends: [{ slot: 1, at: '10.1.0.2:5353' }] });
  rig.one(0, 1, udp());
  t.is(rig.counter('flowsCleared'), 0);
  await rig.commit({ backends: [{ slot: 1, at: '10.1.0.2:5353', service: 9 }] });
  rig.one(0, 1, udp());
  t.is(rig.counter('flowsCleared'), 1);
});

contract('rule sets, identities and networks go with what names them', async (rig) => {
  const { t } = rig;
  const deny = { ruleSets: [{ slot: 5, rules: ['deny any'] }] };
  const identity = { slot: 6, ingress: 5, networks: [V4.pod] };
  await rig.commit({ ...deny, identities: [identity] });
  t.is(rig.pass(0, 1, tcp('S')).length, 0);
  // Nobody names the set any more, nor the identity once its network has another one.
  await rig.commit({ removedRuleSets: [5], identities: [{ slot: 6 }] });
  t.is(rig.pass(0, 1, tcp('S')).length, 1);
  await rig.commit({
    removedIdentities: [6],
    identities: [{ slot: 7, networks: [V4.pod] }],
  });
  t.is(rig.pass(0, 1, tcp('S')).length, 1);
  // Removed and put is put; removing what is not there is no fault.
  await rig.commit({
    ...deny,
    identities: [{ ...identity, slot: 7 }],
    removedRuleSets: [5, 0xffffffff, 0xfffffffe],
    removedIdentities: [7, 99],
    removedIdentityNetworks: [V4.pod, '10.77.0.0/16'],
  });
  t.is(rig.pass(0, 1, tcp('S')).length, 0);
  await rig.commit({
    removedRuleSets: [5],
    removedIdentities: [7],
    removedIdentityNetworks: [V4.pod],
  });
  t.is(rig.pass(0, 1, tcp('S')).length, 1);
  t.deepEqual(rig.drops(), { policy_denied_ingress: 2 });
});

contract('rows that nobody refers to may be in any order', async (rig) => {
  const columns = delta({
    ruleSets: [{ slot: 5, rules: ['deny any', 'deny any'] }],
    identities: [{ slot: 6, selectors: [1, 2] }],
  });
  columns.ruleSets.count[0] = 1;
  columns.rules.tier.set([2, 0]);
  columns.identities.count[0] = 1;
  columns.memberships.selector.set([5, 1]);
  await rig.t.notThrowsAsync(rig.engine.commit(columns));
});

contract(
  'a table for many routes has room for some long IPv4 ones',
  async (rig) => {
    const { t } = rig;
    // Of the 65,552 that the option says, a sixteenth.
    const most = 4_097;
    const hosts = Array.from({ length: most }, (_, i) => ({
      to: `20.${i >> 8}.${i & 255}.1/32`,
      over: 1,
      mac: NET.pod.mac,
    }));
    const longer = (await rig.engine.occupancy()).routes;
    const refused = await t.throwsAsync(
      rig.commit({ routes: [...hosts, { to: '21.0.0.1/32', over: 1, mac: NET.pod.mac }] }),
      { code: 'ERR_CAPACITY' },
    );
    t.regex((refused as { path?: string }).path ?? '', /^routes\.prefix\[/);
    t.is(rig.engine.occupancy().routes, longer);
    await rig.commit({
      routes: [...hosts.slice(0, 4_000), { to: '30.1.0.0/16', over: 1, mac: NET.pod.mac }],
    });
    rig.pass(0, 1, fromClient('20.1.2.1').udp({ src: 1, dst: 2 }).build());
    rig.pass(0, 1, fromClient('30.1.2.1').udp({ src: 1, dst: 2 }).build());
    t.is(rig.counter('forwarded'), 2);
    await rig.commit({ removedRoutes: ['20.1.2.1/32'] });
    rig.pass(0, 0, fromClient('20.1.2.1').udp({ src: 1, dst: 2 }).build());
    t.like(rig.drops(), { no_route: 1 });
  },
  { routes: 65_552 },
);
