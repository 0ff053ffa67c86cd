// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { NativeEngine, nativeAvailability } from '../../lib/engine/native/native.js';
import { SoftwareEngine } from '../../lib/engine/software/engine.js';
import { fatesBalance, OPTIONS, Run } from './both.js';
import { type Step, start, steps } from './universe.js';

const available = process.env['SLUICE_ENGINE'] !== 'software' && nativeAvailability().available;
const maybe = available ? test.serial : test.skip;
const needs = available ? '' : ' (needs the native addon)';

/** Runs of at least 20 steps each. `SLUICE_RUNS` for longer hunts, `SLUICE_SEED` to repeat one. */
const RUNS = Number(process.env['SLUICE_RUNS'] ?? 500);
const SEED = process.env['SLUICE_SEED'];

maybe(`both engines do the same, byte for byte, in ${RUNS} random runs${needs}`, async (t) => {
  t.timeout(600_000);
  let pairs = 0;
  let forwarded = 0;
  const result = await fc.check(
    fc.asyncProperty(start, steps, async (program, happenings) => {
      const native = await NativeEngine.open(OPTIONS);
      const software = await SoftwareEngine.open(OPTIONS);
      try {
        const runs = [new Run(native), new Run(software)] as const;
        for (const run of runs) await run.prepare();
        for (const step of [{ kind: 'commit' as const, delta: program }, ...happenings]) {
          const theirs = await runs[0].take(step);
          const ours = await runs[1].take(step);
          assert.deepEqual(theirs, ours);
          assert.ok(fatesBalance(native), 'rx is not the sum of fates');
          pairs += step.kind === 'packets' ? step.frames.length : 1;
          forwarded += theirs.frames.length;
        }
      } finally {
        await native.close();
        await software.close();
      }
    }),
    { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
  );
  if (result.failed) {
    // fast-check's own report would print every byte of every frame: the shrunk steps are enough.
    const [, happenings] = result.counterexample ?? [];
    t.log(`SLUICE_SEED=${result.seed}`, happenings?.map(describe).join('\n'));
    t.fail(String(result.errorInstance));
  }
  t.log(`${pairs} packets and changes compared, ${forwarded} frames came out`);
  t.true(pairs >= 20 * RUNS);
  t.true(forwarded > pairs / 10, 'too few packets get through to prove anything');
});

function describe(step: Step): string {
  if (step.kind === 'packets') {
    return step.frames
      .map(({ on, frame }) => `on ${on}: ${Buffer.from(frame.subarray(0, 64)).toString('hex')}`)
      .join('\n');
  }
  return JSON.stringify(step, (_, value) => (ArrayBuffer.isView(value) ? `${value}` : value));
}
