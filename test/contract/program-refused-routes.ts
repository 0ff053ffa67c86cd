// SPDX-License-Identifier: Apache-2.0
import { ownGroupOf } from '../support/program.js';
import { type Refused, TOO_MANY } from './refused.js';

const group = (title: string, path: string, spoil: Refused['spoil'] & {}): Refused => ({
  title: `group: ${title}`,
  path,
  literal: { groups: [{ slot: 3, hops: [{ over: 0 }, { over: 1 }] }] },
  spoil,
});

const GROUPS: readonly Refused[] = [
  group('a column of unequal length', 'groups.count', ({ groups }) => {
    groups.count = new Uint32Array(2);
  }),
  group('a column of another type', 'nextHops.weight', ({ nextHops }) => {
    Object.assign(nextHops, { weight: new Uint16Array(2) });
  }),
  {
    ...group('slot beyond the limit', 'groups.slot[0]', ({ groups }) => {
      groups.slot[0] = TOO_MANY;
    }),
    code: 'ERR_CAPACITY',
  },
  {
    title: 'group: slot twice',
    path: 'groups.slot[1]',
    literal: {
      groups: [
        { slot: 3, hops: [{ over: 0 }] },
        { slot: 3, hops: [{ over: 1 }] },
      ],
    },
  },
  group('without next hops', 'groups.count[0]', ({ groups }) => {
    groups.count[0] = 0;
  }),
  {
    title: 'group: of 65 next hops',
    path: 'groups.count[0]',
    literal: { groups: [{ slot: 3, hops: Array.from({ length: 65 }, () => ({ over: 0 })) }] },
  },
  group('that begins beyond the next hops', 'groups.first[0]', ({ groups }) => {
    groups.first[0] = 2;
  }),
  group('that reaches beyond the next hops', 'groups.count[0]', ({ groups }) => {
    groups.first[0] = 1;
  }),
  group('that overflows 32 bits', 'groups.first[0]', ({ groups }) => {
    groups.first[0] = 0xffffffff;
  }),
  {
    title: 'groups that share next hops',
    path: 'groups.first[1]',
    literal: {
      groups: [
        { slot: 3, hops: [{ over: 0 }, { over: 1 }] },
        { slot: 4, hops: [{ over: 0 }] },
      ],
    },
    spoil: ({ groups }) => {
      groups.first[1] = 1;
    },
  },
  group('half a MAC', 'nextHops.mac', ({ nextHops }) => {
    nextHops.mac = nextHops.mac.slice(0, 9);
  }),
  {
    title: 'next hop over no interface',
    path: 'nextHops.interface[1]',
    literal: { groups: [{ slot: 3, hops: [{ over: 1 }, { over: 3 }] }] },
  },
  {
    title: 'next hop over an interface beyond the limit',
    path: 'nextHops.interface[0]',
    literal: { routes: [{ to: '10.5.0.0/16', over: 60_000 }] },
  },
  {
    title: 'next hop that no group refers to, over no interface',
    path: 'nextHops.interface[1]',
    literal: { groups: [{ slot: 3, hops: [{ over: 1 }, { over: 3 }] }] },
    spoil: ({ groups }) => {
      groups.count[0] = 1;
    },
  },
  {
    title: 'gateways of both families in one group',
    path: 'nextHops.gateway[2]',
    literal: {
      groups: [
        { slot: 3, hops: [{ over: 1, via: '10.2.0.7' }, { over: 1 }, { over: 1, via: 'fd02::7' }] },
      ],
    },
  },
  group('weight 0', 'nextHops.weight[1]', ({ nextHops }) => {
    nextHops.weight[1] = 0;
  }),
  {
    title: 'removed group that a route still names',
    path: 'removedGroups[1]',
    // That of the route to 10.1.0.0/16 of the rig.
    literal: { removedGroups: [15, ownGroupOf('10.1.0.0/16')] },
  },
  {
    title: 'group that gets gateways of another family than its route',
    path: 'groups.slot[0]',
    literal: {
      groups: [{ slot: ownGroupOf('10.1.0.0/16'), hops: [{ over: 1, via: 'fd02::7' }] }],
    },
  },
];

/** Rules 8 to 13. */
export const ROUTES: readonly Refused[] = [
  ...GROUPS,
  {
    title: 'route: half a prefix',
    path: 'routes.prefix',
    literal: { routes: [{ to: '10.5.0.0/16', over: 1 }] },
    spoil: ({ routes }) => {
      routes.prefix = routes.prefix.slice(0, 8);
    },
  },
  {
    title: 'route by no group',
    path: 'routes.group[1]',
    literal: {
      routes: [
        { to: '10.5.0.0/16', over: 1 },
        { to: 'fd05::/64', group: 7 },
      ],
    },
  },
  {
    title: 'route by a group that goes',
    path: 'routes.group[0]',
    literal: {
      routes: [{ to: '10.1.0.0/16', group: ownGroupOf('10.1.0.0/16') }],
      removedGroups: [ownGroupOf('10.1.0.0/16')],
    },
  },
  {
    title: 'route: host bits in a prefix',
    path: 'routes.prefix[0]',
    literal: { routes: [{ to: '10.5.0.1/16', over: 1 }] },
  },
  {
    title: 'route: host bits in an IPv6 prefix',
    path: 'routes.prefix[0]',
    literal: { routes: [{ to: 'fd05::1/64', over: 1 }] },
  },
  {
    title: 'route: prefix length 33',
    path: 'routes.length[0]',
    literal: { routes: [{ to: '10.5.0.0/33', over: 1 }] },
  },
  {
    title: 'route: prefix length 129',
    path: 'routes.length[0]',
    literal: { routes: [{ to: 'fd05::/129', over: 1 }] },
  },
  {
    title: 'gateway of the other family',
    path: 'routes.group[0]',
    literal: { routes: [{ to: '10.5.0.0/16', over: 1, via: 'fd02::7' }] },
  },
  {
    title: 'IPv4 gateway of an IPv6 prefix',
    path: 'routes.group[0]',
    literal: { routes: [{ to: 'fd05::/64', over: 1, via: '10.2.0.7' }] },
  },
  {
    title: 'removed route: host bits',
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
    title: 'more routes of a family than fit',
    path: 'routes.prefix[1021]',
    code: 'ERR_CAPACITY',
    // Three of four IPv4 routes of the rig stay.
    literal: {
      routes: Array.from({ length: 1_022 }, (_, i) => ({
        to: `172.${16 + (i >> 8)}.${i & 255}.0/24`,
        over: 1,
      })),
    },
  },
];
