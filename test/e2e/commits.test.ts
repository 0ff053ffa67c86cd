// SPDX-License-Identifier: Apache-2.0
import type { Service } from '../../lib/index.js';
import { ServiceProxy } from '../../lib/index.js';
import { requires } from '../support/requires.js';
import { STREAM_OPTIONS, STREAM_SERVICE, Stream } from './stream.js';

const COMMITS = 1_000;

requires('the native addon')(
  `${COMMITS} commits of random changes cost the flows of an unchanged service nothing`,
  async (t) => {
    t.timeout(120_000);
    await using proxy = await ServiceProxy.open({ engine: 'dpdk', ...STREAM_OPTIONS });
    const random = generator(1);
    const services = new Map<string, Service>();
    await proxy.apply({ services: [STREAM_SERVICE] });
    const stream = new Stream(proxy);
    let generation = 0;
    for (let commit = 0; commit < COMMITS; commit++) {
      change(services, random, commit);
      await stream.settle(512);
      stream.push(16);
      const applied = proxy.apply({ services: [STREAM_SERVICE, ...services.values()] });
      stream.push(16);
      generation = (await applied).generation;
      stream.push(16);
    }
    await stream.settle(0);
    t.log(`${generation} generations, ${stream.sent} packets through ${stream.backends} backends`);
    t.true(generation >= COMMITS, `${generation} generations`);
    t.is(stream.sent, 48 * COMMITS);
    t.is(stream.delivered, stream.sent);
    t.is(stream.answered, stream.sent);
    t.deepEqual(stream.wrong, []);
    t.is(stream.backends, 3);
    const { fates } = proxy.stats();
    t.is(fates.rx, fates.forwarded + fates.answered + fates.host + fates.dropped);
    t.is(fates.dropped, 0);
  },
);

/** Adds, changes or removes one of twenty services; every change is one. */
function change(services: Map<string, Service>, random: () => number, serial: number): void {
  const name = `other-${Math.floor(random() * 20)}`;
  if (services.has(name) && random() < 0.3) {
    services.delete(name);
    return;
  }
  const backends = Array.from({ length: Math.floor(random() * 8) }, (_, i) => ({
    address: `10.8.1.${20 + i}`,
    port: 1_000 + (serial % 50_000),
    weight: 1 + Math.floor(random() * 4),
  }));
  const address = `10.96.9.${10 + Number(name.slice(6))}`;
  services.set(name, {
    name,
    addresses: [address],
    ports: [{ protocol: random() < 0.5 ? 'UDP' : 'TCP', port: 1 + (serial % 60_000), backends }],
  });
}

/** A linear congruential generator (Numerical Recipes): the same run every time. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
