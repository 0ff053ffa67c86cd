// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { SyncLoop, type SyncLoopOptions } from '../../lib/agent/sync-loop.js';
import { ManualClock, settled } from '../support/manual-clock.js';

interface Rig {
  clock: ManualClock;
  loop: SyncLoop;
  /** When runs began, and whether they were full ones. */
  runs: { at: number; full: boolean }[];
  failures: unknown[];
  /** What the next runs do; nothing: they succeed at once. */
  next: (() => Promise<void>)[];
}

function rig(options: Partial<SyncLoopOptions> = {}): Rig {
  const clock = new ManualClock(0);
  const made: Omit<Rig, 'loop'> = { clock, runs: [], failures: [], next: [] };
  const loop = new SyncLoop({
    minPeriodMs: 100,
    retryMs: 30_000,
    maxIntervalMs: 3_600_000,
    clock,
    run: async ({ full }) => {
      made.runs.push({ at: clock.now(), full });
      await made.next.shift()?.();
    },
    failed: (error) => made.failures.push(error),
    ...options,
  });
  return { ...made, loop };
}

const times = ({ runs }: Rig): number[] => runs.map(({ at }) => at);

test('after idleness a request is served at once, and many at one time are one', async (t) => {
  const r = rig();
  await r.clock.pass(5_000);
  t.deepEqual(times(r), []);
  for (let i = 0; i < 1_000; i++) r.loop.request();
  t.is(r.clock.waits().length, 1, 'no timer for each request');
  await r.clock.pass(0);
  t.deepEqual(times(r), [5_000]);
  await r.clock.pass(60_000);
  t.deepEqual(times(r), [5_000], 'nothing is left over');
});

test('two runs may follow each other at once, and then one in each period', async (t) => {
  const r = rig();
  for (let i = 0; i < 999; i++) {
    r.loop.request();
    await r.clock.pass(1);
  }
  t.deepEqual(times(r), [0, 1, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
  await r.clock.pass(200);
  t.deepEqual(times(r).slice(11), [1_000], 'the last request is not lost');
});

test('tokens come back one by one, and no more than the burst', async (t) => {
  const r = rig();
  const ask = async () => {
    r.loop.request();
    await r.clock.pass(0);
  };
  await ask();
  await ask();
  await r.clock.pass(100);
  await ask();
  await ask();
  t.is(r.runs.length, 3, 'one token has come back');
  await r.clock.pass(100_000);
  r.runs.length = 0;
  for (let i = 0; i < 5; i++) await ask();
  t.is(r.runs.length, 2);
});

test('the burst is a matter of configuration', async (t) => {
  const r = rig({ burst: 1 });
  for (let i = 0; i < 250; i++) {
    r.loop.request();
    await r.clock.pass(1);
  }
  t.deepEqual(times(r), [0, 100, 200]);
});

test('no period: no bound', async (t) => {
  const r = rig({ minPeriodMs: 0 });
  for (let i = 0; i < 20; i++) {
    r.loop.request();
    await r.clock.pass(0);
  }
  t.is(r.runs.length, 20);
});

test('runs never overlap, and what is asked for during one makes one more', async (t) => {
  const r = rig();
  let end = (): void => undefined;
  r.next.push(
    () =>
      new Promise((resolve) => {
        end = resolve;
      }),
  );
  r.loop.request();
  await r.clock.pass(0);
  for (let i = 0; i < 10; i++) {
    r.loop.request();
    await r.clock.pass(1_000);
  }
  t.deepEqual(times(r), [0], 'the first is still under way');
  end();
  await settled();
  await r.clock.pass(0);
  t.deepEqual(times(r), [0, 10_000]);
  await r.clock.pass(60_000);
  t.is(r.runs.length, 2);
});

test('a run may ask for the next one', async (t) => {
  const r = rig();
  for (let i = 0; i < 3; i++) r.next.push(async () => r.loop.request());
  r.loop.request();
  await r.clock.pass(10_000);
  t.deepEqual(times(r), [0, 0, 100, 200]);
});

test('without requests there is a full run at the latest interval', async (t) => {
  const r = rig({ maxIntervalMs: 10_000 });
  await r.clock.pass(19_999);
  t.deepEqual(r.runs, [{ at: 10_000, full: true }]);
  await r.clock.pass(1);
  t.deepEqual(r.runs[1], { at: 20_000, full: true });
});

test('requests do not put off the full run', async (t) => {
  const r = rig({ maxIntervalMs: 10_000 });
  for (let i = 0; i < 12; i++) {
    r.loop.request();
    await r.clock.pass(1_000);
  }
  const full = r.runs.filter((run) => run.full);
  t.deepEqual(full, [
    { at: 0, full: true },
    { at: 10_000, full: true },
  ]);
});

test('a run that failed is made again without a request, as a full one', async (t) => {
  const r = rig();
  const full = new Error('the table is full');
  r.next.push(
    async () => undefined,
    () => Promise.reject(full),
    () => Promise.reject(full),
  );
  r.loop.request();
  await r.clock.pass(0);
  r.loop.request();
  await r.clock.pass(29_999);
  t.deepEqual(r.runs, [
    { at: 0, full: true },
    { at: 0, full: false },
  ]);
  t.deepEqual(r.failures, [full]);
  await r.clock.pass(60_001);
  t.deepEqual(r.runs.slice(2), [
    { at: 30_000, full: true },
    { at: 60_000, full: true },
  ]);
  r.loop.request();
  await r.clock.pass(100_000);
  t.deepEqual(
    r.runs.slice(4),
    [{ at: 90_000, full: false }],
    'it worked: the next one is an ordinary one, and there is no retry',
  );
});

test('a request after a failure is served before the retry, but not every few milliseconds', async (t) => {
  const r = rig({ minPeriodMs: 10 });
  for (let i = 0; i < 3; i++) r.next.push(() => Promise.reject(new Error('no')));
  for (let i = 0; i < 4_000; i++) {
    r.loop.request();
    await r.clock.pass(1);
  }
  t.deepEqual(times(r).slice(0, 5), [0, 1_000, 2_000, 3_000, 3_000]);
  t.deepEqual(
    r.runs.slice(0, 5).map(({ full }) => full),
    [true, true, true, true, false],
  );
});

test('what throws before it waits has failed as well', async (t) => {
  const r = rig({
    run: () => {
      throw new Error('at once');
    },
  });
  r.loop.request();
  await r.clock.pass(0);
  t.is((r.failures[0] as Error).message, 'at once');
});

test('stop waits for the run under way, and no other begins', async (t) => {
  const r = rig();
  let end = (): void => undefined;
  r.next.push(
    () =>
      new Promise((resolve) => {
        end = resolve;
      }),
  );
  r.loop.request();
  await r.clock.pass(0);
  r.loop.request();
  let stopped = false;
  const stopping = r.loop.stop().then(() => {
    stopped = true;
  });
  await r.clock.pass(60_000);
  t.false(stopped);
  end();
  await stopping;
  r.loop.request();
  await r.clock.pass(10_000_000);
  t.is(r.runs.length, 1);
  t.deepEqual(r.clock.waits(), []);
  await t.notThrowsAsync(r.loop.stop(), 'again');
});

test('stop takes back what was asked for', async (t) => {
  const r = rig();
  r.loop.request();
  await r.loop.stop();
  await r.clock.pass(10_000_000);
  t.is(r.runs.length, 0);
});

test.serial(
  'with the clock of the system: requests are served, timers that are too long wait',
  async (t) => {
    let runs = 0;
    const warnings: Error[] = [];
    const warned = (warning: Error): number => warnings.push(warning);
    process.on('warning', warned);
    const loop = new SyncLoop({
      minPeriodMs: 20,
      retryMs: 30_000,
      maxIntervalMs: 2 ** 40,
      run: async () => {
        runs++;
      },
    });
    const begin = performance.now();
    while (performance.now() - begin < 210) {
      loop.request();
      await settled();
    }
    await loop.stop();
    process.removeListener('warning', warned);
    t.deepEqual(warnings, []);
    t.true(runs >= 5 && runs <= 12, `${runs} runs in 210 ms`);
  },
);

test.serial('a loop keeps no process alive', (t) => {
  const source = `
    import { SyncLoop } from './lib/agent/sync-loop.ts';
    const loop = new SyncLoop({ minPeriodMs: 10, retryMs: 60_000, maxIntervalMs: 60_000, run: async () => undefined });
    loop.request();
  `;
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import=tsx', '--input-type=module', '-e', source],
    { cwd: fileURLToPath(new URL('../../', import.meta.url)), timeout: 20_000, encoding: 'utf8' },
  );
  t.is(status, 0, stderr);
});
