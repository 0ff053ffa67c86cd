// SPDX-License-Identifier: Apache-2.0
import test, { type ExecutionContext } from 'ava';
import { SluiceError } from '../../lib/errors.js';
import type { ModelChange } from '../../lib/model/changes.js';
import type { Service } from '../../lib/model/model.js';
import type { Pod, Policy } from '../../lib/model/policy.js';
import type { BackendEvent } from '../../lib/proxy/events.js';
import type { ServiceProxy } from '../../lib/proxy/service-proxy.js';
import { openProxy, query, service } from '../support/proxy.js';

/** Names and backends of what runs. */
function running(proxy: ServiceProxy): string[] {
  return proxy.services.map(
    ({ name, ports }) =>
      `${name} ${ports.flatMap(({ backends }) => backends.map(({ address }) => address))}`,
  );
}

async function refuses(
  t: ExecutionContext,
  proxy: ServiceProxy,
  change: unknown,
  path: string,
  message: RegExp,
  code = 'ERR_MODEL',
): Promise<void> {
  const error = await t.throwsAsync(proxy.update(change as ModelChange), { message });
  t.true(error instanceof SluiceError);
  t.like(error, { code, path });
}

/** Which pool a packet to a destination finds, or whether none serves it. */
async function serving(proxy: ServiceProxy, to: string, port: number): Promise<string | null> {
  const { service } = await proxy.explain({ from: '10.0.0.9', to, port, protocol: 'UDP' });
  return service === null ? null : `${service.name.replace('default/', '')} ${service.kind}`;
}

test('what is put is there, what is removed has gone, and the rest stays as it is', async (t) => {
  await using proxy = await openProxy();
  const [a, b, c] = ['a', 'b', 'c'].map((name, n) => service(name, 10 + n, [`10.1.0.${2 + n}`]));
  const first = await proxy.update({ services: { put: [c!, a!] } });
  t.deepEqual(first, {
    ...{ generation: proxy.stats().generation, changed: true, services: 2, backends: 2 },
    ...{ skipped: {}, warnings: [] },
  });
  proxy.interfaces.send('up', [query(10, 4_000)]);
  proxy.step(1_000);
  await proxy.update({ services: { put: [b!], removed: ['default/c', 'default/never'] } });
  t.deepEqual(running(proxy), ['a 10.1.0.2', 'b 10.1.0.3']);
  t.is(proxy.backends[0]!.connections, 1, 'the counter of one that stays goes on');
  const more = service('a', 10, ['10.1.0.2', '10.1.0.9']);
  t.like(await proxy.update({ services: { put: [more] } }), { services: 2, backends: 3 });
  t.is(proxy.backends[0]!.connections, 1);
});

test('a change that changes nothing is no new program', async (t) => {
  await using proxy = await openProxy();
  const { generation } = await proxy.update({
    services: { put: [service('a', 10, ['10.1.0.2'])] },
  });
  for (const change of [
    {},
    { services: {} },
    { services: { put: [], removed: ['default/b'] }, pods: { removed: ['default/p'] } },
    { services: { put: [service('a', 10, ['10.1.0.2'])] } },
  ]) {
    t.like(await proxy.update(change), { generation, changed: false, services: 1, backends: 1 });
  }
});

test('mistakes are named where they are', async (t) => {
  await using proxy = await openProxy();
  await proxy.update({
    services: { put: [{ ...service('a', 10, []), externalIPs: ['192.0.2.1'] }] },
    pods: { put: [{ name: 'p', addresses: ['10.1.0.5'] }] },
  });
  const check = (change: unknown, path: string, message: RegExp, code?: string) =>
    refuses(t, proxy, change, path, message, code);
  await check({ service: {} }, 'service', /did you mean services/);
  await check({ services: [] }, 'services', /expected an object with put, removed, found an empty/);
  await check({ services: { put: {} } }, 'services.put', /a list of services/);
  await check({ services: { removed: ['default/a', 7] } }, 'services.removed[1]', /found 7/);
  await check({ services: { gone: [] } }, 'services.gone', /unknown key/);
  const wrong = service('b', 11, ['10.1.0.2', '10.1.0.300']);
  const at = 'services.put[1].ports[0].backends[1].address';
  await check({ services: { put: [service('c', 12, []), wrong] } }, at, /an IP address/);
  await check(
    { services: { put: [service('b', 11, []), service('b', 12, [])] } },
    ...(['services.put[1].name', /default\/b is services\.put\[0\] already/] as const),
  );
  await check(
    { services: { put: [service('b', 11, [])], removed: ['default/x', 'default/b'] } },
    ...(['services.removed[1]', /default\/b is services\.put\[0\] too/] as const),
  );
  await check(
    { services: { put: [service('b', 11, []), service('c', 10, [])] } },
    'services.put[1].addresses[0]',
    /services default\/a and default\/c both answer on 10\.96\.0\.10:53\/UDP/,
  );
  await check(
    { services: { put: [service('b', 11, []), { ...service('c', 11, []) }] } },
    ...(['services.put[1].addresses[0]', /default\/b and default\/c both answer/] as const),
  );
  await check(
    { pods: { put: [{ name: 'q', addresses: ['10.1.0.6', '10.1.0.5'] }] } },
    'pods.put[0].addresses[1]',
    /10\.1\.0\.5 is the address of default\/p already; give each pod its own/,
  );
  await check(
    { policies: { put: [{ name: 'x', tier: 'admim' }] } },
    'policies.put[0].tier',
    /admin/,
  );
  await check({ namespaces: { put: [{ name: 'A' }] } }, 'namespaces.put[0].name', /lower-case/);
  await check({ node: { name: 1 } }, 'node.name', /name of a node/);
  await check({ routes: [{ prefix: 'x' }] }, 'routes[0].prefix', /./, 'ERR_ROUTE_SPEC');
  t.deepEqual(running(proxy), ['a ']);
});

test('after a refused change everything is as if it had never been', async (t) => {
  await using proxy = await openProxy({ backends: 4 });
  const a = service('a', 10, ['10.1.0.2', '10.1.0.3']);
  await proxy.update({
    services: { put: [a] },
    pods: { put: [{ name: 'p', addresses: ['10.1.0.5'] }] },
  });
  const before = JSON.stringify([proxy.services, proxy.stats().generation]);
  const attempts: [ModelChange, string][] = [
    // Too many backends, found when a, b and the pod had been taken in.
    [
      {
        services: { put: [service('b', 11, ['10.1.0.4', '10.1.0.5', '10.1.0.6'])] },
        pods: { removed: ['default/p'] },
      },
      'ERR_CAPACITY',
    ],
    [
      {
        services: { removed: ['default/a'], put: [service('b', 10, [])] },
        routes: [{ prefix: '10.9.0.0/16', via: '10.8.0.1' }],
      },
      'ERR_ROUTE_SPEC',
    ],
    [
      {
        services: { removed: ['default/a'] },
        pods: { put: [{ name: 'q', addresses: ['10.1.0.5'] }] },
      },
      'ERR_MODEL',
    ],
    [
      {
        services: { removed: ['default/a'] },
        interfaces: [{ kind: 'pcap', name: 'x', rx: '/no/where' }],
        routes: [],
      },
      'ERR_INTERFACE',
    ],
  ];
  for (const [change, code] of attempts) {
    t.like(await t.throwsAsync(proxy.update(change)), { code });
    t.is(JSON.stringify([proxy.services, proxy.stats().generation]), before);
  }
  await refuses(
    t,
    proxy,
    { services: { put: [service('b', 10, [])] } },
    'services.put[0].addresses[0]',
    /default\/a and default\/b/,
  );
  await proxy.update({ services: { put: [service('b', 11, ['10.1.0.4', '10.1.0.5'])] } });
  t.deepEqual(running(proxy), ['a 10.1.0.2,10.1.0.3', 'b 10.1.0.4,10.1.0.5']);
});

test('destinations, node ports and addresses of pods pass from one to another', async (t) => {
  await using proxy = await openProxy();
  const withNodePort = (name: string, number: number, nodePort: number): Service => {
    const { ports, ...rest } = service(name, number, ['10.1.0.2']);
    return { ...rest, ports: ports.map((port) => ({ ...port, nodePort })) };
  };
  await proxy.update({
    services: { put: [withNodePort('a', 10, 30_000), withNodePort('b', 11, 30_001)] },
    pods: { put: [{ name: 'p', addresses: ['10.1.0.5'] }] },
  });
  await proxy.update({
    services: { put: [withNodePort('a', 11, 30_001), withNodePort('b', 10, 30_000)] },
    pods: { put: [{ name: 'q', addresses: ['10.1.0.5'] }], removed: ['default/p'] },
  });
  t.is(await serving(proxy, '10.96.0.10', 53), 'b cluster');
  t.is(await serving(proxy, '10.96.0.11', 53), 'a cluster');
  t.is(await serving(proxy, '10.0.0.1', 30_000), 'b nodePort');
  await proxy.update({
    services: { put: [withNodePort('c', 11, 30_001)], removed: ['default/a'] },
  });
  t.is(await serving(proxy, '10.0.0.1', 30_001), 'c nodePort');
  await proxy.update({ pods: { put: [{ name: 'p', addresses: ['10.1.0.6'] }] } });
  await proxy.update({
    pods: {
      put: [
        { name: 'p', addresses: ['10.1.0.5'] },
        { name: 'q', addresses: ['10.1.0.6'] },
      ],
    },
  });
  await refuses(
    t,
    proxy,
    { pods: { put: [{ name: 'r', addresses: ['10.1.0.6'] }] } },
    'pods.put[0].addresses[0]',
    /default\/q/,
  );
});

test('addresses of ours that services take or give back change the node ports of others', async (t) => {
  await using proxy = await openProxy();
  const { ports, ...web } = service('web', 10, ['10.1.0.2']);
  await proxy.update({
    services: { put: [{ ...web, ports: ports.map((port) => ({ ...port, nodePort: 30_000 })) }] },
  });
  const other = (more: Partial<Service>): Service => ({
    ...service('other', 11, ['10.1.0.3']),
    ...{ ...more, ports: [{ ...ports[0]!, port: 30_000 }] },
  });
  t.is(await serving(proxy, '10.0.0.1', 30_000), 'web nodePort');
  await proxy.update({ services: { put: [other({ externalIPs: ['10.0.0.1'] })] } });
  t.is(await serving(proxy, '10.0.0.1', 30_000), 'other external');
  t.is(await serving(proxy, '10.1.0.1', 30_000), 'web nodePort');
  await proxy.update({ services: { put: [other({})] } });
  t.is(await serving(proxy, '10.0.0.1', 30_000), 'web nodePort');

  const balancer = { ...service('lb', 12, []), loadBalancer: { addresses: ['10.0.0.1'] } };
  await proxy.update({ services: { put: [balancer] } });
  t.is(await serving(proxy, '10.0.0.1', 30_000), null, 'an address that is a service');
  t.is(await serving(proxy, '10.1.0.1', 30_000), 'web nodePort');
  await proxy.update({ services: { removed: ['default/lb'] } });
  t.is(await serving(proxy, '10.0.0.1', 30_000), 'web nodePort');
});

test('a node that changes plans all services anew', async (t) => {
  await using proxy = await openProxy();
  const { ports, ...rest } = service('web', 10, []);
  const backends = ['10.1.0.2', '10.1.0.3'].map((address, n) => {
    return { address, port: 5353, node: `n${n}`, hints: { zones: [`z${n}`] } };
  });
  const zonal = { ...rest, ports: [{ ...ports[0]!, nodePort: 30_000, backends }] };
  await proxy.update({ services: { put: [zonal] } });
  const active = () => {
    const list = proxy.backends.filter(({ state }) => state === 'active');
    return list.map(({ address }) => address).join(' ');
  };
  t.is(active(), '10.1.0.2 10.1.0.3');
  await proxy.update({ node: { zone: 'z1' } });
  t.is(active(), '10.1.0.3');
  t.is(await serving(proxy, '10.0.0.1', 30_000), 'web nodePort');
  await proxy.update({ node: { zone: 'z0', nodePortAddresses: ['10.1.0.0/24'] } });
  t.is(active(), '10.1.0.2');
  t.is(await serving(proxy, '10.0.0.1', 30_000), null);
});

test('pods, namespaces and policies that change', async (t) => {
  await using proxy = await openProxy();
  const pod = (name: string, address: string, labels: Record<string, string>): Pod => {
    return { name, addresses: [address], labels };
  };
  const only = (namespaces: object): Policy => ({
    ...{ name: 'only', tier: 'admin', subject: { pods: { matchLabels: { app: 'web' } } } },
    ingress: [{ action: 'accept', peers: [{ namespaces }] }, { action: 'deny' }],
  });
  const allowed = async (from: string) => {
    const probe = { from, to: '10.1.0.2', port: 80, interface: 'pods' };
    return (await proxy.explain(probe)).ingress?.allowed;
  };
  const trusted = { matchLabels: { trust: 'yes' } };
  await proxy.update({
    pods: { put: [pod('web', '10.1.0.2', { app: 'web' }), pod('c', '10.1.0.3', { app: 'c' })] },
    policies: { put: [only(trusted)] },
  });
  t.false(await allowed('10.1.0.3'));
  await proxy.update({ namespaces: { put: [{ name: 'default', labels: { trust: 'yes' } }] } });
  t.true(await allowed('10.1.0.3'));
  await proxy.update({ namespaces: { removed: ['default'] } });
  t.false(await allowed('10.1.0.3'));
  await proxy.update({ policies: { put: [only({})] } });
  t.true(await allowed('10.1.0.3'));
  await proxy.update({ policies: { put: [only(trusted)] } });
  await proxy.update({ pods: { put: [pod('web', '10.1.0.2', { app: 'db' })] } });
  t.true(await allowed('10.1.0.3'));
  await proxy.update({ pods: { put: [pod('web', '10.1.0.2', { app: 'web' })] } });
  t.false(await allowed('10.1.0.3'));
  await proxy.update({
    pods: { put: [{ ...pod('web', '10.1.0.2', { app: 'web' }), hostNetwork: true }] },
  });
  t.true(await allowed('10.1.0.3'), 'no policy is for a pod in the network of its node');
  await proxy.update({ pods: { put: [pod('web', '10.1.0.2', { app: 'web' })] } });
  await proxy.update({ policies: { removed: ['only'] } });
  t.true(await allowed('10.1.0.3'));
});

test('calls of update and apply that overlap are done in their order', async (t) => {
  await using proxy = await openProxy();
  const a = service('a', 10, ['10.1.0.2']);
  const done = await Promise.all([
    proxy.update({ services: { put: [a] } }),
    proxy.apply({ services: [service('b', 11, [])] }),
    proxy.update({ services: { put: [service('c', 12, [])] } }),
    t.throwsAsync(proxy.update({ services: { put: [service('d', 11, [])] } }), {
      message: /b and/,
    }),
    proxy.update({ services: { put: [service('d', 11, [])], removed: ['default/b'] } }),
  ]);
  t.deepEqual(
    done.map((report) => report && 'services' in report && report.services),
    [1, 1, 2, undefined, 2].map((count) => count ?? false),
  );
  t.deepEqual(running(proxy), ['c ', 'd ']);
  const closing = proxy.close();
  t.like(await t.throwsAsync(proxy.update({})), { code: 'ERR_CLOSED' });
  await closing;
});

test('the change may be used again as soon as update has been called', async (t) => {
  await using proxy = await openProxy();
  const a = service('a', 10, ['10.1.0.2']);
  const change = { services: { put: [a] }, node: { name: 'n' } };
  const done = proxy.update(change);
  change.services.put.push(service('b', 11, []));
  a.ports[0]!.port = 54;
  await done;
  t.like(proxy.services, { length: 1, 0: { ports: [{ port: 53 }] } });
});

test('events tell of what the change changed', async (t) => {
  await using proxy = await openProxy();
  await proxy.update({ services: { put: [service('a', 10, ['10.1.0.2']), service('b', 11, [])] } });
  const events: string[] = [];
  proxy.on('backend', ({ service: of, address, state }: BackendEvent) => {
    events.push(`${of} ${address} ${state}`);
  });
  await proxy.update({ services: { put: [service('a', 10, ['10.1.0.3'])] } });
  t.deepEqual(events, ['default/a 10.1.0.2 removed', 'default/a 10.1.0.3 added']);
});

test('interfaces and routes are whole sections', async (t) => {
  await using proxy = await openProxy();
  const [up, pods] = proxy.interfaces.specs();
  await proxy.update({
    interfaces: [up!, pods!, { kind: 'memory', name: 'more', addresses: ['10.2.0.1/24'] }],
    services: { put: [service('a', 10, ['10.2.0.2'])] },
  });
  t.deepEqual(
    [...proxy.interfaces].map(({ name }) => name),
    ['up', 'pods', 'more'],
  );
  await proxy.update({ interfaces: [up!, pods!] });
  t.deepEqual(
    [...proxy.interfaces].map(({ name }) => name),
    ['up', 'pods'],
  );
  t.deepEqual(running(proxy), ['a 10.2.0.2']);
});
