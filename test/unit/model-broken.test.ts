// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { Compiler } from '../../lib/compile/compile.js';
import { ENGINE_DEFAULTS } from '../../lib/engine/engine.js';
import { type ErrorCode, SluiceError } from '../../lib/errors.js';
import { checkModel } from '../../lib/model/check.js';
import { parseConfig } from '../../lib/model/config-file.js';
import { parseInterfaceSpec } from '../../lib/model/interface-spec.js';
import { checkOpenOptions, fillOptions } from '../../lib/model/options.js';
import { parseRouteSpec } from '../../lib/model/route-spec.js';

/** What went in, the path that is to blame, and words that say what would be right. */
type Row = [input: unknown, path: string | undefined, fragment: string];

const service = (over: object = {}) => ({
  name: 'web',
  addresses: ['10.96.0.10'],
  ports: [{ protocol: 'TCP', port: 80, backends: [] }],
  ...over,
});
const port = (over: object) => service({ ports: [{ ...service().ports[0], ...over }] });
const backend = (over: object) => port({ backends: [{ address: '10.1.1.2', port: 1, ...over }] });
const model = (...services: object[]) => ({ services });

const MODELS: Row[] = [
  [null, undefined, 'expected an object with services, interfaces, routes, node, found nothing'],
  [{ service: [] }, 'service', 'did you mean services?'],
  [{ services: {} }, 'services', 'expected a list of services, found an object'],
  [model(service(), 7 as never), 'services[1]', 'expected an object with name'],
  [model({ ...service(), adresses: [] }), 'services[0].adresses', 'did you mean addresses?'],
  [model(service({ name: 'Web_1' })), 'services[0].name', 'lower-case letters, digits'],
  [model(service({ namespace: 'a/b' })), 'services[0].namespace', 'found "a/b"'],
  [model(service({ addresses: [] })), 'services[0].addresses', 'at least one address'],
  [model(service({ addresses: ['10.96.0.010'] })), 'services[0].addresses[0]', 'no leading zeros'],
  [model(service({ addresses: ['10.96.0'] })), 'services[0].addresses[0]', 'such as 10.96.0.10'],
  [
    model(service({ addresses: ['fe80::1'] })),
    'services[0].addresses[0]',
    'fe80::/10 and ff00::/8',
  ],
  [model(service({ addresses: ['::ffff:10.0.0.1'] })), 'services[0].addresses[0]', 'or fd00::10'],
  [
    model(service({ addresses: ['127.0.0.1'] })),
    'services[0].addresses[0]',
    'unicast address outside',
  ],
  [
    model(service({ addresses: ['10.96.0.1', '10.96.0.1'] })),
    'services[0].addresses[1]',
    'leave one of them out',
  ],
  [model(service({ ports: [] })), 'services[0].ports', 'at least one port'],
  [model(port({ protocol: 'tcp' })), 'services[0].ports[0].protocol', 'did you mean TCP?'],
  [model(port({ port: 0 })), 'services[0].ports[0].port', 'from 1 to 65,535, found 0'],
  [model(port({ port: '80' })), 'services[0].ports[0].port', 'found "80"'],
  [model(port({ backends: undefined })), 'services[0].ports[0].backends', 'a list of backends'],
  [
    model(service({ name: 'a' }), service({ addresses: ['10.96.0.2'] }), {
      ...backend({}),
      name: 'b',
      addresses: ['10.96.0.3'],
      ports: [
        {
          protocol: 'UDP',
          port: 53,
          backends: [
            { address: '10.1.1.2', port: 53 },
            { address: '10.1.2.2', port: 53, weight: 65_536 },
          ],
        },
      ],
    }),
    'services[2].ports[0].backends[1].weight',
    'a weight from 0 to 65,535, found 65536',
  ],
  [
    model(backend({ address: 'web-1' })),
    'services[0].ports[0].backends[0].address',
    'found "web-1"',
  ],
  [
    model(port({ backends: [backendRow('10.1.1.2'), backendRow('10.1.1.2')] })),
    'services[0].ports[0].backends[1]',
    'backends[0] already',
  ],
  [
    model(
      service({
        ports: [
          { name: 'a', protocol: 'TCP', port: 80, backends: [] },
          { name: 'b', protocol: 'TCP', port: 80, backends: [] },
        ],
      }),
    ),
    'services[0].ports[1].port',
    'once per protocol',
  ],
  [
    model(service({ ports: [...service().ports, { protocol: 'UDP', port: 80, backends: [] }] })),
    'services[0].ports[0].name',
    'a service of several ports',
  ],
  [model(service(), service()), 'services[1].name', 'names must differ within a namespace'],
  [
    model(service({ name: 'zoo' }), service({ name: 'ant' })),
    'services[1].addresses[0]',
    'services default/ant and default/zoo both answer on 10.96.0.10:80/TCP',
  ],
];

function balanced(loadBalancer: unknown) {
  return model(service({ loadBalancer }));
}

const icmp = (over: object) => model(port({ protocol: 'ICMP', port: 0, ...over }));

const SERVICES_OF_ALL_TYPES: Row[] = [
  [
    model(service({ addresses: [] })),
    'services[0].addresses',
    'at least one address (there is no other destination)',
  ],
  [model(service({ externalIPs: 'x' })), 'services[0].externalIPs', 'a list of addresses'],
  [
    model(service({ externalIPs: ['192.0.2.1', '192.0.2.1'] })),
    'services[0].externalIPs[1]',
    'given twice',
  ],
  [
    model(service({ externalIPs: ['10.96.0.10'] })),
    'services[0].externalIPs[0]',
    "among the service's own addresses",
  ],
  [balanced([]), 'services[0].loadBalancer', 'expected an object with addresses'],
  [balanced({ address: [] }), 'services[0].loadBalancer.address', 'did you mean addresses?'],
  [balanced({ addresses: ['10.96.0.10'] }), 'services[0].loadBalancer.addresses[0]', 'leave one'],
  [
    balanced({ addresses: [], sourceRanges: ['192.0.2.1'] }),
    'services[0].loadBalancer.sourceRanges[0]',
    'write 192.0.2.1/32',
  ],
  [
    balanced({ addresses: [], sourceRanges: ['10.0.0.0/8', '2001:db8::1/32'] }),
    'services[0].loadBalancer.sourceRanges[1]',
    'write 2001:db8::/32',
  ],
  [
    model(service({ internalTrafficPolicy: 'local' })),
    'services[0].internalTrafficPolicy',
    'did you mean Local?',
  ],
  [
    model(service({ externalTrafficPolicy: 'Node' })),
    'services[0].externalTrafficPolicy',
    'expected Cluster or Local',
  ],
  [model(service({ affinity: 10 })), 'services[0].affinity', 'an object with timeoutSeconds'],
  [
    model(service({ affinity: { timeoutSeconds: 86_401 } })),
    'services[0].affinity.timeoutSeconds',
    'seconds from 1 to 86,400, found 86401',
  ],
  [model(port({ nodePort: 0 })), 'services[0].ports[0].nodePort', 'from 1 to 65,535'],
  [model(port({ protocol: 'DCCP' })), 'services[0].ports[0].protocol', 'TCP, UDP, SCTP or ICMP'],
  [icmp({ port: 8 }), 'services[0].ports[0].port', 'no port, or 0 (the protocol is ICMP)'],
  [icmp({ nodePort: 30_000 }), 'services[0].ports[0].nodePort', 'answers echo requests itself'],
  [
    icmp({ backends: [{ address: '10.1.1.2', port: 80 }] }),
    'services[0].ports[0].backends[0].port',
    'no port, or 0',
  ],
  [
    model(
      service({
        ports: [
          { name: 'a', protocol: 'ICMP', backends: [] },
          { name: 'b', protocol: 'ICMP', backends: [] },
        ],
      }),
    ),
    'services[0].ports[1].port',
    'ICMP is ports[0] already',
  ],
  [
    model(backend({ address: 'fd00::1' })),
    'services[0].ports[0].backends[0].address',
    'fd00::1 is IPv6 and the service has no such address',
  ],
  [model(backend({ flush: 'yes' })), 'services[0].ports[0].backends[0].flush', 'true or false'],
  [model(backend({ ready: 1 })), 'services[0].ports[0].backends[0].ready', 'found 1'],
  [model(backend({ node: '' })), 'services[0].ports[0].backends[0].node', 'the name of a node'],
  [
    model(backend({ hints: { zone: ['a'] } })),
    'services[0].ports[0].backends[0].hints.zone',
    'did you mean zones?',
  ],
  [
    model(backend({ hints: { zones: ['a', 3] } })),
    'services[0].ports[0].backends[0].hints.zones[1]',
    'expected a text, found 3',
  ],
  [
    model(
      service({ name: 'a' }),
      service({ name: 'b', addresses: ['10.96.0.2'], externalIPs: ['10.96.0.10'] }),
    ),
    'services[1].externalIPs[0]',
    'services default/a and default/b both answer on 10.96.0.10:80/TCP',
  ],
  [
    model(
      service({ name: 'a', addresses: ['fd00::a'] }),
      service({ name: 'b', addresses: [], loadBalancer: { addresses: ['fd00::a'] } }),
    ),
    'services[1].loadBalancer.addresses[0]',
    'both answer on [fd00::a]:80/TCP',
  ],
  [
    model(
      { ...port({ nodePort: 30_000 }), name: 'a' },
      { ...port({ nodePort: 30_000 }), name: 'b', addresses: ['10.96.0.2'] },
    ),
    'services[1].ports[0].nodePort',
    'services default/a and default/b both answer on node port 30000/TCP',
  ],
  [
    model(
      service({
        ports: [
          { name: 'a', protocol: 'TCP', port: 80, nodePort: 30_000, backends: [] },
          { name: 'b', protocol: 'TCP', port: 81, nodePort: 30_000, backends: [] },
        ],
      }),
    ),
    'services[0].ports[1].nodePort',
    'two ports of default/web both answer on node port 30000/TCP',
  ],
];

const NODES: Row[] = [
  ['a', 'node', 'expected an object with name, zone'],
  [{ nodeName: 'a' }, 'node.nodeName', 'unknown key "nodeName"'],
  [{ name: '' }, 'node.name', 'the name of a node'],
  [{ zone: 3 }, 'node.zone', 'the name of a zone'],
  [{ addresses: ['10.0.0.1/24'] }, 'node.addresses[0]', 'an IP address such as'],
  [{ addresses: ['::1'] }, 'node.addresses[0]', 'a unicast address outside'],
  [{ nodePortAddresses: ['primary', 'any'] }, 'node.nodePortAddresses[1]', 'or all, or primary'],
  [{ nodePortAddresses: ['10.0.0.1'] }, 'node.nodePortAddresses[0]', 'write 10.0.0.1/32'],
  [{ podNetworks: ['10.1.2.0/16'] }, 'node.podNetworks[0]', 'write 10.1.0.0/16'],
  [{ podNetworks: '10.1.0.0/16' }, 'node.podNetworks', 'a list of networks'],
  [{ serviceNetworks: ['fd00::1/64'] }, 'node.serviceNetworks[0]', 'write fd00::/64'],
  [{ masqueradeAll: 'yes' }, 'node.masqueradeAll', 'true or false, found "yes"'],
];

function backendRow(address: string) {
  return { address, port: 80 };
}

const INTERFACES: Row[] = [
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
  ['10.1.0.0/16', '--route[0].via', 'a route needs via=ADDRESS'],
  ['10.1.0.0,dev=a', '--route[0].prefix', 'write 10.1.0.0/32'],
  ['10.1.0.1/16,dev=a', '--route[0].prefix', 'write 10.1.0.0/16'],
  ['fd00::1/64,dev=a', '--route[0].prefix', 'write fd00::/64'],
  ['fd00::1,dev=a', '--route[0].prefix', 'write fd00::1/128'],
  ['10.1.0.0/16,via=fd00::1', '--route[0].via', "the prefix's family, IPv4"],
  ['default,via=fe80::1', '--route[0].dev', 'name the interface with dev='],
  ['default,gw=10.0.0.1', '--route[0].gw', 'unknown key "gw"'],
  ['default,via=10.0.0', '--route[0].via', 'such as 10.0.0.254'],
  ['default,via=224.0.0.1', '--route[0].via', 'the address of a next hop'],
  ['default,dev=a,mac=ff:ff:ff:ff:ff:ff', '--route[0].mac', 'unicast MAC'],
];

const eth0 = { kind: 'memory', name: 'eth0', addresses: ['10.0.0.1/24'] };
const ROUTES: Row[] = [
  [[{ prefix: 'default', via: '10.0.1.1' }], 'routes[0].via', 'on the link of no interface'],
  [[{ prefix: 'default', via: '10.0.0.1' }], 'routes[0].via', 'our own address on eth0'],
  [[{ prefix: 'default', dev: 'eth' }], 'routes[0].dev', 'did you mean eth0?'],
  [[{ prefix: '10.0.0.0/24', dev: 'eth0' }], 'routes[0].prefix', 'has its route already'],
  [
    [
      { prefix: 'default', dev: 'eth0' },
      { prefix: '0.0.0.0/0', dev: 'eth0' },
    ],
    'routes[1].prefix',
    'a prefix may be given once',
  ],
];

const OPTIONS: Row[] = [
  [[], undefined, 'expected an object'],
  [{ engine: 'dppk' }, 'engine', 'did you mean dpdk?'],
  [{ worker: 2 }, 'worker', 'did you mean workers?'],
  [{ workers: 0 }, 'workers', 'from 1 to 64, found 0'],
  [{ flows: 1e9 }, 'flows', 'from 16 to 16,777,216'],
  [{ backends: 1.5 }, 'backends', 'a whole number from 1'],
  [{ memory: '256M' }, 'memory', 'found "256M"'],
  [{ hugepages: true }, 'hugepages', 'expected auto, on or off'],
  [{ flows6: 1 }, 'flows6', 'from 16 to 16,777,216'],
  [{ affinities: 0 }, 'affinities', 'from 1 to'],
  [{ routes: 0 }, 'routes', 'from 1 to'],
  [{ heldPerNeighbour: 0 }, 'heldPerNeighbour', 'from 1 to'],
  [{ heldPackets: 0 }, 'heldPackets', 'from 1 to'],
  [{ fragments: 0 }, 'fragments', 'from 1 to'],
  [{ fragmentPackets: 1e6 }, 'fragmentPackets', 'to 65,536'],
  [{ icmpRate: -1 }, 'icmpRate', 'from 0 to 1,000,000'],
  [{ snatPortMin: 0 }, 'snatPortMin', 'from 1 to 65,535'],
  [{ snatPortMax: 65_536 }, 'snatPortMax', 'from 1 to 65,535'],
  [{ tcpPickup: 1 }, 'tcpPickup', 'true or false'],
  [{ timeouts: { tcp: 30 } }, 'timeouts.tcp', 'tcpSynReceived'],
  [{ timeouts: { udp: 30 } }, 'timeouts.udp', 'udpUnreplied'],
  [{ timeouts: { udpStream: 0 } }, 'timeouts.udpStream', 'seconds from 1 to'],
];

const CONFIGS: [string, ErrorCode, string, string][] = [
  ['[1]', 'ERR_CONFIG', 'a.yaml', 'expected an object with interfaces'],
  ['a: {', 'ERR_CONFIG', 'a.yaml', 'not YAML'],
  ['interface: []', 'ERR_CONFIG', 'a.yaml: interface', 'did you mean interfaces?'],
  ['interfaces: tap:a', 'ERR_CONFIG', 'a.yaml: interfaces', 'expected a list of interfaces'],
  [
    'interfaces: ["tap:a", {kind: tap, name: b, mtu: 1}]',
    'ERR_INTERFACE_SPEC',
    'a.yaml: interfaces[1].mtu',
    'from 576',
  ],
  [
    'interfaces: ["memif:a"]',
    'ERR_INTERFACE_SPEC',
    'a.yaml: interfaces[0].socket',
    'needs a socket',
  ],
  ['routes: ["default"]', 'ERR_ROUTE_SPEC', 'a.yaml: routes[0].via', 'a route needs via'],
  ['node: {zone: [a]}', 'ERR_CONFIG', 'a.yaml: node.zone', 'the name of a zone'],
  ['serviceProxyName: 3', 'ERR_CONFIG', 'a.yaml: serviceProxyName', 'the name of a proxy'],
  ['options: {tcpPickup: 1}', 'ERR_CONFIG', 'a.yaml: options.tcpPickup', 'true or false'],
  ['manifests: [3]', 'ERR_CONFIG', 'a.yaml: manifests[0]', 'the path of a manifest'],
  ['engine: fast', 'ERR_CONFIG', 'a.yaml: engine', 'expected auto, dpdk or software'],
  ['options: {flow: 9}', 'ERR_CONFIG', 'a.yaml: options.flow', 'did you mean flows?'],
];

function table(
  name: string,
  code: ErrorCode,
  rows: readonly Row[],
  run: (input: never) => unknown,
): void {
  for (const [index, [input, path, fragment]] of rows.entries()) {
    test(`${name} ${index}: ${path ?? 'as a whole'}: ${fragment}`, (t) => {
      const error = t.throws(() => run(input as never), { instanceOf: SluiceError });
      t.is(error?.code, code);
      t.is(error?.path, path);
      t.true(error?.message.includes(fragment), error?.message);
    });
  }
}

table('model', 'ERR_MODEL', MODELS, checkModel);
table('service', 'ERR_MODEL', SERVICES_OF_ALL_TYPES, checkModel);
table('node', 'ERR_MODEL', NODES, (node) => checkModel({ node }));
table(
  'options together',
  'ERR_OPTIONS',
  [[{ snatPortMin: 2_000, snatPortMax: 1_999 }, 'snatPortMin', 'at most snatPortMax']],
  (options) => fillOptions(options, ENGINE_DEFAULTS),
);
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
table('options', 'ERR_OPTIONS', OPTIONS, (options) => checkOpenOptions(options));

for (const [text, code, path, fragment] of CONFIGS) {
  test(`config ${text}: ${fragment}`, (t) => {
    const error = t.throws(() => parseConfig(text, 'a.yaml'), { instanceOf: SluiceError, code });
    t.is(error?.path, path);
    t.true(error?.message.includes(fragment), error?.message);
  });
}
