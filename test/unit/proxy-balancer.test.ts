// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import test from 'ava';
import { stringify } from 'yaml';
import { SluiceError } from '../../lib/errors.js';
import type { BalancerSpec } from '../../lib/model/model.js';
import type { ManifestInput } from '../../lib/proxy/input.js';
import type { ServiceProxy } from '../../lib/proxy/service-proxy.js';
import { packet, read } from '../support/packets.js';
import { openProxy, service } from '../support/proxy.js';

const VIP = '203.0.113.10';
const BALANCER: BalancerSpec = { tunnel: 'gre', local: '10.0.0.1', nodes: { role: 'worker' } };
const ROUTE = '10.1.0.0/25,dev=pods,mac=02:00:00:00:00:b2';

const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { clusterIP: '10.96.0.10', externalIPs: [VIP], ports: [{ port: 80 }] },
};
const node = (number: number, over: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: `n${number}`, labels: { role: 'worker' } },
  status: { addresses: [{ type: 'InternalIP', address: `10.1.0.${10 + number}` }] },
  ...over,
});

const manifests = (objects: readonly object[], more: Partial<ManifestInput> = {}) => ({
  manifests: '-',
  stdin: Readable.from([objects.map((object) => stringify(object)).join('---\n')]),
  balancer: BALANCER,
  ...more,
});

const names = (proxy: ServiceProxy) => proxy.interfaces.list().map(({ name }) => name);

/** Sends a packet of each client port, and says to which node each went. */
function choices(proxy: ServiceProxy, ports: readonly number[], flags = 'S'): string[] {
  proxy.interfaces.send(
    'up',
    ports.map((src) => syn(src, flags)),
  );
  proxy.step(1_000);
  return proxy.interfaces.receive('pods').map((frame) => read(frame).ipv4!.dst);
}

function syn(src: number, flags = 'S'): Uint8Array {
  return packet()
    .eth({ src: '02:00:00:00:00:aa', dst: '02:00:00:00:00:01' })
    .ipv4({ src: '198.51.100.9', dst: VIP })
    .tcp({ src, dst: 80, flags })
    .build();
}

const PORTS = Array.from({ length: 60 }, (_, i) => 20_000 + i);

test('a balancer sends to nodes through tunnels, and two of them choose alike', async (t) => {
  await using one = await openProxy();
  await using two = await openProxy();
  const objects = [SERVICE, node(1), node(2), node(3)];
  t.like(await one.apply(manifests(objects)), { services: 1, backends: 3, warnings: [] });
  await two.apply(manifests(objects.toReversed(), { balancer: { ...BALANCER, key: 'flow' } }));
  t.deepEqual(names(one), ['up', 'pods', 'to-n1', 'to-n2', 'to-n3']);
  t.deepEqual(
    one.interfaces.specs().map(({ name }) => name),
    ['up', 'pods'],
    'nobody gave the others',
  );
  const chosen = choices(one, PORTS);
  t.is(new Set(chosen).size, 3);
  t.deepEqual(choices(two, PORTS), chosen);
});

test('another balancer takes connections over midway, and a new node moves none', async (t) => {
  await using one = await openProxy();
  await using two = await openProxy();
  for (const proxy of [one, two]) await proxy.apply(manifests([SERVICE, node(1), node(2)]));
  const chosen = choices(one, PORTS);
  t.deepEqual(choices(two, PORTS, 'A'), chosen);
  const report = await one.apply(manifests([SERVICE, node(1), node(2), node(3)]));
  t.true(report.changed);
  t.deepEqual(choices(one, PORTS, 'A'), chosen);
  const later = choices(
    one,
    PORTS.map((port) => port + 1_000),
  );
  t.true(later.includes('10.1.0.13'));
});

test('a cordoned node keeps its connections; one that is gone does not', async (t) => {
  await using proxy = await openProxy();
  await proxy.apply(manifests([SERVICE, node(1), node(2)]));
  const chosen = choices(proxy, PORTS);
  const cordoned = node(2, { spec: { unschedulable: true } });
  await proxy.apply(manifests([SERVICE, node(1), cordoned]));
  t.deepEqual(choices(proxy, PORTS, 'A'), chosen);
  const later = PORTS.map((port) => port + 1_000);
  t.deepEqual(new Set(choices(proxy, later)), new Set(['10.1.0.11']));
  await proxy.apply(manifests([SERVICE, node(1)]));
  t.deepEqual(names(proxy), ['up', 'pods', 'to-n1']);
  t.deepEqual(new Set(choices(proxy, PORTS, 'A')), new Set(['10.1.0.11']));
  await proxy.apply(manifests([SERVICE, cordoned]));
  t.deepEqual(new Set(choices(proxy, later)), new Set(['10.1.0.12']), 'where there is no other');
});

test('without a node connections are refused', async (t) => {
  await using proxy = await openProxy();
  await proxy.apply(manifests([SERVICE, node(1, { metadata: { name: 'n1' } })]));
  const { reason, rejected } = await proxy.explain({
    from: '198.51.100.9',
    to: VIP,
    port: 80,
    interface: 'up',
  });
  t.is(reason?.name, 'no_backend');
  t.true(rejected);
});

test('explain names the tunnel and the node', async (t) => {
  await using proxy = await openProxy();
  await proxy.apply(manifests([SERVICE, node(1)]));
  const input = { from: '198.51.100.9', to: VIP, port: 80, interface: 'up' };
  const { route, encap, backend, text } = await proxy.explain(input);
  t.is(route?.interface, 'to-n1');
  t.is(encap?.remote, '10.1.0.11');
  t.like(backend, { address: '10.1.0.11', port: 0, node: 'n1' });
  const lines = text.map((line) => line.replace(/ +/g, ' '));
  for (const line of [
    'backend 10.1.0.11 of default/web, node n1',
    'source kept',
    'route out by to-n1, on its link, MAC 02:00:00:00:00:00',
    'tunnelled to 10.1.0.11, out by pods, at 02:00:00:00:00:b2',
    'fate forwarded',
  ])
    t.true(lines.includes(line), `${line} in ${lines.join('\n')}`);
});

const SLICE = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ port: 8080 }],
  endpoints: [{ addresses: ['10.244.1.2'], nodeName: 'n1' }],
};
const LOCAL = { ...SERVICE, spec: { ...SERVICE.spec, externalTrafficPolicy: 'Local' } };
const NODE_MAC = '02:00:00:00:01:01';

for (const { spec, end } of [
  { spec: { ...BALANCER, key: 'flow' }, end: 'gre:from-lb,key=flow' },
  { spec: { ...BALANCER, tunnel: 'ipip' }, end: 'ipip:from-lb' },
  {
    spec: { ...BALANCER, tunnel: 'vxlan', vni: 7, nodeMac: NODE_MAC },
    end: `vxlan:from-lb,vni=7,mac=${NODE_MAC}`,
  },
] as const) {
  test(`from a balancer to a node by ${spec.tunnel}, which answers the client straight`, async (t) => {
    await using balancer = await openProxy();
    await using node1 = await openProxy({
      interfaces: [
        'memory:up,address=10.1.0.11/24,mac=02:00:00:00:00:b2',
        'memory:pod,scope=pod,address=10.244.1.1/24,mac=02:00:00:00:02:01',
        `${end},local=10.1.0.11,peer=10.0.0.1/32`,
      ],
      routes: [
        'default,via=10.1.0.1,mac=02:00:00:00:00:fe',
        '10.244.1.2/32,dev=pod,mac=02:00:00:00:02:02',
      ],
      node: { name: 'n1' },
    });
    const objects = [LOCAL, SLICE, node(1), node(2)];
    await balancer.apply(manifests(objects, { balancer: spec }));
    const { balancer: _, ...served } = manifests(objects);
    await node1.apply(served);

    balancer.interfaces.send('up', [syn(20_000)]);
    balancer.step(1_000);
    node1.interfaces.send('up', balancer.interfaces.receive('pods'));
    node1.step(1_000);
    const [arrived] = node1.interfaces.receive('pod').map((frame) => read(frame));
    t.like(arrived?.ipv4, { src: '198.51.100.9', dst: '10.244.1.2' });
    t.is(arrived?.tcp?.dst, 8_080);

    const answer = packet()
      .eth({ src: '02:00:00:00:02:02', dst: '02:00:00:00:02:01' })
      .ipv4({ src: '10.244.1.2', dst: '198.51.100.9' })
      .tcp({ src: 8_080, dst: 20_000, flags: 'SA' })
      .build();
    node1.interfaces.send('pod', [answer]);
    node1.step(1_001);
    const [reply] = node1.interfaces.receive('up').map((frame) => read(frame));
    t.like(reply?.ipv4, { src: VIP, dst: '198.51.100.9' });
    t.is(reply?.tcp?.src, 80);
  });
}

test('tunnels stay where services do, and go with them', async (t) => {
  await using proxy = await openProxy();
  await proxy.apply(manifests([SERVICE, node(1)]));
  await proxy.interfaces.add('memory:late,address=10.5.0.1/24');
  t.deepEqual(names(proxy), ['up', 'pods', 'to-n1', 'late']);
  await proxy.apply(manifests([SERVICE, node(1), node(2)]));
  t.deepEqual(names(proxy).sort(), ['late', 'pods', 'to-n1', 'to-n2', 'up']);
  const specs = proxy.interfaces.specs().filter(({ name }) => name !== 'late');
  await proxy.apply({ interfaces: specs });
  t.deepEqual(names(proxy).sort(), ['pods', 'to-n1', 'to-n2', 'up']);
  await t.throwsAsync(proxy.interfaces.remove('to-n1'), { code: 'ERR_ROUTE_SPEC' });
  await proxy.apply({ services: [service('dns', 53, ['10.1.0.2'])] });
  t.deepEqual(names(proxy), ['up', 'pods']);
  await proxy.apply(manifests([SERVICE, node(1)]));
  const { balancer: _, ...endpoints } = manifests([SERVICE, node(1)]);
  await proxy.apply(endpoints);
  t.deepEqual(names(proxy), ['up', 'pods'], 'a node has no tunnels');
});

const REFUSED: [
  what: string,
  input: (proxy: ServiceProxy) => object,
  path: string,
  words: RegExp,
][] = [
  [
    'a name that is taken',
    (proxy) =>
      manifests([SERVICE, node(1), node(2)], {
        interfaces: [...proxy.interfaces.specs(), { kind: 'memory', name: 'to-n2' }],
      }),
    'interfaces[2].name',
    /"to-n2" is the name of a tunnel of the balancer/,
  ],
  [
    'the balancer itself',
    () => manifests([SERVICE], { balancer: { ...BALANCER, key: -1 } }),
    'balancer.key',
    /a key, or flow/,
  ],
  [
    'services beside manifests',
    () => ({ ...manifests([SERVICE]), services: [] }),
    'services',
    /come from the manifests/,
  ],
];

for (const [what, input, path, words] of REFUSED) {
  test(`refused, and nothing has changed: ${what}`, async (t) => {
    await using proxy = await openProxy();
    await proxy.apply(manifests([SERVICE, node(1)]));
    const error = await t.throwsAsync(proxy.apply(input(proxy) as ManifestInput), {
      instanceOf: SluiceError,
    });
    t.is(error?.path, path);
    t.regex(error?.message ?? '', words);
    t.deepEqual(names(proxy), ['up', 'pods', 'to-n1']);
  });
}

test('a limit of interfaces is named, and nothing has changed', async (t) => {
  await using proxy = await openProxy({ maxInterfaces: 3, routes: [ROUTE] });
  await proxy.apply(manifests([SERVICE, node(1)]));
  await t.throwsAsync(proxy.apply(manifests([SERVICE, node(1), node(2)])), {
    code: 'ERR_INTERFACE_LIMIT',
  });
  t.deepEqual(names(proxy), ['up', 'pods', 'to-n1']);
  t.is(choices(proxy, [20_000]).length, 1);
});
