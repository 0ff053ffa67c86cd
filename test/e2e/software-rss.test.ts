// SPDX-License-Identifier: Apache-2.0
// Four workers on the manual clock: they need no CPUs of their own, and each step polls them in turn.
import { ServiceProxy, type SluiceError } from '../../lib/index.js';
import { fragments, packet, read } from '../support/packets.js';
import { requires } from '../support/requires.js';
import { unaccounted } from './rig.js';
import { STREAM_OPTIONS, STREAM_SERVICE, Stream } from './stream.js';

const native = requires('the native addon');

const WORKERS = 4;
const OURS = '02:00:00:00:08:01';
const CLIENT_MAC = '02:00:00:00:08:02';

native('every worker gets a share of the flows, and keeps their order', async (t) => {
  await using lab = await Lab.open();
  const stream = new Stream(lab.proxy);
  for (let i = 0; i < 50; i++) {
    stream.push(64);
    lab.step(3);
  }
  lab.step(8);
  stream.take();
  lab.step(8);
  stream.take();
  t.is(stream.delivered, stream.sent);
  t.is(stream.answered, stream.sent);
  t.deepEqual(stream.wrong, []);
  const { workers, interfaces } = lab.proxy.stats();
  for (const worker of workers) {
    t.true(worker.rx > 0, `worker ${worker.worker}`);
    t.is(unaccounted(worker), 0);
  }
  const received = workers.reduce((sum, { rx }) => sum + rx, 0);
  t.is(received, 2 * stream.sent);
  const [clients, pods] = interfaces;
  t.deepEqual([clients!.rxPackets, pods!.rxPackets], [stream.sent, stream.sent]);
  const kept = workers.reduce((sum, { rx, steered }) => sum + rx - steered, 0);
  t.true(kept > 0, 'a receiving worker keeps its own share');
});

for (const family of ['IPv4', 'IPv6'] as const) {
  native(`${family}: fragments of a datagram go to one worker`, async (t) => {
    await using lab = await Lab.open();
    const parts = Array.from({ length: 32 }, (_, i) => cut(family, i));
    for (let part = 2; part >= 0; part--) {
      lab.proxy.interfaces.send(
        'clients',
        parts.map((frames) => frames[part]!),
      );
      lab.step(2);
    }
    lab.step(8);
    const arrived = lab.proxy.interfaces.receive('pods').map((frame) => read(frame));
    t.is(arrived.length, 3 * parts.length);
    const { fates, workers } = lab.proxy.stats();
    t.deepEqual(fates.drops, {});
    t.true(workers.filter(({ rx }) => rx > 0).length > 1, 'more than one worker has some');
    for (const worker of workers) t.is(worker.rx % 3, 0);
  });
}

native('a fragment is explained by the worker that would get it', async (t) => {
  await using lab = await Lab.open();
  for (let i = 0; i < 8; i++) {
    const [first, later] = cut('IPv4', i);
    lab.proxy.interfaces.send('clients', [first!]);
    lab.step(8);
    const { fate } = await lab.proxy.explain({ frame: later!, interface: 'clients' });
    t.is(fate, 'forward');
  }
});

native('what waits for another worker when its interface goes is dropped for it', async (t) => {
  await using lab = await Lab.open();
  await lab.proxy.interfaces.add('memory:last,worker=3,rss=software,mac=02:00:00:00:08:33');
  const frames = Array.from({ length: 64 }, (_, i) =>
    packet()
      .eth({ src: CLIENT_MAC, dst: '02:00:00:00:08:33' })
      .ipv4({ src: '10.8.0.2', dst: '10.96.8.8' })
      .udp({ src: 20_000 + i, dst: 7 })
      .build(),
  );
  lab.proxy.interfaces.send('last', frames);
  lab.step(1); // the last worker receives, when the others have had their turn
  await lab.proxy.interfaces.remove('last');
  const { fates, workers } = lab.proxy.stats();
  const dropped = fates.drops.interface_removed ?? 0;
  t.true(dropped > 0 && dropped < frames.length);
  t.is(fates.rx, frames.length);
  for (const worker of workers) t.is(unaccounted(worker), 0);
});

native('ARP and short frames stay with the worker that receives them', async (t) => {
  await using lab = await Lab.open();
  lab.proxy.interfaces.send('pods', [new Uint8Array(13), new Uint8Array(33).fill(0x45)]);
  lab.step(2);
  const { workers } = lab.proxy.stats();
  t.deepEqual(
    workers.map(({ rx, steered }) => [rx, steered]),
    [
      [0, 0],
      [2, 0],
      [0, 0],
      [0, 0],
    ],
  );
});

native(
  'interfaces go round the workers while there is no load, and stats say who has what',
  async (t) => {
    await using lab = await Lab.open();
    for (const name of ['c', 'd', 'e']) await lab.proxy.interfaces.add(`memory:${name}`);
    t.deepEqual(
      lab.proxy.interfaces.list().map(({ worker }) => worker),
      [0, 1, 2, 3, 0],
    );
    const [first, , third] = lab.proxy.stats().workers;
    t.is(first!.cpu, null);
    t.deepEqual(first!.queues, [
      { interface: 'clients', queue: 0 },
      { interface: 'pods', queue: null },
      { interface: 'e', queue: 0 },
    ]);
    t.deepEqual(third!.queues, [
      { interface: 'clients', queue: null },
      { interface: 'pods', queue: null },
      { interface: 'c', queue: 0 },
    ]);
  },
);

native('more queues than workers, or a worker that is not there', async (t) => {
  await using lab = await Lab.open();
  for (const [spec, path, says] of [
    ['tap:t,queues=5', 'interfaces[t].queues', 'there are 4 workers, and every queue needs one'],
    ['memory:m,worker=4', 'interfaces[m].worker', 'there are 4 workers'],
  ] as const) {
    const error = await t.throwsAsync<SluiceError>(lab.proxy.interfaces.add(spec));
    t.like(error, { code: 'ERR_INTERFACE', path });
    t.true(error.message.includes(says), error.message);
  }
});

/** A proxy that software RSS spreads over all workers, and its clock. */
class Lab implements AsyncDisposable {
  #now = 1_000_000;

  private constructor(readonly proxy: ServiceProxy) {}

  static async open(): Promise<Lab> {
    const proxy = await ServiceProxy.open({
      engine: 'dpdk',
      clock: 'manual',
      workers: WORKERS,
      ...STREAM_OPTIONS,
      interfaces: [
        `${STREAM_OPTIONS.interfaces[0]},address=fd08::1/64,rss=software`,
        `${STREAM_OPTIONS.interfaces[1]},address=fd08:1::1/64,rss=software`,
      ],
      routes: [...STREAM_OPTIONS.routes, 'fd08:1:0:1::/64,dev=pods,mac=02:00:00:00:08:12'],
    });
    await proxy.apply({ services: [STREAM_SERVICE] });
    return new Lab(proxy);
  }

  /** A frame may need a step to get to its worker, and another one to be sent. */
  step(times: number): void {
    for (let i = 0; i < times; i++) this.proxy.step(++this.#now);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy.close();
  }
}

/** Three fragments of the `i`-th datagram, each from a client of its own to a pod. */
function cut(family: 'IPv4' | 'IPv6', i: number): Uint8Array[] {
  const whole = packet().eth({ src: CLIENT_MAC, dst: OURS });
  if (family === 'IPv4') whole.ipv4({ src: `10.8.0.${i + 2}`, dst: '10.8.1.2', fragment: 0 });
  else whole.ipv6({ src: `fd08::${(i + 2).toString(16)}`, dst: 'fd08:1:0:1::2' });
  const payload = new Uint8Array(3_000);
  return fragments(whole.udp({ src: 5_000 + i, dst: 7, payload }).build(), 1_300, i);
}
