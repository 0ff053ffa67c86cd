// SPDX-License-Identifier: Apache-2.0
import type { ProgramDelta } from '../../lib/compile/program.js';
import type { ErrorCode, SluiceError } from '../../lib/errors.js';
import { read } from '../support/packets.js';
import { delta, type ProgramLiteral } from '../support/program.js';
import { contract, NET, tcp, udp } from './rig.js';

const FRONTEND = { at: '10.96.0.99:80/tcp', pool: 0, slot: 50 };

/** What is wrong, as a literal and, where a literal cannot say it, a change of its columns. */
const REFUSED: readonly {
  title: string;
  path: string;
  /** Default: `ERR_PROGRAM`. */
  code?: ErrorCode;
  literal: ProgramLiteral;
  spoil?: (columns: ProgramDelta) => void;
}[] = [
  {
    title: 'columns of unequal length',
    path: 'frontends.port',
    literal: { frontends: [FRONTEND] },
    spoil: (columns) => {
      columns.frontends.port = new Uint16Array(2);
    },
  },
  {
    title: 'half an address',
    path: 'backends.address',
    literal: { pools: [{ slot: 9, backends: [{ slot: 9, at: '10.1.0.9:1' }] }] },
    spoil: (columns) => {
      columns.backends.address = columns.backends.address.slice(0, 8);
    },
  },
  {
    title: 'backend slot beyond the limit',
    path: 'backends.slot[1]',
    code: 'ERR_CAPACITY',
    literal: {
      pools: [
        {
          slot: 9,
          backends: [
            { slot: 9, at: '10.1.0.9:1' },
            { slot: 256, at: '10.1.0.9:2' },
          ],
        },
      ],
    },
  },
  {
    title: 'backend slot twice',
    path: 'backends.slot[1]',
    literal: {
      pools: [
        { slot: 8, backends: [{ slot: 9, at: '10.1.0.9:1' }] },
        { slot: 9, backends: [{ slot: 9, at: '10.1.0.9:2' }] },
      ],
    },
  },
  {
    title: 'backend slot of another pool',
    path: 'backends.slot[0]',
    literal: { pools: [{ slot: 9, backends: [{ slot: 0, at: '10.1.0.9:1' }] }] },
  },
  {
    title: 'backend address that is not IPv4',
    path: 'backends.address[0]',
    literal: { pools: [{ slot: 9, backends: [{ slot: 9, at: '10.1.0.9:1' }] }] },
    spoil: (columns) => {
      columns.backends.address[0] = 0xfd;
    },
  },
  {
    title: 'pool range beyond the backends',
    path: 'pools.count[0]',
    literal: { pools: [{ slot: 9, backends: [{ slot: 9, at: '10.1.0.9:1' }] }] },
    spoil: (columns) => {
      columns.pools.count[0] = 2;
    },
  },
  {
    title: 'pool range that overflows 32 bits',
    path: 'pools.count[0]',
    literal: { pools: [{ slot: 9, backends: [{ slot: 9, at: '10.1.0.9:1' }] }] },
    spoil: (columns) => {
      columns.pools.count[0] = 0xffffffff;
    },
  },
  {
    title: 'pool range that begins beyond the backends',
    path: 'pools.first[0]',
    literal: { pools: [{ slot: 9, backends: [{ slot: 9, at: '10.1.0.9:1' }] }] },
    spoil: (columns) => {
      columns.pools.first[0] = 1;
    },
  },
  {
    title: 'pools that share backends',
    path: 'pools.first[1]',
    literal: {
      pools: [
        { slot: 8, backends: [{ slot: 9, at: '10.1.0.9:1' }] },
        { slot: 9, backends: [{ slot: 10, at: '10.1.0.9:2' }] },
      ],
    },
    spoil: (columns) => {
      columns.pools.first[1] = 0;
    },
  },
  {
    title: 'frontend without a pool',
    path: 'frontends.pool[0]',
    literal: { frontends: [{ ...FRONTEND, pool: 77 }] },
  },
  {
    title: 'frontend of a pool that goes',
    path: 'frontends.pool[0]',
    literal: { frontends: [FRONTEND], removedPools: [0], removedFrontends: [0] },
  },
  {
    title: 'removed pool that a frontend still names',
    path: 'removedPools[0]',
    literal: { removedPools: [0] },
  },
  {
    title: 'protocol that has no ports',
    path: 'frontends.protocol[0]',
    literal: { frontends: [FRONTEND] },
    spoil: (columns) => {
      columns.frontends.protocol[0] = 132;
    },
  },
  {
    title: 'frontend address that is not IPv4',
    path: 'frontends.address[0]',
    literal: { frontends: [FRONTEND] },
    spoil: (columns) => {
      columns.frontends.address[11] = 0;
    },
  },
  {
    title: 'frontend that is there already',
    path: 'frontends.address[0]',
    literal: { frontends: [{ ...FRONTEND, at: '10.96.0.10:80/tcp' }] },
  },
  {
    title: 'frontend twice in a delta',
    path: 'frontends.address[1]',
    literal: { frontends: [FRONTEND, { ...FRONTEND, slot: 51 }] },
  },
  {
    title: 'route over no interface',
    path: 'routes.interface[1]',
    literal: {
      routes: [
        { to: '10.5.0.0/16', over: 1 },
        { to: '10.6.0.0/16', over: 3 },
      ],
    },
  },
  {
    title: 'route over an interface beyond the limit',
    path: 'routes.interface[0]',
    literal: { routes: [{ to: '10.5.0.0/16', over: 60_000 }] },
  },
  {
    title: 'host bits in a prefix',
    path: 'routes.prefix[0]',
    literal: { routes: [{ to: '10.5.0.1/16', over: 1 }] },
  },
  {
    title: 'prefix length 33',
    path: 'routes.length[0]',
    literal: { routes: [{ to: '10.5.0.0/33', over: 1 }] },
  },
  {
    title: 'gateway that is not IPv4',
    path: 'routes.gateway[0]',
    literal: { routes: [{ to: '10.5.0.0/16', over: 1, via: '10.2.0.7' }] },
    spoil: (columns) => {
      columns.routes.gateway[0] = 0xfd;
    },
  },
  {
    title: 'host bits in a removed prefix',
    path: 'removedRoutes.prefix[0]',
    literal: { removedRoutes: ['10.1.0.1/16'] },
  },
  {
    title: 'route twice',
    path: 'routes.prefix[1]',
    literal: {
      routes: [
        { to: '10.5.0.0/16', over: 1 },
        { to: '10.5.0.0/16', over: 0 },
      ],
    },
  },
  {
    title: 'address of no interface',
    path: 'addresses.interface[0]',
    literal: { addresses: [{ on: 7, address: '10.5.0.1/24' }] },
  },
  {
    title: 'address of length 33',
    path: 'addresses.length[0]',
    literal: { addresses: [{ on: 0, address: '10.5.0.1/33' }] },
  },
];

for (const { title, path, code, literal, spoil } of REFUSED) {
  contract(`refused whole: ${title}`, async (rig) => {
    const { t } = rig;
    // Each of them would be seen below if the delta were applied in part.
    const columns = delta({
      ...literal,
      addresses: literal.addresses ?? [],
      removedFrontends: literal.removedFrontends ?? [1],
      removedRoutes: literal.removedRoutes ?? ['10.0.0.0/24'],
    });
    spoil?.(columns);
    const generation = await rig.commit({});
    const error = await t.throwsAsync<SluiceError>(rig.engine.commit(columns));
    t.is(error?.name, 'SluiceError');
    t.is(error?.code, code ?? 'ERR_PROGRAM');
    t.is(error?.path, path);

    t.is(await rig.commit({}), generation + 1);
    t.is(read(rig.pass(0, 1, udp())[0]).ipv4?.dst, NET.pod.address);
    t.is(read(rig.pass(0, 1, tcp('S'))[0]).tcp?.dst, 8080);
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

contract('a backend slot moves to another pool in one commit', async (rig) => {
  const { t } = rig;
  rig.pass(0, 1, udp());
  await rig.commit({
    pools: [
      { slot: 1, backends: [{ slot: 20, at: '10.1.0.6:1' }] },
      { slot: 7, backends: [{ slot: 1, at: '10.1.0.2:5353' }] },
    ],
  });
  t.is(read(rig.pass(0, 1, udp())[0]).ipv4?.dst, '10.1.0.6');
});

contract('removing what is not there is no mistake', async (rig) => {
  await rig.commit({
    removedFrontends: [99],
    removedPools: [99],
    removedRoutes: ['192.0.2.0/24'],
  });
  rig.t.is(rig.pass(0, 1, udp()).length, 1);
});

contract('the longest prefix wins, and the rest comes back when it goes', async (rig) => {
  const { t } = rig;
  const other = '02:00:00:00:00:d7';
  await rig.commit({ routes: [{ to: '10.1.0.2/32', over: 1, mac: other }] });
  t.is(read(rig.pass(0, 1, udp())[0]).eth.dst, other);
  await rig.commit({ removedRoutes: ['10.1.0.2/32'] });
  t.is(read(rig.pass(0, 1, udp())[0]).eth.dst, NET.pod.mac);
});

contract('a default route is a route', async (rig) => {
  await rig.commit({
    routes: [{ to: '0.0.0.0/0', over: 1, mac: NET.pod.mac }],
    removedRoutes: ['10.1.0.0/16'],
  });
  rig.t.is(rig.pass(0, 1, udp()).length, 1);
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
