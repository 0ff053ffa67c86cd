// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { InterfaceSpec } from '../../lib/model/model.js';
import type { InterfaceEvent } from '../../lib/proxy/events.js';
import type { ServiceProxy } from '../../lib/proxy/service-proxy.js';
import { OPTIONS, openProxy, query, service } from '../support/proxy.js';

const UP: InterfaceSpec = {
  kind: 'memory',
  name: 'up',
  addresses: ['10.0.0.1/24'],
  mac: '02:00:00:00:00:01',
};
const PODS: InterfaceSpec = {
  kind: 'memory',
  name: 'pods',
  addresses: ['10.1.0.1/24'],
  mac: '02:00:00:00:00:02',
};
/** Passes every check and is refused by the engine when it opens the file. */
const IMPOSSIBLE: InterfaceSpec = { kind: 'pcap', name: 'file', rx: '/nowhere/in.pcap' };

function names(proxy: ServiceProxy): string[] {
  return proxy.interfaces.list().map(({ name }) => name);
}

/** Sends one query and says whether it came out at the pods. */
function passes(proxy: ServiceProxy, port: number): boolean {
  proxy.interfaces.send('up', [query(1, port)]);
  proxy.step(1_000);
  return proxy.interfaces.receive('pods').length === 1;
}

test('interfaces come and go while the others run', async (t) => {
  await using proxy = await openProxy();
  const events: InterfaceEvent[] = [];
  proxy.on('interface', (event) => events.push(event));
  const added = await proxy.interfaces.add('memory:late,address=10.5.0.1/24,mtu=1400');
  t.like(added, { name: 'late', kind: 'memory', up: true, mtu: 1_400, addresses: ['10.5.0.1/24'] });
  t.like(await proxy.interfaces.add({ kind: 'memory', name: 'later' }), { name: 'later' });
  t.deepEqual(names(proxy), ['up', 'pods', 'late', 'later']);
  t.is([...proxy.interfaces].length, 4);
  t.is(proxy.interfaces.get('late')?.mac, added.mac);
  await proxy.interfaces.remove('late');
  t.is(proxy.interfaces.get('late'), undefined);
  t.deepEqual(
    events.map(({ name, change, up }) => `${name} ${change} ${up}`),
    ['late added true', 'later added true', 'late removed false'],
  );
});

test('a slot that is used again counts from zero', async (t) => {
  await using proxy = await openProxy();
  await proxy.apply({ services: [service('a', 1, ['10.1.0.2'])] });
  t.true(passes(proxy, 1));
  t.is(proxy.interfaces.get('pods')!.txPackets, 1);
  await proxy.apply({ interfaces: [UP], routes: [] });
  await proxy.apply({ interfaces: [UP, { ...PODS, name: 'again' }] });
  t.is(proxy.interfaces.get('again')!.txPackets, 0);
  t.is(proxy.interfaces.get('up')!.rxPackets, 1);
});

test('a hundred interfaces come and go, and traffic goes on', async (t) => {
  await using proxy = await openProxy();
  await proxy.apply({ services: [service('a', 1, ['10.1.0.2'])] });
  for (let round = 0; round < 100; round++) {
    await proxy.interfaces.add(`memory:pod,address=10.7.0.1/24`);
    t.true(passes(proxy, 1_000 + round));
    await proxy.interfaces.remove('pod');
    t.true(passes(proxy, 2_000 + round));
  }
  t.deepEqual(names(proxy), ['up', 'pods']);
  t.deepEqual(proxy.stats().fates.drops, {});
});

test('a change of addresses alone keeps the device', async (t) => {
  await using proxy = await openProxy({ interfaces: [UP, PODS], routes: [] });
  await proxy.apply({ services: [service('a', 1, ['10.1.0.2'])] });
  proxy.interfaces.send('up', [query(1, 1)]);
  proxy.step(1_000);
  const events: InterfaceEvent[] = [];
  proxy.on('interface', (event) => events.push(event));
  const report = await proxy.apply({
    interfaces: [{ ...UP, addresses: ['10.0.0.1/24', '10.8.0.1/24'] }, PODS],
  });
  t.true(report.changed);
  t.deepEqual(events, []);
  t.is(proxy.interfaces.get('up')!.rxPackets, 1);
  t.deepEqual(proxy.interfaces.get('up')!.addresses, ['10.0.0.1/24', '10.8.0.1/24']);
});

test('an interface whose device changes is replaced, routes and addresses included', async (t) => {
  await using proxy = await openProxy();
  await proxy.apply({ services: [service('a', 1, ['10.1.0.2'])] });
  t.true(passes(proxy, 1));
  const events: string[] = [];
  proxy.on('interface', ({ name, change }) => events.push(`${name} ${change}`));
  await proxy.apply({ interfaces: [UP, { ...PODS, mtu: 1_400 }] });
  t.deepEqual(events, ['pods removed', 'pods added']);
  t.is(proxy.interfaces.get('pods')!.mtu, 1_400);
  t.true(passes(proxy, 2));
});

test('a failing interface takes the whole apply back', async (t) => {
  await using proxy = await openProxy();
  await proxy.apply({ services: [service('a', 1, ['10.1.0.2'])] });
  const before = [proxy.services, proxy.interfaces.list(), proxy.stats()];
  const events: InterfaceEvent[] = [];
  proxy.on('interface', (event) => events.push(event));
  await t.throwsAsync(
    proxy.apply({
      services: [service('b', 2, ['10.1.0.3'])],
      interfaces: [UP, PODS, { kind: 'memory', name: 'new' }, IMPOSSIBLE],
    }),
    { code: 'ERR_INTERFACE', message: /^interfaces\[file\]\.rx: \/nowhere/ },
  );
  t.deepEqual([proxy.services, proxy.interfaces.list(), proxy.stats()], before);
  t.deepEqual(events, []);
  t.true(passes(proxy, 1));
  // The slots of the failed attempt are free again.
  await proxy.interfaces.add('memory:new');
});

test('a replacement that fails brings the former interface back', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-proxy-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await using proxy = await openProxy();
  await proxy.apply({ services: [service('a', 1, ['10.1.0.2'])] });
  t.true(passes(proxy, 1));
  const counted = proxy.interfaces.get('pods');
  await writeFile(join(folder, 'broken.pcap'), 'no capture');
  const { mac, ...pods } = PODS;
  await t.throwsAsync(
    proxy.apply({
      interfaces: [UP, { ...pods, mac: mac!, kind: 'pcap', rx: join(folder, 'broken.pcap') }],
    }),
    { code: 'ERR_INTERFACE' },
  );
  t.deepEqual(proxy.interfaces.get('pods'), counted);
  t.true(passes(proxy, 2), 'its routes and addresses are back');
});

const REFUSED: readonly [spec: unknown, code: string][] = [
  ['memory:up', 'ERR_INTERFACE_EXISTS'],
  ['memory', 'ERR_INTERFACE_SPEC'],
  ['memory:x,mtu=20', 'ERR_INTERFACE_SPEC'],
  ['memory:x,address=10.0.0.5/24', 'ERR_INTERFACE_SPEC'],
  ['tap:x', 'ERR_INTERFACE_KIND'],
  ['pcap:x,rx=/nowhere/in.pcap', 'ERR_INTERFACE'],
  [{ kind: 'memory' }, 'ERR_INTERFACE_SPEC'],
  [null, 'ERR_INTERFACE_SPEC'],
];

for (const [spec, code] of REFUSED) {
  test(`add refuses ${JSON.stringify(spec)} with ${code}`, async (t) => {
    await using proxy = await openProxy();
    await t.throwsAsync(proxy.interfaces.add(spec as string), { code });
    t.deepEqual(names(proxy), ['up', 'pods']);
  });
}

test('what does not exist, what a route needs, and what is full', async (t) => {
  await using proxy = await openProxy({ maxInterfaces: 2 });
  await t.throwsAsync(proxy.interfaces.remove('pod'), {
    code: 'ERR_INTERFACE_UNKNOWN',
    message: /did you mean pods/,
  });
  t.throws(() => proxy.interfaces.send('pod', []), { code: 'ERR_INTERFACE_UNKNOWN' });
  t.throws(() => proxy.interfaces.receive('pod'), { code: 'ERR_INTERFACE_UNKNOWN' });
  await t.throwsAsync(proxy.interfaces.remove('pods'), { code: 'ERR_ROUTE_SPEC' });
  await t.throwsAsync(proxy.interfaces.add('memory:third'), { code: 'ERR_INTERFACE_LIMIT' });
  t.deepEqual(names(proxy), ['up', 'pods']);
});

test('frames are sent by hand on memory interfaces only', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-proxy-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await using proxy = await openProxy({
    interfaces: [...OPTIONS.interfaces, `pcap:out,tx=${folder}/out.pcap`],
  });
  t.throws(() => proxy.interfaces.send('out', []), { code: 'ERR_INTERFACE_KIND' });
});
