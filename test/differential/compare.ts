// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ProgramDelta } from '../../lib/compile/program.js';
import type { Engine, EngineOptions } from '../../lib/engine/engine.js';
import type { Coverage } from './coverage.js';
import { Memory } from './memory.js';
import { start } from './programs.js';
import { fatesBalance, type Happening, OPTIONS, Run } from './run.js';
import { type Step, steps } from './steps.js';

const SHRINKING_MS = 60_000;

/** Opens an engine. */
export type Open = (options: Partial<EngineOptions>) => Promise<Engine>;

export interface Outcome {
  /** What to say of the run that failed; `null`: none did. */
  failure: string | null;
  seed: number;
}

/** Feeds both engines the same random runs and compares all that can be seen of them. */
export async function compare(
  opens: readonly [Open, Open],
  runs: number,
  seed: number | undefined,
  coverage: Coverage,
): Promise<Outcome> {
  // Shrinking goes on for as long as it finds something: it gets a minute.
  let deadline = Number.POSITIVE_INFINITY;
  const property = fc.asyncProperty(
    start,
    fc.boolean(),
    steps,
    async (program, tcpPickup, list) => {
      if (Date.now() > deadline) return;
      const engines = await openBoth(opens, { ...OPTIONS, tcpPickup });
      try {
        await compareRun(engines, program, list, coverage);
      } catch (error) {
        deadline = Math.min(deadline, Date.now() + SHRINKING_MS);
        throw error;
      } finally {
        for (const engine of engines) await engine.close();
      }
    },
  );
  const result = await fc.check(property, {
    numRuns: runs,
    ...(seed !== undefined && { seed }),
  });
  if (!result.failed) return { failure: null, seed: result.seed };
  // fast-check's own report would print every byte of every frame: the shrunk steps are enough.
  const [, tcpPickup, list] = result.counterexample ?? [];
  const told = [`tcpPickup ${tcpPickup}`, ...(list ?? []).map(describe)].join('\n');
  return { failure: `${told}\n${result.errorInstance}`, seed: result.seed };
}

async function openBoth(
  [first, second]: readonly [Open, Open],
  options: Partial<EngineOptions>,
): Promise<[Engine, Engine]> {
  const one = await first(options);
  try {
    return [one, await second(options)];
  } catch (error) {
    await one.close();
    throw error;
  }
}

async function compareRun(
  engines: readonly [Engine, Engine],
  program: ProgramDelta,
  list: readonly Step[],
  coverage: Coverage,
): Promise<void> {
  const [theirs, ours] = [new Run(engines[0]), new Run(engines[1])];
  for (const run of [theirs, ours]) await run.prepare();
  const memory = new Memory();
  const all: Step[] = [{ kind: 'commit', delta: program }, ...list];
  for (const step of all) {
    const happening = happeningOf(step, memory);
    const { sight: expected, frames } = await theirs.take(happening);
    const { sight: actual } = await ours.take(happening);
    assert.deepEqual(actual, expected);
    for (const engine of engines) assert.ok(fatesBalance(engine), 'rx is not the sum of fates');
    memory.see(frames);
    coverage.step(happening.kind === 'packets' ? happening.arrivals.length : 1, frames);
  }
  coverage.run(theirs.counters());
}

function happeningOf(step: Step, memory: Memory): Happening {
  if (step.kind !== 'deeds') return step;
  const arrivals = step.deeds.map((deed) => memory.perform(deed)).filter((each) => each !== null);
  const explain = step.explain === null ? null : (arrivals[step.explain] ?? null);
  return { kind: 'packets', arrivals, explain, forwardMs: step.forwardMs };
}

function describe(step: Step): string {
  return JSON.stringify(step, (_, value) =>
    value instanceof Uint8Array
      ? Buffer.from(value.subarray(0, 96)).toString('hex')
      : columns(value),
  );
}

/** Empty columns are left out. */
function columns(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return value.byteLength === 0 ? undefined : `${value}`;
  return value;
}
