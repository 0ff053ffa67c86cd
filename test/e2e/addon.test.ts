// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { ENGINE_DEFAULTS, type EngineOptions } from '../../lib/engine/engine.js';
import { NativeEngine } from '../../lib/engine/native/native.js';
import type { SluiceError } from '../../lib/errors.js';
import type { Addon } from '../../typings/addon.js';
import { memory, PROGRAM, udp } from '../contract/net.js';
import { delta } from '../support/program.js';
import { requires } from '../support/requires.js';

const native = requires('the native addon');
const two = requires('the native addon', 'two CPUs');

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('../../', import.meta.url));
const ADDON = process.env['SLUICE_ADDON'] ?? `${root}build/Release/sluice.node`;
const OPTIONS: EngineOptions = {
  ...ENGINE_DEFAULTS,
  clock: 'manual',
  flows: 1_024,
  interfaces: 8,
  mbufs: 4_096,
};

native('an open() that is refused leaves nothing open', async (t) => {
  const addon: Addon = require(ADDON);
  t.throws(() => Reflect.apply(addon.open, addon, [OPTIONS]), { code: 'ERR_OPTIONS' });
  for (const path of ['flows', 'backends', 'interfaces', 'neighbours', 'mbufs'] as const) {
    const error = await t.throwsAsync<SluiceError>(
      NativeEngine.open({ ...OPTIONS, [path]: 2 ** 32 - 1 }),
    );
    t.like(error, { code: 'ERR_OPTIONS', path });
  }
  const engine = await addon.open(OPTIONS, () => {});
  await engine.close();
});

native('what is no slot, no frame or no engine is refused', async (t) => {
  const addon: Addon = require(ADDON);
  const engine = await addon.open(OPTIONS, () => {});
  try {
    await engine.addInterface(memory(0));
    for (const slot of [Number.NaN, -1, 2 ** 32]) {
      await t.throwsAsync(engine.removeInterface(slot), { code: 'ERR_INTERFACE_UNKNOWN' });
    }
    t.throws(() => engine.send(0, new Array(2 ** 32 - 1)), { code: 'ERR_INTERFACE' });
    const first = new Uint8Array(1_000);
    const frames = [first];
    Object.defineProperty(frames, 1, {
      get: () => {
        structuredClone(first.buffer, { transfer: [first.buffer] });
        return new Uint8Array(60);
      },
    });
    t.is(engine.send(0, frames), 2);
    for (const kind of ['memif', 'vhost-user', 'virtio-user']) {
      for (const parameters of [{}, { socket: `/tmp/${'x'.repeat(120)}` }]) {
        const error = await t.throwsAsync<SluiceError>(
          engine.addInterface(memory(1, { kind, parameters } as never)),
        );
        t.like(error, { code: 'ERR_INTERFACE', path: 'socket' });
      }
    }
    const unopened = Reflect.construct(engine.constructor, []);
    t.throws(() => unopened.close(), { code: 'ERR_CLOSED' });
  } finally {
    await engine.close();
  }
});

two('what was handed over to an interface that goes is dropped for it', async (t) => {
  const engine = await NativeEngine.open({ ...OPTIONS, workers: 2 });
  try {
    await engine.addInterface(memory(0, { worker: 1 }));
    await engine.addInterface(memory(1, { worker: 0 }));
    await engine.commit(delta(PROGRAM));
    engine.send(0, [udp()]);
    engine.step(1_000_000);
    t.is(engine.receive(1, 16).length, 0);
    await engine.removeInterface(1);
    const { values, stride } = engine.counters;
    const [first, second] = [values.slice(0, stride), values.slice(stride)];
    t.is(first[5], 1n, 'handedIn');
    t.is(second[6], 1n, 'handedOut');
  } finally {
    await engine.close();
  }
});

native('a worker_thread may end while its engine opens, commits or closes', async (t) => {
  t.timeout(60_000);
  const body = `
    const { workerData } = require('node:worker_threads');
    const addon = require(workerData.addon);
    const opened = addon.open(workerData.options, () => {});
    if (workerData.end === 'opening') process.exit(7);
    opened.then((engine) => {
      for (let i = 0; i < 50; i++) engine.commit(workerData.delta);
      if (workerData.end === 'closing') engine.close();
      process.exit(7);
    });`;
  for (const end of ['opening', 'committing', 'closing', 'opening']) {
    const workerData = {
      addon: ADDON,
      end,
      options: { ...OPTIONS, clock: 'real' },
      delta: delta({}),
    };
    const [code] = await once(new Worker(body, { eval: true, workerData }), 'exit');
    t.is(code, 7, end);
  }
  const engine = await NativeEngine.open(OPTIONS);
  await engine.close();
});
