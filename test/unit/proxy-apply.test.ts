// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'ava';
import type { Model, Service } from '../../lib/model/model.js';
import type { BackendEvent, InterfaceEvent } from '../../lib/proxy/events.js';
import { read } from '../support/packets.js';
import { openProxy, query, service } from '../support/proxy.js';

const MANIFEST = `
apiVersion: v1
kind: Service
metadata: {name: dns, namespace: kube-system}
spec:
  clusterIP: 10.96.0.10
  ports: [{port: 53, protocol: UDP}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: dns-1, namespace: kube-system, labels: {kubernetes.io/service-name: dns}}
addressType: IPv4
ports: [{name: "", port: 5353, protocol: UDP}]
endpoints: [{addresses: [10.1.0.2]}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
`;

test('packets go through an applied service, and everything shows them', async (t) => {
  await using proxy = await openProxy();
  const report = await proxy.apply({ services: [service('dns', 10, ['10.1.0.2'])] });
  t.like(report, { changed: true, services: 1, backends: 1, skipped: {}, warnings: [] });
  t.is(report.generation, proxy.stats().generation);

  t.is(proxy.interfaces.send('up', [query(10, 4_000), query(10, 4_001), query(10, 4_000)]), 3);
  proxy.step(1_000);
  const out = proxy.interfaces.receive('pods');
  t.is(out.length, 3);
  t.is(read(out[0]!).ipv4?.dst, '10.1.0.2');

  t.is(proxy.services[0]!.ports[0]!.backends[0]!.connections, 2);
  t.like(proxy.backends[0], { service: 'default/dns', state: 'active', connections: 2 });
  const { fates, flows, interfaces, workers, occupancy } = proxy.stats();
  t.like(fates, { rx: 3, forwarded: 3, tx: 3, dropped: 0, drops: {} });
  t.like(flows, { count: 2, capacity: 5_120, created: 2, expired: 0, evicted: 0, cleared: 0 });
  t.deepEqual(occupancy.flows, { used: 2, limit: 4_096 });
  t.deepEqual(occupancy.backends, { used: 1, limit: 256 });
  t.deepEqual(occupancy.frontends, { used: 1, limit: 1_048_576 });
  t.deepEqual(workers[0]!.occupancy.held, { used: 0, limit: 1_024 });
  t.like(interfaces, { 0: { name: 'up', rxPackets: 3 }, 1: { name: 'pods', txPackets: 3 } });
  t.is(workers.length, 1);

  const list = await proxy.flows();
  t.is(list.length, 2);
  const flow = list.find(({ clientPort }) => clientPort === 4_000);
  t.like(flow, {
    protocol: 'UDP',
    client: '10.0.0.9',
    address: '10.96.0.10',
    port: 53,
    backend: '10.1.0.2',
    backendPort: 5353,
    source: '10.0.0.9',
    sourcePort: 4_000,
    service: 'default/dns',
    state: 'unreplied',
    packets: 2,
  });
  t.is((await proxy.flows(1)).length, 1);
});

test('drops are counted by reason, zeroes left out', async (t) => {
  await using proxy = await openProxy();
  await proxy.apply({ services: [service('idle', 10, [])] });
  proxy.interfaces.send('up', [query(10, 1), query(11, 1), new Uint8Array(5)]);
  proxy.step(1_000);
  const { fates, workers } = proxy.stats();
  t.deepEqual(fates.drops, { malformed_ethernet: 1, no_backend: 1, no_route: 1 });
  t.is(fates.dropped, 3);
  t.deepEqual(workers[0]!.drops, fates.drops);
});

test('a state that is there already is not committed again', async (t) => {
  await using proxy = await openProxy();
  const model = { services: [service('a', 1, ['10.1.0.2'])] };
  const first = await proxy.apply(model);
  const again = await proxy.apply(structuredClone(model));
  t.false(again.changed);
  t.is(again.generation, first.generation);
  t.like(await proxy.apply({}), { changed: false, services: 1 });
});

test('a section that is left out stays, one that is given replaces', async (t) => {
  await using proxy = await openProxy();
  await proxy.apply({ services: [service('a', 1, ['10.1.0.2']), service('b', 2, [])] });
  await proxy.apply({ routes: [{ prefix: '10.9.0.0/16', via: '10.1.0.9' }] });
  t.is(proxy.services.length, 2);
  await proxy.apply({ services: [service('b', 2, [])] });
  t.deepEqual(
    proxy.services.map(({ name }) => name),
    ['b'],
  );
  t.is(proxy.interfaces.list().length, 2);
});

test('manifests: files, standard input, kinds that are passed over', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-proxy-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'dns.yaml');
  await writeFile(file, MANIFEST);
  await using proxy = await openProxy();
  const report = await proxy.apply({ manifests: file });
  t.like(report, { changed: true, services: 1, backends: 1, skipped: { ConfigMap: 1 } });
  t.is(proxy.services[0]!.namespace, 'kube-system');
  t.false((await proxy.apply({ manifests: [folder] })).changed);
  const stdin = Readable.from([MANIFEST.replace('10.1.0.2', '10.1.0.3')]);
  t.true((await proxy.apply({ manifests: '-', stdin })).changed);
  t.is(proxy.backends[0]!.address, '10.1.0.3');
  await writeFile(file, MANIFEST.replace('10.1.0.2', 'here'));
  await t.throwsAsync(proxy.apply({ manifests: file }), {
    code: 'ERR_MANIFEST',
    message: /dns\.yaml#2: /,
  });
  t.is(proxy.backends[0]!.address, '10.1.0.3');
});

const NODE_MANIFEST = `
apiVersion: v1
kind: Service
metadata: {name: dns}
spec:
  clusterIP: 10.96.0.10
  externalTrafficPolicy: Local
  ports: [{port: 53, protocol: UDP, nodePort: 30053}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: dns-1, labels: {kubernetes.io/service-name: dns}}
addressType: IPv4
ports: [{name: "", port: 5353, protocol: UDP}]
endpoints: [{addresses: [10.1.0.2], nodeName: worker-1, hints: {forZones: [{name: z}]}}, {addresses: [10.1.0.3], nodeName: worker-2, hints: {forZones: [{name: y}]}}]
---
apiVersion: v1
kind: Node
metadata: {name: worker-1, labels: {topology.kubernetes.io/zone: y}}
spec: {podCIDRs: [10.1.0.0/24]}
status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}
`;

test('the Node object of the node that was named is used, whoever named it', async (t) => {
  const states = (proxy: Awaited<ReturnType<typeof openProxy>>) =>
    proxy.backends.map(({ address, state }) => `${address} ${state}`);
  const input = () => ({ manifests: '-', stdin: Readable.from([NODE_MANIFEST]) });
  await using proxy = await openProxy({ node: { name: 'worker-1' } });
  await proxy.apply(input());
  t.deepEqual(states(proxy), ['10.1.0.2 active', '10.1.0.3 active'], 'one local, one in our zone');
  // Node port on the address of the Node object: the local pod alone, for others than pods.
  const asked = { from: '10.0.0.9', to: '192.168.0.2', port: 30_053, protocol: 'UDP' as const };
  t.like(await proxy.explain(asked), {
    service: { name: 'default/dns', kind: 'nodePort' },
    pool: { policy: 'Local' },
    backend: { address: '10.1.0.2' },
    masquerade: false,
  });
  t.false((await proxy.apply(input())).changed, 'the name is remembered');
  await proxy.apply({ ...input(), node: { name: 'worker-1', zone: 'z' } });
  t.deepEqual(states(proxy), ['10.1.0.2 active', '10.1.0.3 standby']);
  await t.throwsAsync(proxy.apply({ ...input(), node: { name: '' } }), {
    code: 'ERR_MODEL',
    message: /^node\.name: /,
  });
  t.false((await proxy.apply(input())).changed, 'what was refused is not remembered');
});

test('services of a proxy name', async (t) => {
  const label = 'labels: {service.kubernetes.io/service-proxy-name: sluice}';
  const ours = MANIFEST.replace('name: dns, ', `name: dns, ${label}, `);
  await using proxy = await openProxy();
  const apply = (serviceProxyName?: string) =>
    proxy.apply({
      manifests: '-',
      stdin: Readable.from([ours]),
      ...(serviceProxyName !== undefined && { serviceProxyName }),
    });
  t.is((await apply()).services, 0);
  t.is((await apply('sluice')).services, 1);
  await t.throwsAsync(apply(''), { code: 'ERR_MODEL', message: /^serviceProxyName: / });
});

test('overlapping applies are done in the order of the calls', async (t) => {
  await using proxy = await openProxy();
  const order: string[] = [];
  proxy.on('backend', ({ address, state }) => order.push(`${state} ${address}`));
  const applies = [2, 3, 4, 5].map((host) =>
    proxy.apply({ services: [service('a', 1, [`10.1.0.${host}`])] }),
  );
  const bad = proxy.apply({ services: [service('a', 1, ['nonsense'])] });
  await t.throwsAsync(bad, { code: 'ERR_MODEL' });
  const generations = (await Promise.all(applies)).map(({ generation }) => generation);
  t.deepEqual(
    generations,
    [0, 1, 2, 3].map((step) => generations[0]! + step),
  );
  t.deepEqual(order, [
    ...['added 10.1.0.2', 'removed 10.1.0.2', 'added 10.1.0.3', 'removed 10.1.0.3'],
    ...['added 10.1.0.4', 'removed 10.1.0.4', 'added 10.1.0.5'],
  ]);
});

test('an applied model may be changed by its owner afterwards', async (t) => {
  await using proxy = await openProxy();
  const mine = service('a', 1, ['10.1.0.2']) as { -readonly [K in keyof Service]: Service[K] };
  const applied = proxy.apply({ services: [mine] });
  mine.addresses = ['nonsense'];
  await applied;
  t.deepEqual(proxy.services[0]!.addresses, ['10.96.0.1']);
});

test('backends tell what becomes of them', async (t) => {
  await using proxy = await openProxy();
  const events: BackendEvent[] = [];
  proxy.on('backend', (event) => events.push(event));
  const states = async (backends: Parameters<typeof service>[2]): Promise<string[]> => {
    events.length = 0;
    await proxy.apply({ services: [service('a', 1, backends)] });
    return events.map(({ address, state }) => `${address} ${state}`);
  };
  const two = (weight: number) => ({ address: '10.1.0.2', weight });
  t.deepEqual(await states([two(1)]), ['10.1.0.2 added']);
  t.deepEqual(events[0], {
    service: 'default/a',
    portName: '',
    servicePort: 53,
    protocol: 'UDP',
    address: '10.1.0.2',
    port: 5353,
    state: 'added',
  });
  t.deepEqual(await states([two(0)]), ['10.1.0.2 draining']);
  t.is(proxy.backends[0]!.state, 'draining');
  t.deepEqual(await states([two(5)]), ['10.1.0.2 active']);
  t.deepEqual(await states([two(7)]), []);
  t.deepEqual(await states([{ address: '10.1.0.3', weight: 0 }]), [
    '10.1.0.2 removed',
    '10.1.0.3 added',
    '10.1.0.3 draining',
  ]);
  await proxy.apply({ services: [] });
  t.is(events.at(-1)!.state, 'removed');
});

test('connections count from the moment that a backend came', async (t) => {
  await using proxy = await openProxy();
  await proxy.apply({ services: [service('a', 1, ['10.1.0.2'])] });
  proxy.interfaces.send('up', [query(1, 1), query(1, 2), query(1, 3)]);
  proxy.step(1_000);
  t.is(proxy.backends[0]!.connections, 3);
  // The slot of the first backend is used again by the third.
  await proxy.apply({ services: [] });
  await proxy.apply({ services: [service('b', 2, ['10.1.0.3'])] });
  t.is(proxy.backends[0]!.connections, 0);
  t.true((await proxy.flows()).every((flow) => flow.service === null));
});

test('a listener that throws disturbs nobody', async (t) => {
  await using proxy = await openProxy();
  const thrown: unknown[] = [];
  const previous = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => thrown.push(error));
  const seen: InterfaceEvent[] = [];
  proxy.once('interface', () => {
    throw new Error('mine');
  });
  proxy.on('interface', (event) => seen.push(event));
  await proxy.interfaces.add('memory:late');
  await new Promise((resolve) => setImmediate(resolve));
  process.removeAllListeners('uncaughtException');
  for (const listener of previous) process.on('uncaughtException', listener);
  t.deepEqual(seen, [{ name: 'late', kind: 'memory', up: true, change: 'added' }]);
  t.is(thrown.length, 1);
});

const REFUSED: readonly [what: string, input: unknown, code: string, path: string | undefined][] = [
  ['nothing', undefined, 'ERR_MODEL', undefined],
  ['a text', 'shop.yaml', 'ERR_MODEL', undefined],
  ['an unknown section', { service: [] }, 'ERR_MODEL', 'service'],
  ['manifests that are no paths', { manifests: [3] }, 'ERR_MODEL', 'manifests'],
  ['manifests and services', { manifests: 'a.yaml', services: [] }, 'ERR_MODEL', 'services'],
  ['a file that is not there', { manifests: '/nowhere.yaml' }, 'ERR_MANIFEST', '/nowhere.yaml'],
  [
    'a bad port',
    {
      services: [
        {
          name: 'a',
          addresses: ['10.96.0.1'],
          ports: [{ protocol: 'TCP', port: 0, backends: [] }],
        },
      ],
    },
    'ERR_MODEL',
    'services[0].ports[0].port',
  ],
  [
    'a route over no interface',
    { routes: [{ prefix: '10.9.0.0/16', dev: 'gone' }] },
    'ERR_ROUTE_SPEC',
    'routes[0].dev',
  ],
  [
    'an interface that the engine does not carry',
    { interfaces: [{ kind: 'tap', name: 'x' }], routes: [] },
    'ERR_INTERFACE_KIND',
    undefined,
  ],
  [
    'more backends than there is room for',
    {
      services: [
        service(
          'big',
          9,
          Array.from({ length: 257 }, (_, index) => `10.2.${index >> 8}.${index & 255}`),
        ),
      ],
    },
    'ERR_CAPACITY',
    'services',
  ],
];

for (const [what, input, code, path] of REFUSED) {
  test(`apply refuses ${what} and changes nothing`, async (t) => {
    await using proxy = await openProxy();
    await proxy.apply({ services: [service('a', 1, ['10.1.0.2'])] });
    const before = { state: snapshot(proxy), stats: proxy.stats() };
    const error = await t.throwsAsync(proxy.apply(input as Model), { code });
    if (path !== undefined) t.is((error as { path?: string }).path, path);
    t.deepEqual({ state: snapshot(proxy), stats: proxy.stats() }, before);
  });
}

function snapshot(proxy: Awaited<ReturnType<typeof openProxy>>): unknown {
  return [proxy.services, proxy.backends, proxy.interfaces.list(), proxy.interfaces.specs()];
}
