// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { SluiceError } from '../../lib/errors.js';
import type { DropCounts } from '../../lib/observe/counters.js';
import type { ProxyOptions } from '../../lib/proxy/options.js';
import { ServiceProxy } from '../../lib/proxy/service-proxy.js';
import { OPTIONS, openProxy, service } from '../support/proxy.js';

test('open says which engine runs and why', async (t) => {
  await using proxy = await openProxy();
  t.like(proxy.engine, { kind: 'software', dpdk: null, workers: 1 });
  t.is(proxy.why, 'software was asked for');
  t.deepEqual(proxy.services, []);
});

const REFUSED: readonly [options: unknown, code: string, path: string | undefined][] = [
  [null, 'ERR_OPTIONS', undefined],
  ['software', 'ERR_OPTIONS', undefined],
  [{ engine: 'ebpf' }, 'ERR_OPTIONS', 'engine'],
  [{ flow: 3 }, 'ERR_OPTIONS', 'flow'],
  [{ flows: 0 }, 'ERR_OPTIONS', 'flows'],
  [{ timeouts: { udp: 3 } }, 'ERR_OPTIONS', 'timeouts.udp'],
  [{ maxInterfaces: 0 }, 'ERR_OPTIONS', 'maxInterfaces'],
  [{ maxRoutes: 0 }, 'ERR_OPTIONS', 'maxRoutes'],
  [{ snatPortMin: 9, snatPortMax: 8 }, 'ERR_OPTIONS', 'snatPortMin'],
  [{ node: { podNetworks: ['10.0.0.1/8'] } }, 'ERR_MODEL', 'node.podNetworks[0]'],
  [{ interfaces: 3 }, 'ERR_OPTIONS', 'interfaces'],
  [{ interfaces: ['memory:a', 'memory:b,mtu=x'] }, 'ERR_INTERFACE_SPEC', 'interfaces[1].mtu'],
  [{ interfaces: [{ kind: 'memory', name: '' }] }, 'ERR_INTERFACE_SPEC', 'interfaces[0].name'],
  [{ interfaces: ['memory:a', 'memory:a'] }, 'ERR_INTERFACE_SPEC', 'interfaces[1].name'],
  [{ interfaces: ['tap:a'] }, 'ERR_INTERFACE_KIND', undefined],
  [{ routes: ['10.0.0.0/8'] }, 'ERR_ROUTE_SPEC', 'routes[0].via'],
  [{ routes: ['10.0.0.0/8,dev=a'] }, 'ERR_ROUTE_SPEC', 'routes[0].dev'],
];

for (const [options, code, path] of REFUSED) {
  test(`open refuses ${JSON.stringify(options)}`, async (t) => {
    const given =
      typeof options === 'object' && options !== null
        ? { engine: 'software', ...(options as object) }
        : options;
    const error = await t.throwsAsync(ServiceProxy.open(given as ProxyOptions), {
      instanceOf: SluiceError,
      code,
    });
    if (path !== undefined) t.is(error?.path, path);
  });
}

test('after close everything says ERR_CLOSED', async (t) => {
  const proxy = await openProxy();
  await Promise.all([proxy.close(), proxy.close()]);
  await proxy.close();
  const closed = { code: 'ERR_CLOSED' };
  t.throws(() => proxy.services, closed);
  t.throws(() => proxy.backends, closed);
  t.throws(() => proxy.stats(), closed);
  t.throws(() => proxy.step(1), closed);
  t.throws(() => proxy.interfaces.list(), closed);
  t.throws(() => proxy.interfaces.specs(), closed);
  t.throws(() => proxy.interfaces.get('up'), closed);
  t.throws(() => proxy.interfaces.send('up', []), closed);
  t.throws(() => proxy.interfaces.receive('up'), closed);
  await t.throwsAsync(proxy.interfaces.add('memory:x'), closed);
  await t.throwsAsync(proxy.interfaces.remove('up'), closed);
  await t.throwsAsync(proxy.apply({}), closed);
  await t.throwsAsync(proxy.flows(), closed);
  await t.throwsAsync(proxy.explain({ from: '10.0.0.9', to: '10.96.0.1' }), closed);
});

test('close lets the apply under way finish and refuses those behind it', async (t) => {
  const proxy = await openProxy();
  const events: string[] = [];
  proxy.on('backend', ({ address }) => events.push(address));
  const applies = [2, 3, 4].map((host) =>
    proxy.apply({ services: [service('a', 1, [`10.1.0.${host}`])] }),
  );
  await applies[0];
  const close = proxy.close();
  const outcomes = await Promise.allSettled(applies);
  await close;
  const refused = outcomes.filter(({ status }) => status === 'rejected');
  t.true(refused.length >= 1);
  for (const outcome of refused)
    t.is(((outcome as PromiseRejectedResult).reason as SluiceError).code, 'ERR_CLOSED');
});

test('leaving the scope closes the proxy', async (t) => {
  let kept: ServiceProxy;
  {
    await using proxy = await openProxy();
    kept = proxy;
    t.is(kept.services.length, 0);
  }
  t.throws(() => kept.services, { code: 'ERR_CLOSED' });
});

test('step needs the manual clock, flows a whole number', async (t) => {
  await using proxy = await openProxy({ clock: 'real' });
  t.throws(() => proxy.step(1), { code: 'ERR_OPTIONS' });
  await t.throwsAsync(proxy.flows(-1), { code: 'ERR_OPTIONS' });
  await t.throwsAsync(proxy.flows(1.5), { code: 'ERR_OPTIONS' });
});

test('drops are told of at most once a second, with what was added', async (t) => {
  await using proxy = await openProxy({ clock: 'real' });
  const told: { at: number; drops: DropCounts }[] = [];
  proxy.on('drops', (drops) => told.push({ at: Date.now(), drops }));
  const broken = new Uint8Array(5);
  const feed = setInterval(() => proxy.interfaces.send('up', [broken]), 20);
  await new Promise((resolve) => setTimeout(resolve, 2_300));
  clearInterval(feed);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  t.true(told.length >= 2 && told.length <= 4, `${told.length} events`);
  for (let index = 1; index < told.length; index++)
    t.true(told[index]!.at - told[index - 1]!.at >= 900);
  const sum = told.reduce((total, { drops }) => total + (drops.malformed_ethernet ?? 0), 0);
  t.is(sum, proxy.stats().fates.drops.malformed_ethernet ?? 0);
});

test('an open that fails leaves nothing behind: the next one succeeds', async (t) => {
  await t.throwsAsync(openProxy({ interfaces: [...OPTIONS.interfaces, 'tap:x'] }), {
    code: 'ERR_INTERFACE_KIND',
  });
  await using proxy = await openProxy();
  t.is(proxy.interfaces.list().length, 2);
});
