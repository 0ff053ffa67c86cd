// SPDX-License-Identifier: Apache-2.0
import { ownGroupOf } from '../support/program.js';
import { ROUTES } from './program-refused-routes.js';
import { type Refused, TOO_MANY } from './refused.js';

const FRONTEND = { at: '10.96.0.99:80/tcp', pool: 0, slot: 50 };
const BACKEND = { slot: 60, at: '10.1.0.9:1' };

const frontend = (title: string, column: string, spoil: Refused['spoil'] & {}): Refused => ({
  title: `frontend: ${title}`,
  path: `frontends.${column}[0]`,
  literal: { frontends: [{ ...FRONTEND, ranges: ['10.0.0.0/8'] }] },
  spoil,
});

const FRONTENDS: readonly Refused[] = [
  {
    title: 'columns of unequal length',
    path: 'frontends.port',
    literal: { frontends: [FRONTEND] },
    spoil: (columns) => {
      columns.frontends.port = new Uint16Array(2);
    },
  },
  {
    title: 'a column of another type',
    path: 'frontends.service',
    literal: { frontends: [FRONTEND] },
    spoil: (columns) => {
      Object.assign(columns.frontends, { service: new Uint16Array(1) });
    },
  },
  {
    title: 'a column that is missing, which comes before wrong lengths',
    path: 'frontends.affinity',
    literal: { frontends: [FRONTEND] },
    spoil: (columns) => {
      columns.frontends.port = new Uint16Array(2);
      Reflect.deleteProperty(columns.frontends, 'affinity');
    },
  },
  {
    title: 'a table that is missing',
    path: 'ranges.prefix',
    literal: {},
    spoil: (columns) => {
      Reflect.deleteProperty(columns.ranges, 'prefix');
    },
  },
  {
    ...frontend('slot beyond the limit', 'slot', ({ frontends }) => {
      frontends.slot[0] = TOO_MANY;
    }),
    code: 'ERR_CAPACITY',
  },
  {
    title: 'frontend: slot twice',
    path: 'frontends.slot[1]',
    literal: { frontends: [FRONTEND, { ...FRONTEND, at: '10.96.0.99:81/tcp' }] },
  },
  frontend('unspecified address', 'address', ({ frontends }) => {
    frontends.address.fill(0);
  }),
  frontend('protocol that there is not', 'protocol', ({ frontends }) => {
    frontends.protocol[0] = 50;
  }),
  frontend('ICMP with a port', 'protocol', ({ frontends }) => {
    frontends.protocol[0] = 1;
  }),
  frontend('ICMPv6 over IPv4', 'protocol', ({ frontends }) => {
    frontends.protocol[0] = 58;
    frontends.port[0] = 0;
  }),
  {
    ...frontend('ICMP over IPv6', 'protocol', ({ frontends }) => {
      frontends.protocol[0] = 1;
    }),
    literal: { frontends: [{ ...FRONTEND, at: '[fd96::99]:0/tcp' }] },
  },
  frontend('kind 3', 'kind', ({ frontends }) => {
    frontends.kind[0] = 3;
  }),
  {
    ...frontend('service beyond the limit', 'service', ({ frontends }) => {
      frontends.service[0] = TOO_MANY;
    }),
    code: 'ERR_CAPACITY',
  },
  ...(['podPool', 'nodePool', 'outsidePool'] as const).map((column) =>
    frontend(`${column} that there is not`, column, ({ frontends }) => {
      frontends[column][0] = 77;
    }),
  ),
  frontend('masquerade for a fourth scope', 'masquerade', ({ frontends }) => {
    frontends.masquerade[0] = 8;
  }),
  frontend('ranges that begin beyond the rows', 'rangesFirst', ({ frontends }) => {
    frontends.rangesFirst[0] = 1;
  }),
  frontend('ranges that end beyond the rows', 'rangesCount', ({ frontends }) => {
    frontends.rangesCount[0] = 2;
  }),
  frontend('ranges that overflow 32 bits', 'rangesCount', ({ frontends }) => {
    frontends.rangesCount[0] = 0xffffffff;
  }),
  {
    title: 'frontend of a pool that goes',
    path: 'frontends.podPool[0]',
    literal: { frontends: [FRONTEND], removedPools: [0], removedFrontends: [0] },
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
    title: 'range: length 33',
    path: 'ranges.length[0]',
    literal: { frontends: [{ ...FRONTEND, ranges: ['10.0.0.0/33'] }] },
  },
  {
    title: 'range: host bits',
    path: 'ranges.prefix[1]',
    literal: { frontends: [{ ...FRONTEND, ranges: ['10.0.0.0/8', 'fd00::1/64'] }] },
  },
];

const backend = (title: string, path: string, spoil: Refused['spoil'] & {}): Refused => ({
  title: `backend: ${title}`,
  path,
  literal: { backends: [BACKEND] },
  spoil,
});

const pool = (title: string, path: string, spoil: Refused['spoil'] & {}): Refused => ({
  title: `pool: ${title}`,
  path,
  literal: { pools: [{ slot: 60, backends: [BACKEND] }] },
  spoil,
});

const POOLS: readonly Refused[] = [
  backend('half an address', 'backends.address', ({ backends }) => {
    backends.address = backends.address.slice(0, 8);
  }),
  {
    title: 'backend: slot beyond the limit',
    path: 'backends.slot[1]',
    code: 'ERR_CAPACITY',
    literal: { backends: [BACKEND, { slot: 256, at: '10.1.0.9:2' }] },
  },
  {
    title: 'backend: slot twice',
    path: 'backends.slot[1]',
    literal: { backends: [BACKEND, { ...BACKEND, at: '10.1.0.9:2' }] },
  },
  backend('unspecified address', 'backends.address[0]', ({ backends }) => {
    backends.address.fill(0);
  }),
  {
    ...backend('service beyond the limit', 'backends.service[0]', ({ backends }) => {
      backends.service[0] = TOO_MANY;
    }),
    code: 'ERR_CAPACITY',
  },
  backend('flushed 2', 'backends.flushed[0]', ({ backends }) => {
    backends.flushed[0] = 2;
  }),
  backend('a group that is not there', 'backends.group[0]', ({ backends }) => {
    backends.group[0] = 15;
  }),
  {
    title: 'backend: a group that goes',
    path: 'backends.group[0]',
    literal: {
      backends: [{ ...BACKEND, group: ownGroupOf('10.1.0.0/16') }],
      removedGroups: [ownGroupOf('10.1.0.0/16')],
    },
  },
  {
    ...pool('slot beyond the limit', 'pools.slot[0]', ({ pools }) => {
      pools.slot[0] = TOO_MANY;
    }),
    code: 'ERR_CAPACITY',
  },
  {
    title: 'pool: slot twice',
    path: 'pools.slot[1]',
    literal: { pools: [{ slot: 60, backends: [BACKEND] }, { slot: 60 }] },
  },
  pool('range beyond the members', 'pools.count[0]', ({ pools }) => {
    pools.count[0] = 2;
  }),
  pool('range that overflows 32 bits', 'pools.count[0]', ({ pools }) => {
    pools.count[0] = 0xffffffff;
  }),
  pool('range that begins beyond the members', 'pools.first[0]', ({ pools }) => {
    pools.first[0] = 1;
  }),
  {
    title: 'pools that share members',
    path: 'pools.first[1]',
    literal: {
      pools: [
        { slot: 60, backends: [BACKEND] },
        { slot: 61, backends: [{ slot: 61, at: '10.1.0.9:2' }] },
      ],
    },
    spoil: ({ pools }) => {
      pools.first[1] = 0;
    },
  },
  pool('silent 2', 'pools.silent[0]', ({ pools }) => {
    pools.silent[0] = 2;
  }),
  pool('a column of unequal length', 'members.weight', ({ members }) => {
    members.weight = new Uint16Array(2);
  }),
  {
    title: 'member that is no backend',
    path: 'members.backend[1]',
    literal: { pools: [{ slot: 60, backends: [BACKEND], members: [{ backend: 200 }] }] },
  },
  {
    title: 'member that no pool refers to and that is no backend',
    path: 'members.backend[0]',
    literal: { pools: [{ slot: 60, members: [{ backend: 200 }] }] },
    spoil: ({ pools }) => {
      pools.count[0] = 0;
    },
  },
  {
    title: 'member twice in one pool',
    path: 'members.backend[1]',
    literal: { pools: [{ slot: 60, backends: [BACKEND], members: [{ backend: BACKEND.slot }] }] },
  },
  {
    title: 'member that goes',
    path: 'members.backend[0]',
    literal: { pools: [{ slot: 60, members: [{ backend: 3 }] }], removedBackends: [3] },
  },
  {
    title: 'removed backend that is still a member',
    path: 'removedBackends[1]',
    literal: { removedBackends: [200, 0] },
  },
  {
    title: 'removed pool that a frontend still names',
    path: 'removedPools[0]',
    literal: { removedPools: [0] },
  },
];

const OTHERS: readonly Refused[] = [
  {
    title: 'address of no interface',
    path: 'addresses.interface[1]',
    literal: {
      addresses: [
        { on: 'node', address: '10.5.0.1/24' },
        { on: 7, address: '10.5.0.1/24' },
      ],
    },
  },
  {
    title: 'address: length 33',
    path: 'addresses.length[0]',
    literal: { addresses: [{ on: 0, address: '10.5.0.1/33' }] },
  },
  {
    title: 'address: unspecified',
    path: 'addresses.address[0]',
    literal: { addresses: [{ on: 0, address: '::/64' }] },
  },
  {
    title: 'scope of no interface',
    path: 'scopes.interface[0]',
    literal: { scopes: [{ on: 7, scope: 'pod' }] },
  },
  {
    title: 'scope twice',
    path: 'scopes.interface[1]',
    literal: {
      scopes: [
        { on: 1, scope: 'pod' },
        { on: 1, scope: 'pod' },
      ],
    },
  },
  {
    title: 'scope 3',
    path: 'scopes.scope[0]',
    literal: { scopes: [{ on: 1, scope: 'pod' }] },
    spoil: ({ scopes }) => {
      scopes?.scope.fill(3);
    },
  },
  {
    title: 'pod network: host bits',
    path: 'podNetworks.prefix[0]',
    literal: { podNetworks: ['10.1.0.1/16'] },
  },
  {
    title: 'service network: length 129',
    path: 'serviceNetworks.length[1]',
    literal: { serviceNetworks: ['10.96.0.0/16', 'fd96::/129'] },
  },
];

export const REFUSED: readonly Refused[] = [...FRONTENDS, ...POOLS, ...ROUTES, ...OTHERS];
