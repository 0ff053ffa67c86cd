// SPDX-License-Identifier: Apache-2.0
import { Compiler } from '../../lib/compile/compile.js';
import { checkModel } from '../../lib/model/check.js';
import { parseInterfaceSpec } from '../../lib/model/interface-spec.js';
import { parseRouteSpec } from '../../lib/model/route-spec.js';
import { type Row, table } from '../support/broken.js';

const INTERFACES: Row[] = [
  [[{ kind: 'memory', name: 'a', pod: 'cart' }], 'interfaces[0].pod', 'such as shop/cart-1'],
  [[{ kind: 'memory', name: 'a', pod: 'a/b/c' }], 'interfaces[0].pod', 'found "a/b/c"'],
  [
    [{ kind: 'memory', name: 'a', pod: 'shop/cart' }],
    'interfaces[0].sources',
    'the addresses of pod shop/cart, found nothing',
  ],
  [[{ kind: 'memory', name: 'a', sources: [] }], 'interfaces[0].sources', 'at least one address'],
  [
    [{ kind: 'memory', name: 'a', sources: ['10.1.0.1/16'] }],
    'interfaces[0].sources[0]',
    'write 10.1.0.0/16',
  ],
  [
    [{ kind: 'memory', name: 'a', sources: ['10.1'] }],
    'interfaces[0].sources[0]',
    'such as 10.1.0.5 or fd00:1::/64',
  ],
  [
    [{ kind: 'memory', name: 'a', pod: 'shop/cart', sources: ['10.1.0.0/16'] }],
    'interfaces[0].sources[0]',
    'an address of pod shop/cart, found the network "10.1.0.0/16"',
  ],
  [
    [
      { kind: 'memory', name: 'a', pod: 'shop/cart', sources: ['10.1.0.1'] },
      { kind: 'memory', name: 'b', pod: 'shop/web', sources: ['10.1.0.1'] },
    ],
    'interfaces[1].sources[0]',
    "10.1.0.1 is the pod's address on interface a already",
  ],
  [[{ kind: 'tap', name: 'a', kernel: 'blind' }], 'interfaces[0].kernel', 'belongs to af_packet'],
  [[{ kind: 'af_packet', name: 'a', kernel: 'deaf' }], 'interfaces[0].kernel', 'blind'],
  [[{ kind: 'memff', name: 'a' }], 'interfaces[0].kind', 'did you mean memif?'],
  [[{ kind: 'memif', name: 'a' }], 'interfaces[0].socket', 'needs a socket'],
  [
    [{ kind: 'memif', name: 'a', socket: `/run/${'x'.repeat(103)}` }],
    'interfaces[0].socket',
    'at most 107 bytes',
  ],
  [
    [{ kind: 'vhost-user', name: 'a', socket: 'a.sock' }],
    'interfaces[0].socket',
    'absolute path of a Unix socket',
  ],
  [[{ kind: 'tap', name: 'a', socket: '/a' }], 'interfaces[0].socket', 'belongs to memif'],
  [[{ kind: 'tap', name: 'a', devise: 'b' }], 'interfaces[0].devise', 'did you mean device?'],
  [
    [{ kind: 'tap', name: 'a', device: 'a-very-long-name' }],
    'interfaces[0].device',
    '1 to 15 characters',
  ],
  [[{ kind: 'tap', name: 'a-very-long-name' }], 'interfaces[0].name', '1 to 15 characters'],
  [[{ kind: 'tap', name: 'a', netns: 'x/y' }], 'interfaces[0].netns', 'ip netns'],
  [[{ kind: 'pcap', name: 'a' }], 'interfaces[0].rx', 'rx (file to read), tx (file to write)'],
  [[{ kind: 'pcap', name: 'a', rx: 'f', tx: 'f' }], 'interfaces[0].tx', 'write to another one'],
  [[{ kind: 'memory', name: 'a', mtu: 100 }], 'interfaces[0].mtu', 'bytes from 576 to 9,000'],
  [[{ kind: 'memory', name: 'a', mac: '01:00:00:00:00:01' }], 'interfaces[0].mac', 'unicast MAC'],
  [[{ kind: 'memory', name: 'a', mac: '2:0:0:0:0:1' }], 'interfaces[0].mac', '02:00:00:00:00:01'],
  [[{ kind: 'memory', name: 'a', worker: -1 }], 'interfaces[0].worker', 'from 0 to 127'],
  [[{ kind: 'tap', name: 'a', queues: 0 }], 'interfaces[0].queues', 'queues from 1 to 64, found 0'],
  [[{ kind: 'tap', name: 'a', queues: 65 }], 'interfaces[0].queues', 'queues from 1 to 64'],
  [[{ kind: 'memory', name: 'a', queues: 2 }], 'interfaces[0].queues', 'belongs to memif'],
  [[{ kind: 'tap', name: 'a', rss: 'hardware' }], 'interfaces[0].rss', 'off or software'],
  [
    [{ kind: 'tap', name: 'a', rss: 'software', queues: 2 }],
    'interfaces[0].rss',
    'interfaces with one queue',
  ],
  [
    [{ kind: 'memory', name: 'a', addresses: ['10.0.0.1'] }],
    'interfaces[0].addresses[0]',
    'with its prefix length',
  ],
  [
    [{ kind: 'memory', name: 'a', addresses: ['10.0.0.1/33'] }],
    'interfaces[0].addresses[0]',
    'such as 10.0.0.1/24',
  ],
  [
    [{ kind: 'memory', name: 'a', addresses: ['10.0.0.0/24'] }],
    'interfaces[0].addresses[0]',
    'the network itself',
  ],
  [
    [
      { kind: 'memory', name: 'a' },
      { kind: 'memory', name: 'a' },
    ],
    'interfaces[1].name',
    'names must differ',
  ],
  [
    [
      { kind: 'memory', name: 'a', addresses: ['10.0.0.1/24'] },
      { kind: 'memory', name: 'b', addresses: ['10.0.0.2/24'] },
    ],
    'interfaces[1].addresses[0]',
    '10.0.0.2/32',
  ],
  [
    [
      { kind: 'memif', name: 'a', socket: '/s' },
      { kind: 'memif', name: 'b', socket: '/s', id: 0 },
    ],
    'interfaces[1].id',
    'give each its own id',
  ],
  [
    [
      { kind: 'memif', name: 'a', socket: '/s' },
      { kind: 'memif', name: 'b', socket: '/s', id: 1, role: 'client' },
    ],
    'interfaces[1].socket',
    'give each its own socket',
  ],
  [
    [{ kind: 'memory', name: 'a', addresses: ['fe80::1/64'] }],
    'interfaces[0].addresses[0]',
    'every interface has such an address',
  ],
  [
    [{ kind: 'memory', name: 'a', addresses: ['fd00::/64'] }],
    'interfaces[0].addresses[0]',
    'the network itself',
  ],
  [
    [{ kind: 'memory', name: 'a', addresses: ['10.0.0.255/24'] }],
    'interfaces[0].addresses[0]',
    'its broadcast address',
  ],
  [
    [
      { kind: 'memory', name: 'a', addresses: ['fd00::1/64'] },
      { kind: 'memory', name: 'b', addresses: ['fd00::2/64'] },
    ],
    'interfaces[1].addresses[0]',
    'fd00::2/128',
  ],
  [[{ kind: 'gre', name: 'a' }], 'interfaces[0].local', 'needs local'],
  [[{ kind: 'gre', name: 'a', local: '192.0.2' }], 'interfaces[0].local', 'such as 192.0.2.1'],
  [[{ kind: 'gre', name: 'a', local: 'fe80::1' }], 'interfaces[0].local', 'unicast'],
  [
    [{ kind: 'ipip', name: 'a', local: '192.0.2.1', remote: '2001:db8::1' }],
    'interfaces[0].remote',
    'IPv4',
  ],
  [
    [{ kind: 'ipip', name: 'a', local: '192.0.2.1', remote: '192.0.2.1' }],
    'interfaces[0].remote',
    'two ends',
  ],
  [
    [{ kind: 'ipip', name: 'a', local: '192.0.2.1', remote: '192.0.2.2', peers: ['10.0.0.0/8'] }],
    'interfaces[0].peers',
    'only the remote',
  ],
  [
    [{ kind: 'ipip', name: 'a', local: '192.0.2.1', peers: ['10.0.0.1/8'] }],
    'interfaces[0].peers[0]',
    'host bits of zero',
  ],
  [[{ kind: 'gre', name: 'a', local: '192.0.2.1', key: 2 ** 32 }], 'interfaces[0].key', 'or flow'],
  [[{ kind: 'gre', name: 'a', local: '192.0.2.1', key: 'x' }], 'interfaces[0].key', 'or flow'],
  [[{ kind: 'gre', name: 'a', local: '192.0.2.1', vni: 1 }], 'interfaces[0].vni', 'vxlan'],
  [[{ kind: 'gre', name: 'a', local: '192.0.2.1', ttl: 0 }], 'interfaces[0].ttl', 'from 1 to 255'],
  [
    [{ kind: 'gre', name: 'a', local: '192.0.2.1', worker: 0 }],
    'interfaces[0].worker',
    'no worker',
  ],
  [[{ kind: 'gre', name: 'a', local: '192.0.2.1', rss: 'off' }], 'interfaces[0].rss', 'no rss'],
  [
    [{ kind: 'gre', name: 'a', local: '192.0.2.1', queues: 1 }],
    'interfaces[0].queues',
    'no queues',
  ],
  [
    [{ kind: 'gre', name: 'a', local: '192.0.2.1', checksums: 'finished' }],
    'interfaces[0].checksums',
    'no checksums',
  ],
  [[{ kind: 'vxlan', name: 'a', local: '192.0.2.1' }], 'interfaces[0].vni', 'needs vni'],
  [
    [{ kind: 'vxlan', name: 'a', local: '192.0.2.1', vni: 2 ** 24 }],
    'interfaces[0].vni',
    '16,777,215',
  ],
  [
    [{ kind: 'vxlan', name: 'a', local: '192.0.2.1', vni: 1, port: 0 }],
    'interfaces[0].port',
    'from 1 to 65,535',
  ],
  [
    [
      { kind: 'gre', name: 'a', local: '192.0.2.1', remote: '192.0.2.2', key: 1 },
      { kind: 'gre', name: 'b', local: '192.0.2.1', remote: '192.0.2.2', key: 1 },
    ],
    'interfaces[1].local',
    'the same tunnel',
  ],
  [[{ kind: 'memory', name: 'a', scope: 'pods' }], 'interfaces[0].scope', 'did you mean pod?'],
  [
    [{ kind: 'tap', name: 'a', checksums: 'none' }],
    'interfaces[0].checksums',
    'expected finished or unfinished',
  ],
  [
    [{ kind: 'memif', name: 'a', socket: '/s', secret: 'x'.repeat(25) }],
    'interfaces[0].secret',
    'at most 24 bytes',
  ],
];

const INTERFACE_TEXTS: Row[] = [
  ['', '--interface[1]', 'KIND:NAME[,key=value...]'],
  ['memif', '--interface[1]', 'did you mean memif:NAME?'],
  ['tab:a', '--interface[1].kind', 'did you mean tap?'],
  ['tap:', '--interface[1].name', '1 to 15 characters'],
  ['tap:a,netns', '--interface[1]', 'expected KEY=VALUE, found "netns"'],
  ['tap:a,netns=', '--interface[1].netns', 'a value behind "netns="'],
  ['tap:a,adress=10.0.0.1/24', '--interface[1].adress', 'did you mean address?'],
  ['tap:a,mtu=1500,mtu=900', '--interface[1].mtu', 'given twice'],
  ['tap:a,mtu=big', '--interface[1].mtu', 'from 576 to 9,000, found "big"'],
  ['tap:a,address=10.0.0.1', '--interface[1].address[0]', 'such as 10.0.0.1/24'],
  ['memif:up,role=master,socket=/s', '--interface[1].role', 'expected server or client'],
  ['memory:m,id=3', '--interface[1].id', 'belongs to memif'],
];

const ROUTE_TEXTS: Row[] = [
  ['10.1.0.0/16', '--route[0].via', 'a next hop needs via=ADDRESS'],
  ['10.1.0.0,dev=a', '--route[0].prefix', 'write 10.1.0.0/32'],
  ['10.1.0.1/16,dev=a', '--route[0].prefix', 'write 10.1.0.0/16'],
  ['fd00::1/64,dev=a', '--route[0].prefix', 'write fd00::/64'],
  ['fd00::1,dev=a', '--route[0].prefix', 'write fd00::1/128'],
  ['10.1.0.0/16,via=fd00::1', '--route[0].via', 'its family, IPv4'],
  ['default,via=fe80::1', '--route[0].dev', 'name the interface with dev='],
  ['default,gw=10.0.0.1', '--route[0].gw', 'unknown key "gw"'],
  ['default,via=10.0.0', '--route[0].via', 'such as 10.0.0.254'],
  ['default,via=224.0.0.1', '--route[0].via', 'the address of a next hop'],
  ['default,dev=a,mac=ff:ff:ff:ff:ff:ff', '--route[0].mac', 'unicast MAC'],
  ['default,dev=a,dev=b', '--route[0].dev', 'given twice'],
  ['default,via=10.0.0.1,via=fd00::1', '--route[0].nextHops[1].via', 'its family, IPv4'],
  ['default,via=10.0.0.1,via=10.0.0', '--route[0].nextHops[1].via', 'such as 10.0.0.254'],
  ['default,via=fe80::1,dev=a,via=fe80::2', '--route[0].nextHops[1].dev', 'with dev='],
  ['default,via=10.0.0.1,weight=0', '--route[0].nextHops[0].weight', 'from 1 to 255, found 0'],
  ['default,via=10.0.0.1,weight=x', '--route[0].nextHops[0].weight', 'from 1 to 255, found "x"'],
  ['default,via=10.0.0.1,dev=a,dev=b,via=10.0.0.2', '--route[0].nextHops[0].dev', 'given twice'],
];

const eth0 = { kind: 'memory', name: 'eth0', addresses: ['10.0.0.1/24'] };
const ROUTES: Row[] = [
  [[{ prefix: 'default', via: '10.0.1.1' }], 'routes[0].via', 'on the link of no interface'],
  [[{ prefix: 'default', via: '10.0.0.1' }], 'routes[0].via', 'our own address on eth0'],
  [[{ prefix: 'default', dev: 'eth' }], 'routes[0].dev', 'did you mean eth0?'],
  [[{ prefix: '10.0.0.0/24', dev: 'eth0' }], 'routes[0].prefix', 'has its route already'],
  [
    [{ prefix: 'default', nextHops: [] }],
    'routes[0].nextHops',
    'expected 1 to 64 next hops, found 0',
  ],
  [
    [{ prefix: 'default', nextHops: Array.from({ length: 65 }, () => ({ via: '10.0.0.2' })) }],
    'routes[0].nextHops',
    'found 65',
  ],
  [
    [{ prefix: 'default', via: '10.0.0.2', nextHops: [{ via: '10.0.0.3' }] }],
    'routes[0].via',
    'belongs into nextHops',
  ],
  [[{ prefix: 'default', nextHops: [{ weight: 2 }] }], 'routes[0].nextHops[0].via', 'needs via='],
  [
    [{ prefix: 'default', nextHops: [{ via: '10.0.0.2' }, { via: '10.0.1.2' }] }],
    'routes[0].nextHops[1].via',
    'on the link of no interface',
  ],
  [
    [{ prefix: 'default', nextHops: [{ via: '10.0.0.2' }, { via: '10.0.0.2', dev: 'eth0' }] }],
    'routes[0].nextHops[1]',
    'the same next hop as routes[0].nextHops[0]',
  ],
  [
    [
      { prefix: 'default', dev: 'eth0' },
      { prefix: '0.0.0.0/0', dev: 'eth0' },
    ],
    'routes[1].prefix',
    'a prefix may be given once',
  ],
];

table('interface', 'ERR_INTERFACE_SPEC', INTERFACES, (interfaces) => checkModel({ interfaces }));
table('interface text', 'ERR_INTERFACE_SPEC', INTERFACE_TEXTS, (text) =>
  parseInterfaceSpec(text, '--interface[1]'),
);
table('route text', 'ERR_ROUTE_SPEC', ROUTE_TEXTS, (text) => parseRouteSpec(text, '--route[0]'));
table('route', 'ERR_ROUTE_SPEC', ROUTES, (routes) =>
  new Compiler({ backends: 1, routes: 100 }).plan(
    checkModel({ interfaces: [eth0], routes }),
    new Map([['eth0', { slot: 0 }]]),
  ),
);
