// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { ServiceProxy } from '../../lib/index.js';
import { freeHugepages, requires } from '../support/requires.js';
import { makeFolder, makeNamespace, startPeer, until } from './rig.js';
import { STREAM_OPTIONS, STREAM_SERVICE, Stream } from './stream.js';

const CYCLES = 100;
/** A ring or a table that stayed behind each time would add more than this to every round. */
const RSS_SLACK = 12 * 1024 * 1024;
/** V8's heap and the allocators grow in steps; a leak grows in every round. */
const ROUNDS = 4;

const KINDS = [
  { kind: 'tap', spec: (_: string, netns: string) => `tap:pod,netns=${netns},device=eth0` },
  // Every pod has a socket of its own.
  {
    kind: 'memif',
    spec: (folder: string, _: string, i: number) => `memif:pod,socket=${folder}/${i}`,
  },
  {
    kind: 'vhost-user',
    spec: (folder: string, _: string, i: number) => `vhost-user:pod,socket=${folder}/${i}`,
  },
  { kind: 'memory', spec: () => 'memory:pod' },
];

const privileged = requires('the native addon', 'root', '/dev/net/tun', 'ip');

for (const { kind, spec } of KINDS) {
  privileged(
    `${CYCLES} ${kind} interfaces come and go beside traffic: no loss, no leak`,
    async (t) => {
      t.timeout(180_000);
      const folder = makeFolder(t);
      const netns = kind === 'tap' ? makeNamespace(t, 'churn') : '';
      await using proxy = await ServiceProxy.open({ engine: 'dpdk', ...STREAM_OPTIONS });
      await proxy.apply({ services: [STREAM_SERVICE] });
      const stream = new Stream(proxy);
      const cycle = async (i: number) => {
        await stream.settle(512);
        const added = proxy.interfaces.add(`${spec(folder, netns, i)},address=10.7.0.1/24`);
        stream.push(32);
        await added;
        stream.push(32);
        const removed = proxy.interfaces.remove('pod');
        stream.push(32);
        await removed;
      };

      // Allocators, drivers and V8 settle during the first cycles.
      for (let i = 0; i < 20; i++) await cycle(i);
      const before = holdings();
      let cycles = 20;
      const growth = await leastGrowth(async () => {
        for (let i = 0; i < CYCLES; i++) await cycle(cycles++);
        await stream.settle(0);
      });
      const after = holdings();

      t.is(stream.sent, 96 * cycles);
      t.is(stream.delivered, stream.sent);
      t.is(stream.answered, stream.sent);
      t.deepEqual(stream.wrong, []);
      t.log(`${stream.sent} packets; resident ${mib(before.rss)} MiB, then ${mib(after.rss)} MiB`);
      t.deepEqual(readdirSync(folder), [], 'no socket stays');
      t.is(after.files, before.files, 'open files');
      t.is(after.hugepages, before.hugepages, 'free hugepages');
      t.true(growth < RSS_SLACK, `${growth} bytes more in each round`);
    },
  );
}

privileged('no DPDK device is left: after all that coming and going 32 still fit', async (t) => {
  t.timeout(120_000);
  const folder = makeFolder(t);
  await using proxy = await ServiceProxy.open({ engine: 'dpdk', ...STREAM_OPTIONS });
  for (let i = 0; i < 40; i++) {
    await proxy.interfaces.add(`pcap:p,tx=${folder}/p.pcap`);
    await proxy.interfaces.remove('p');
  }
  // None of DPDK's.
  for (let i = 0; i < 8; i++) await proxy.interfaces.add(`memif:m${i},socket=${folder}/${i}.sock`);
  for (let i = 0; i < 8; i++) await proxy.interfaces.remove(`m${i}`);
  for (let i = 0; i < 32; i++) await proxy.interfaces.add(`pcap:p${i},tx=${folder}/${i}.pcap`);
  await t.throwsAsync(proxy.interfaces.add(`pcap:more,tx=${folder}/more.pcap`), {
    code: 'ERR_INTERFACE_LIMIT',
  });
  for (let i = 0; i < 32; i++) await proxy.interfaces.remove(`p${i}`);
});

privileged('a memif with a live peer comes and goes beside traffic', async (t) => {
  t.timeout(120_000);
  const folder = makeFolder(t);
  await using proxy = await ServiceProxy.open({ engine: 'dpdk', ...STREAM_OPTIONS });
  await proxy.apply({ services: [STREAM_SERVICE] });
  const stream = new Stream(proxy);
  const socket = `${folder}/pod.sock`;
  await startPeer(t, { interfaces: [`memif:up,role=client,socket=${socket},address=10.7.0.2/24`] });
  for (let i = 0; i < 8; i++) {
    await proxy.interfaces.add(`memif:pod,role=server,socket=${socket},address=10.7.0.1/24`);
    t.true(
      await until(() => {
        stream.push(1);
        return proxy.interfaces.get('pod')?.up === true;
      }),
    );
    await proxy.interfaces.remove('pod');
    stream.push(32);
  }
  await stream.settle(0);
  t.is(stream.answered, stream.sent);
  t.deepEqual(stream.wrong, []);
});

privileged('engines that come and go leave nothing behind', async (t) => {
  t.timeout(120_000);
  const folder = makeFolder(t);
  const once = async (i: number) => {
    await using proxy = await ServiceProxy.open({ engine: 'dpdk' });
    await proxy.interfaces.add(`memif:m,socket=${folder}/${i}.sock,address=10.7.0.1/24`);
    await proxy.interfaces.add(`pcap:p,tx=${folder}/p.pcap`);
  };
  for (let i = 0; i < 5; i++) await once(i);
  const before = holdings();
  let engines = 5;
  const growth = await leastGrowth(async () => {
    for (let i = 0; i < 20; i++) await once(engines++);
  });
  const after = holdings();
  t.is(after.files, before.files, 'open files');
  t.is(after.hugepages, before.hugepages, 'free hugepages');
  t.true(growth < RSS_SLACK, `${growth} bytes more in each round`);
});

/** Runs rounds until one adds less than the slack to the resident memory; the least that one added. */
async function leastGrowth(round: () => Promise<void>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS && least >= RSS_SLACK; i++) {
    const before = holdings().rss;
    await round();
    least = Math.min(least, holdings().rss - before);
  }
  return least;
}

function holdings() {
  globalThis.gc?.();
  return {
    rss: process.memoryUsage.rss(),
    files: readdirSync('/proc/self/fd').length,
    hugepages: freeHugepages(),
  };
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
