// SPDX-License-Identifier: Apache-2.0
import type { ExecutionContext } from 'ava';
import type { ServiceProxy } from '../../lib/index.js';
import { packet } from '../support/packets.js';
import { requires } from '../support/requires.js';
import { MemoryHost } from './memory-host.js';
import { ip, makeFolder, makeNamespace, openProbed, startPeer, unaccounted, until } from './rig.js';

const two = requires('the native addon', 'two CPUs');
const privileged = requires('the native addon', 'two CPUs', 'root', '/dev/net/tun', 'ip');

const TESTERS = ['10.9.0.2', '10.9.2.2'];
const SECOND = 'memory:second,address=10.9.2.1/24,mac=02:00:00:00:09:01,worker=1';
const ROUNDS = 50;

const PAIRS = [
  ['memif:wire,role=server', 'memif:wire,role=client'],
  ['memif:wire,role=client', 'memif:wire,role=server'],
  ['vhost-user:wire,role=server', 'virtio-user:wire'],
  ['virtio-user:wire', 'vhost-user:wire,role=server'],
];
for (const [ours, theirs] of PAIRS) {
  two(`${ours} against ${theirs}: each of two workers has a queue`, async (t) => {
    t.timeout(120_000);
    const wire = `socket=${makeFolder(t)}/wire.sock,queues=2`;
    const peer = {
      workers: 2,
      interfaces: [`${theirs},${wire},address=10.9.1.2/24,worker=0`],
      routes: TESTERS.map((address) => `${address}/32,via=10.9.1.1`),
    };
    const weAreFirst = !/client|virtio/.test(ours!);
    if (!weAreFirst) await startPeer(t, peer);
    const proxy = await openTwo(t);
    await proxy.interfaces.add(`${ours},${wire},address=10.9.1.1/24,worker=0`);
    if (weAreFirst) await startPeer(t, peer);
    await ask(t, proxy, '10.9.1.2');
    for (const worker of proxy.stats().workers) {
      t.is(worker.handedOut, 0, 'nothing goes by the other worker');
      t.true(worker.rx >= 2 * ROUNDS, 'requests, and answers by the queue of its own');
    }
  });
}

privileged('tap: a kernel answers by either queue', async (t) => {
  const netns = makeNamespace(t, 'queues');
  const proxy = await openTwo(t);
  await proxy.interfaces.add(`tap:pod,netns=${netns},device=eth0,address=10.9.1.1/24,queues=2`);
  t.is(
    ip('-n', netns, '-d', 'link', 'show', 'eth0').match(/numtxqueues (\d+)/)?.[1] === '1',
    false,
  );
  ip('-n', netns, 'addr', 'add', '10.9.1.2/24', 'dev', 'eth0');
  ip('-n', netns, 'route', 'add', 'default', 'via', '10.9.1.1');
  await ask(t, proxy, '10.9.1.2');
  t.true(proxy.stats().workers.every((worker) => worker.handedOut <= ROUNDS + 2));
  await proxy.interfaces.remove('pod');
  t.false(ip('-n', netns, '-o', 'link').includes('eth0'), 'the device goes with the interface');
});

two('a removed server is used again by one of as many queues only', async (t) => {
  const folder = makeFolder(t);
  const proxy = await openTwo(t);
  for (const queues of [2, 1, 2]) {
    const spec = `memif:wire,role=server,socket=${folder}/wire.sock,queues=${queues}`;
    const { queues: got } = await proxy.interfaces.add(spec);
    t.is(got, queues);
    await proxy.interfaces.remove('wire');
  }
});

/** Two workers with a probe each: 10.9.0.2 on worker 0, 10.9.2.2 on worker 1. */
function openTwo(t: ExecutionContext): Promise<ServiceProxy> {
  return openProbed(t, {
    workers: 2,
    memory: 128,
    mbufs: 8_192,
    interfaces: [SECOND],
    routes: [`${TESTERS[1]}/32,dev=second,mac=02:00:00:00:09:02`],
  });
}

/** Both testers ask `target`; every request is answered. */
async function ask(t: ExecutionContext, proxy: ServiceProxy, target: string): Promise<void> {
  t.true(await until(() => proxy.interfaces.list().every(({ up }) => up)));
  for (const [index, name] of ['probe', 'second'].entries()) {
    const host = new MemoryHost(proxy, name);
    for (let seq = 0; seq < ROUNDS; seq++) {
      const request = packet()
        .eth({ src: '02:00:00:00:09:02', dst: '02:00:00:00:09:01' })
        .ipv4({ src: TESTERS[index]!, dst: target })
        .icmpEcho({ id: 7, seq, payload: 'by which queue?' })
        .build();
      await host.send([request]);
      const [reply] = await host.expect(1, ({ icmp }) => icmp?.type === 0);
      t.truthy(reply, `${name}, request ${seq}`);
    }
  }
  t.deepEqual(
    proxy.stats().workers.map((worker) => unaccounted(worker)),
    [0, 0],
  );
}
