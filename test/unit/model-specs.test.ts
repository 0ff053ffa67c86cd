// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import test from 'ava';
import fc from 'fast-check';
import { ENGINE_DEFAULTS } from '../../lib/engine/engine.js';
import { formatMac, formatPrefix } from '../../lib/model/address.js';
import { checkModel } from '../../lib/model/check.js';
import { NODE_KEYS } from '../../lib/model/check-node.js';
import { CONFIG_KEYS, parseConfig, readConfigFile } from '../../lib/model/config-file.js';
import { formatInterfaceSpec, parseInterfaceSpec } from '../../lib/model/interface-spec.js';
import {
  INTERFACE_KINDS,
  type InterfaceSpec,
  type NextHopSpec,
  type RouteSpec,
} from '../../lib/model/model.js';
import {
  checkOpenOptions,
  fillOptions,
  OPTION_KEYS,
  TIMEOUT_KEYS,
} from '../../lib/model/options.js';
import { formatRouteSpec, parseRouteSpec } from '../../lib/model/route-spec.js';

const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,15}$/);
const path = fc.stringMatching(/^\/[a-z0-9./_=:-]{1,60}$/);
const mac = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((bytes) => formatMac(Uint8Array.from([0x02, ...bytes.slice(1)])));
const host = fc.integer({ min: 1, max: 253 }).map((low) => `10.0.0.${low}`);

const queues = fc.integer({ min: 1, max: 64 });

const TUNNEL = {
  local: fc.constantFrom('192.0.2.1', '198.51.100.7'),
  ttl: fc.integer({ min: 1, max: 255 }),
};

const KIND_KEYS: Record<(typeof INTERFACE_KINDS)[number], object> = {
  memif: {
    socket: path,
    role: fc.constantFrom('server', 'client'),
    id: fc.nat(65_535),
    secret: name,
    queues,
  },
  'vhost-user': { socket: path, role: fc.constantFrom('server', 'client'), queues },
  'virtio-user': { socket: path, queues },
  tap: { netns: name, device: name, queues },
  af_packet: { device: name, kernel: fc.constantFrom('sees', 'blind'), queues },
  pcap: { rx: path.map((file) => `${file}.in`), tx: path.map((file) => `${file}.out`) },
  memory: {},
  gre: { ...TUNNEL, key: fc.oneof(fc.constant('flow'), fc.nat(0xffff_ffff)) },
  ipip: { ...TUNNEL, remote: fc.constant('192.0.2.2') },
  vxlan: { ...TUNNEL, vni: fc.nat(0xff_ffff), port: fc.integer({ min: 1, max: 65_535 }) },
};

const interfaceSpec = fc.constantFrom(...INTERFACE_KINDS).chain((kind) =>
  fc.record(
    {
      kind: fc.constant(kind),
      name,
      addresses: fc.uniqueArray(host, { minLength: 1, maxLength: 3 }).map((hosts) => {
        return [...hosts.map((address) => `${address}/24`), 'fd00::1/64'];
      }),
      mac,
      mtu: fc.integer({ min: 576, max: 9_000 }),
      scope: fc.constantFrom('outside', 'pod', 'host'),
      ...('local' in KIND_KEYS[kind]
        ? {}
        : {
            worker: fc.nat(127),
            checksums: fc.constantFrom('finished', 'unfinished'),
            rss: fc.constantFrom('off', ...('queues' in KIND_KEYS[kind] ? [] : ['software'])),
          }),
      ...KIND_KEYS[kind],
    },
    {
      requiredKeys: [
        'kind',
        'name',
        ...('socket' in KIND_KEYS[kind] ? ['socket'] : []),
        ...(kind === 'pcap' ? ['rx'] : []),
        ...('local' in KIND_KEYS[kind] ? ['local'] : []),
        ...(kind === 'vxlan' ? ['vni'] : []),
      ] as never,
    },
  ),
) as fc.Arbitrary<InterfaceSpec>;

test('interface specifications survive text and back', (t) => {
  fc.assert(
    fc.property(interfaceSpec, (spec) => {
      t.deepEqual(parseInterfaceSpec(formatInterfaceSpec(spec), '--interface'), spec);
    }),
    { numRuns: 500 },
  );
});

test('route specifications survive text and back', (t) => {
  const route = fc.record(
    {
      prefix: fc.constantFrom('10.1.0.0/16', 'default', '10.9.9.9/32'),
      via: host,
      dev: name,
      mac,
    },
    { requiredKeys: ['prefix', 'via'] },
  ) as fc.Arbitrary<RouteSpec>;
  fc.assert(
    fc.property(route, (spec) => {
      t.deepEqual(parseRouteSpec(formatRouteSpec(spec), '--route'), spec);
    }),
  );
});

test('routes of several next hops survive text and back', (t) => {
  const hop = fc.record(
    { via: host, dev: name, mac, weight: fc.integer({ min: 1, max: 255 }) },
    {
      requiredKeys: ['via'],
    },
  ) as fc.Arbitrary<NextHopSpec>;
  const several = fc
    .array(hop, { minLength: 2, maxLength: 5 })
    .map((nextHops): RouteSpec => ({ prefix: '10.1.0.0/16', nextHops }));
  fc.assert(
    fc.property(several, (spec) => {
      t.deepEqual(parseRouteSpec(formatRouteSpec(spec), '--route'), spec);
    }),
  );
});

const ROUTE_TEXTS: [text: string, spec: RouteSpec][] = [
  [
    '10.0.0.0/8,via=10.1.0.1,via=10.1.0.2',
    { prefix: '10.0.0.0/8', nextHops: [{ via: '10.1.0.1' }, { via: '10.1.0.2' }] },
  ],
  [
    '10.0.0.0/8,via=10.1.0.1,weight=3,via=10.1.0.2,dev=b,mac=02:00:00:00:00:01',
    {
      prefix: '10.0.0.0/8',
      nextHops: [
        { via: '10.1.0.1', weight: 3 },
        { via: '10.1.0.2', dev: 'b', mac: '02:00:00:00:00:01' },
      ],
    },
  ],
  // What stands before the first via is its own.
  [
    '10.0.0.0/8,dev=a,via=10.1.0.1,via=10.1.0.2',
    { prefix: '10.0.0.0/8', nextHops: [{ dev: 'a', via: '10.1.0.1' }, { via: '10.1.0.2' }] },
  ],
  ['10.0.0.0/8,dev=a,via=10.1.0.1', { prefix: '10.0.0.0/8', dev: 'a', via: '10.1.0.1' }],
  [
    '10.0.0.0/8,via=10.1.0.1,weight=7',
    { prefix: '10.0.0.0/8', nextHops: [{ via: '10.1.0.1', weight: 7 }] },
  ],
];

for (const [text, spec] of ROUTE_TEXTS) {
  test(`route in text: ${text}`, (t) => t.deepEqual(parseRouteSpec(text, '--route'), spec));
}

test('IPv6 routes; default is of the family of its next hop', (t) => {
  const { routes } = checkModel({
    routes: [
      { prefix: 'default', via: 'fe80::1', dev: 'up' },
      { prefix: 'default', dev: 'up' },
      { prefix: 'fd00:1::/48', via: 'fd00::fe' },
    ],
  });
  t.deepEqual(
    routes!.map(({ text }) => text),
    ['::/0', '0.0.0.0/0', 'fd00:1::/48'],
  );
});

test('reads the specification of the reference', (t) => {
  const text = 'memif:up,role=server,socket=/run/sluice/up.sock,id=0,address=10.0.0.1/24';
  t.deepEqual(parseInterfaceSpec(text, '--interface'), {
    kind: 'memif',
    name: 'up',
    role: 'server',
    socket: '/run/sluice/up.sock',
    id: 0,
    addresses: ['10.0.0.1/24'],
  });
});

test('who may send is written as addresses are', (t) => {
  const text = 'tap:cart,source=10.1.0.5,source=fd00:1::/64,scope=host';
  const spec = parseInterfaceSpec(text, '--interface');
  t.deepEqual(spec, {
    kind: 'tap',
    name: 'cart',
    sources: ['10.1.0.5', 'fd00:1::/64'],
    scope: 'host',
  });
  t.is(formatInterfaceSpec(spec), text);
  t.throws(() => parseInterfaceSpec('tap:cart,source=10.1', 'spec'), {
    message: /^spec\.source\[0\]: expected an address or a network/,
  });
});

test('an interface of a pod has its addresses, and scope pod', (t) => {
  const spec = parseInterfaceSpec('tap:cart,pod=shop/cart,source=10.1.0.5,source=fd00::5', 'spec');
  const [cart] = checkModel({ interfaces: [spec] }).interfaces!;
  t.is(cart!.scope, 'pod');
  t.is(cart!.pod, 'shop/cart');
  t.deepEqual(cart!.sources.map(formatPrefix), ['10.1.0.5/32', 'fd00::5/128']);
  const [host] = checkModel({ interfaces: [{ ...spec, scope: 'host' }] }).interfaces!;
  t.is(host!.scope, 'host');
});

test('fills in the defaults of every kind', (t) => {
  const { interfaces } = checkModel({
    interfaces: [
      { kind: 'memif', name: 'a', socket: '/a' },
      { kind: 'vhost-user', name: 'b', socket: '/b' },
      { kind: 'virtio-user', name: 'c', socket: '/c' },
      { kind: 'tap', name: 'd' },
      { kind: 'af_packet', name: 'e', device: 'eth0' },
      { kind: 'pcap', name: 'f', tx: 'out.pcap' },
      { kind: 'memory', name: 'g' },
    ],
  });
  t.deepEqual(
    interfaces!.map(({ parameters }) => parameters),
    [
      { socket: '/a', role: 'server', id: '0' },
      { socket: '/b', role: 'server' },
      { socket: '/c' },
      { device: 'd' },
      { device: 'eth0', kernel: 'sees' },
      { tx: 'out.pcap' },
      {},
    ],
  );
  const { mac: ours, mtu, worker, addresses, scope } = interfaces![0]!;
  t.deepEqual(
    { ours, mtu, worker, addresses, scope },
    { ours: null, mtu: 1500, worker: null, addresses: [], scope: 'outside' },
  );
  t.deepEqual(
    interfaces!.filter((each) => each.unfinishedChecksums).map(({ kind }) => kind),
    ['vhost-user', 'virtio-user', 'af_packet'],
  );
});

test('a socket path may be as long as the system allows', (t) => {
  const socket = `/${'s'.repeat(106)}`;
  t.notThrows(() => checkModel({ interfaces: [{ kind: 'vhost-user', name: 'a', socket }] }));
});

test('sorts backends by address bytes and port, and fills in weights', (t) => {
  const addresses = ['10.1.10.2', '10.1.9.2', '9.9.9.9'];
  const { services } = checkModel({
    services: [
      {
        name: 'web',
        addresses: ['10.96.0.10'],
        ports: [
          {
            protocol: 'TCP',
            port: 80,
            backends: [
              ...addresses.map((address) => ({ address, port: 8080 })),
              { address: '9.9.9.9', port: 443, weight: 0 },
            ],
          },
        ],
      },
    ],
  });
  t.is(services![0]!.namespace, 'default');
  t.deepEqual(
    services![0]!.ports[0]!.backends.map(({ address, port, weight }) => [address, port, weight]),
    [
      ['9.9.9.9', 443, 0],
      ['9.9.9.9', 8080, 1],
      ['10.1.9.2', 8080, 1],
      ['10.1.10.2', 8080, 1],
    ],
  );
  t.deepEqual(services![0]!.ports[0]!.backends[1], {
    address: '9.9.9.9',
    family: 4,
    port: 8080,
    weight: 1,
    flush: false,
    ready: true,
    serving: true,
    terminating: false,
    node: null,
    through: null,
    zoneHints: [],
    nodeHints: [],
  });
});

test('fills in the defaults of a service; serving is as ready', (t) => {
  const { services } = checkModel({
    services: [
      {
        name: 'echo',
        addresses: ['FD00:0::A', '10.96.0.1'],
        ports: [{ protocol: 'ICMP', backends: [{ address: 'fd00::1', ready: false }] }],
      },
    ],
  });
  t.like(services![0], {
    families: [4, 6],
    addresses: ['fd00::a', '10.96.0.1'],
    externalIPs: [],
    loadBalancer: [],
    internalTrafficPolicy: 'Cluster',
    externalTrafficPolicy: 'Cluster',
    affinity: 0,
  });
  t.like(services![0]!.ports[0], { port: 0, nodePort: 0 });
  t.like(services![0]!.ports[0]!.backends[0], { port: 0, ready: false, serving: false });
});

test('node ports are served on all addresses unless the node says where', (t) => {
  const nodePorts = (node: object) => checkModel({ node }).node!.nodePorts;
  t.deepEqual(nodePorts({}), { all: true, primary: false, networks: [] });
  t.true(nodePorts({ nodePortAddresses: [] }).all);
  t.like(nodePorts({ nodePortAddresses: ['primary', '10.0.0.0/8'] }), {
    all: false,
    primary: true,
  });
});

test('the options of a user are the options of the engine', (t) => {
  t.deepEqual([...OPTION_KEYS].sort(), Object.keys(ENGINE_DEFAULTS).sort());
  t.deepEqual([...TIMEOUT_KEYS].sort(), Object.keys(ENGINE_DEFAULTS.timeouts).sort());
  t.deepEqual(checkOpenOptions(ENGINE_DEFAULTS).options, ENGINE_DEFAULTS);
});

test('the reference has every key, and the default of every option', async (t) => {
  const rows = (await readFile('docs/reference/config.md', 'utf8'))
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const rowOf = (key: string, preset = '') =>
    rows
      .map((row) => row.split('|'))
      .find(([, names, , value]) => names!.includes(`\`${key}\``) && value!.includes(preset));
  const { timeouts, ...options } = ENGINE_DEFAULTS;
  for (const [key, value] of Object.entries({ ...options, ...timeouts })) {
    t.truthy(rowOf(key, value.toLocaleString('en-US')), key);
  }
  for (const key of [...NODE_KEYS, ...CONFIG_KEYS]) t.truthy(rowOf(key), key);
});

test('fills in the options that were left out, timeouts one by one', (t) => {
  const { engine, options } = checkOpenOptions({ flows: 64, timeouts: { udpStream: 7 }, log: 1 }, [
    'log',
  ]);
  t.is(engine, 'auto');
  t.deepEqual(fillOptions(options, ENGINE_DEFAULTS), {
    ...ENGINE_DEFAULTS,
    flows: 64,
    timeouts: { ...ENGINE_DEFAULTS.timeouts, udpStream: 7 },
  });
});

test('reads a configuration file; manifests hang from its folder', (t) => {
  const text =
    'manifests: [shop, /abs/x.yaml, "-"]\nroutes:\nengine: software\noptions: {flows: 64}\n' +
    'node: {name: a, podNetworks: [10.1.0.0/16]}\nserviceProxyName: sluice';
  t.deepEqual(parseConfig(text, '/etc/sluice/a.yaml'), {
    manifests: ['/etc/sluice/shop', '/abs/x.yaml', '-'],
    engine: 'software',
    options: { flows: 64 },
    node: { name: 'a', podNetworks: ['10.1.0.0/16'] },
    serviceProxyName: 'sluice',
  });
  t.deepEqual(parseConfig('', 'a.yaml'), {});
});

test('the example configuration is right', async (t) => {
  const config = await readConfigFile('examples/sluice.yaml');
  t.is(config.interfaces?.length, 6);
  t.deepEqual(config.routes?.[1], { prefix: 'default', via: '10.0.0.254' });
});

test('a configuration file that cannot be read is a typed error', async (t) => {
  const error = await t.throwsAsync(readConfigFile('no/such.yaml'), { code: 'ERR_CONFIG' });
  t.is(error?.message, 'no/such.yaml: there is no such file');
});
