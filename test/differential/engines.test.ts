// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { NativeEngine, nativeAvailability } from '../../lib/engine/native/native.js';
import { SoftwareEngine } from '../../lib/engine/software/engine.js';
import { compare } from './compare.js';
import { Coverage } from './coverage.js';

const available = process.env['SLUICE_ENGINE'] !== 'software' && nativeAvailability().available;
const maybe = available ? test.serial : test.skip;
const needs = available ? '' : ' (needs the native addon)';

/** Runs of at least 20 steps each. `SLUICE_RUNS` for longer hunts, `SLUICE_SEED` to repeat one. */
const RUNS = Number(process.env['SLUICE_RUNS'] ?? 1000);
const SEED = process.env['SLUICE_SEED'];

maybe(`both engines do the same, byte for byte, in ${RUNS} random runs${needs}`, async (t) => {
  t.timeout(Math.max(600_000, RUNS * 1_000));
  const coverage = new Coverage();
  const open = [
    (options: object) => NativeEngine.open(options),
    (options: object) => SoftwareEngine.open(options),
  ] as const;
  const seed = SEED === undefined ? undefined : Number(SEED);
  const { failure, seed: used } = await compare(open, RUNS, seed, coverage);
  t.log(String(coverage));
  if (failure !== null) {
    t.log(`SLUICE_SEED=${used}`, failure);
    t.fail('the engines differ');
    return;
  }
  t.true(coverage.steps >= 80 * RUNS);
  t.true(coverage.frames > coverage.steps / 4, 'too few packets get through to prove anything');
  t.deepEqual(coverage.missing(RUNS), []);
  if (RUNS >= 500) t.deepEqual(coverage.unreached(), []);
});
