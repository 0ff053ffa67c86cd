// SPDX-License-Identifier: Apache-2.0
import type { ExecutionContext } from 'ava';
import { ServiceProxy } from '../../lib/index.js';
import { requires } from '../support/requires.js';
import { unaccounted, until } from './rig.js';
import { numbered, STREAM_OPTIONS, STREAM_SERVICE, Stream } from './stream.js';

const two = requires('the native addon', 'two CPUs');

two(
  'two workers hand packets over: no loss, one flow one backend, every packet accounted for',
  async (t) => {
    t.timeout(60_000);
    await using proxy = await openTwo();
    const stream = await streamThrough(t, proxy);
    const { fates, workers } = proxy.stats();
    t.is(fates.rx, fates.forwarded + fates.answered + fates.host + fates.dropped + fates.held);
    t.is(fates.rx, 2 * stream.sent);
    t.is(new Set(workers.map(({ cpu }) => cpu)).size, 2, 'a CPU for each');
    for (const worker of workers) {
      t.true(worker.handedIn > 0 && worker.handedOut > 0);
      t.is(unaccounted(worker), 0);
    }
  },
);

two(
  'a worker that cannot keep up with what is handed over costs packets for a named reason',
  async (t) => {
    t.timeout(60_000);
    await using proxy = await openTwo();
    // This thread and two polling workers share the CPUs: now and then the second worker is not
    // running while more comes than the ring to it holds.
    const stream = new Stream(proxy);
    const deadline = Date.now() + 40_000;
    const refused = () => proxy.stats().fates.drops.handoff_full ?? 0;
    while (refused() === 0 && Date.now() < deadline) stream.flood(8_192);
    t.true(refused() > 0);
    const isWhole = () => {
      const { rx, forwarded, answered, host, dropped, held } = proxy.stats().fates;
      return rx === stream.sent && rx === forwarded + answered + host + dropped + held;
    };
    t.true(await until(isWhole), 'every packet has one fate');
  },
);

two('two workers share what two interfaces of one queue receive', async (t) => {
  t.timeout(60_000);
  await using proxy = await openTwo(',rss=software');
  const stream = await streamThrough(t, proxy);
  const { fates, workers } = proxy.stats();
  t.is(fates.rx, 2 * stream.sent);
  for (const worker of workers) {
    t.true(worker.rx > 0 && worker.steered > 0);
    t.is(unaccounted(worker), 0);
  }
});

two('interfaces go and come beside traffic that two workers share', async (t) => {
  t.timeout(60_000);
  await using proxy = await openTwo(',rss=software');
  const stream = new Stream(proxy);
  const spec = 'memory:more,address=10.8.2.1/24,rss=software';
  for (let i = 0; i < 20; i++) {
    stream.flood(1_024);
    await proxy.interfaces.add(spec);
    proxy.interfaces.send('more', numbered(0, 512));
    await proxy.interfaces.remove('more');
  }
  t.true(await until(() => proxy.stats().workers.every((worker) => unaccounted(worker) === 0)));
});

/** 16,000 packets and their answers: none is lost, none goes wrong. */
async function streamThrough(t: ExecutionContext, proxy: ServiceProxy): Promise<Stream> {
  const stream = new Stream(proxy);
  for (let i = 0; i < 500; i++) {
    stream.push(32);
    await stream.settle(512);
  }
  await stream.settle(0);
  t.is(stream.delivered, stream.sent);
  t.is(stream.answered, stream.sent);
  t.deepEqual(stream.wrong, []);
  return stream;
}

/** Two workers, and the first queue of an interface each. */
async function openTwo(more = ''): Promise<ServiceProxy> {
  const interfaces = STREAM_OPTIONS.interfaces.map(
    (spec, worker) => `${spec},worker=${worker}${more}`,
  );
  const proxy = await ServiceProxy.open({
    engine: 'dpdk',
    workers: 2,
    ...STREAM_OPTIONS,
    interfaces,
  });
  await proxy.apply({ services: [STREAM_SERVICE] });
  return proxy;
}
