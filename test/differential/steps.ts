// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import type { ProgramDelta } from '../../lib/compile/program.js';
import { anyFrame } from './frames.js';
import { introductions } from './neighbours.js';
import { pieces } from './pieces.js';
import { anyChange, restoration } from './programs.js';
import { type Arrival, mostly, pick } from './world.js';

/**
 * What a peer does. Answers and errors depend on what has come out before, so they name a frame by
 * its age among those; {@link Memory} makes frames of them.
 */
export type Deed =
  | { kind: 'frame'; arrival: Arrival }
  /** The receiver of a frame answers it. */
  | {
      kind: 'answer';
      of: number;
      flags: string;
      chunk: 'initAck' | 'data' | 'shutdownAck' | 'abort';
    }
  /** The sender of a frame goes on. */
  | { kind: 'continue'; of: number; flags: string; chunk: 'cookieEcho' | 'data' | 'shutdown' }
  /** A frame is complained about, by its receiver or by a router on the way. */
  | {
      kind: 'error';
      of: number;
      type: number;
      code: number;
      router: boolean;
      quoted: number;
      flip: number | null;
    };

/** One thing that happens to an engine. */
export type Step =
  | { kind: 'deeds'; deeds: Deed[]; explain: number | null; forwardMs: number }
  | { kind: 'commit'; delta: ProgramDelta }
  | { kind: 'clock'; forwardMs: number }
  | { kind: 'interface'; slot: number }
  | { kind: 'link'; slot: number; up: boolean };

const age = fc.nat(12);

const deed: fc.Arbitrary<Deed[]> = fc.oneof(
  { weight: 14, arbitrary: anyFrame.map((arrival): Deed[] => [{ kind: 'frame', arrival }]) },
  {
    weight: 8,
    arbitrary: fc
      .record({
        of: age,
        flags: pick('SA', 'SA', 'A', 'PA', 'FA', 'R'),
        chunk: pick<'initAck' | 'data' | 'shutdownAck' | 'abort'>(
          'initAck',
          'data',
          'shutdownAck',
          'abort',
        ),
      })
      .map((rest): Deed[] => [{ kind: 'answer', ...rest }]),
  },
  {
    weight: 6,
    arbitrary: fc
      .record({
        of: age,
        flags: pick('A', 'A', 'PA', 'FA', 'S', 'R'),
        chunk: pick<'cookieEcho' | 'data' | 'shutdown'>('cookieEcho', 'data', 'shutdown'),
      })
      .map((rest): Deed[] => [{ kind: 'continue', ...rest }]),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({
        of: age,
        type: fc.nat(3),
        code: fc.nat(4),
        router: fc.boolean(),
        quoted: mostly(4, pick(8, 18, 20, 2_000), fc.nat(60)),
        flip: mostly(8, fc.constant(null), fc.nat(400)),
      })
      .map((rest): Deed[] => [{ kind: 'error', ...rest }]),
  },
  {
    weight: 3,
    arbitrary: pieces.map((arrivals) =>
      arrivals.map((arrival): Deed => ({ kind: 'frame', arrival })),
    ),
  },
);

/** Milliseconds; mostly what a timeout of run.ts says, so that the very second is met. */
const times = mostly(
  3,
  pick(1, 1, 500, 1_000),
  pick(3_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 90_000_000),
);

const deeds = fc
  .record({
    deeds: fc.array(deed, { minLength: 1, maxLength: 8 }).map((each) => each.flat()),
    explain: fc.option(fc.nat(3)),
    // What is over is met by a packet before any sweep has come round.
    forwardMs: mostly(6, fc.constant(0), times),
  })
  .map((rest): Step => ({ kind: 'deeds', ...rest }));

/** Peers say who they are again, mostly. */
const greeting = mostly<Step[]>(3, fc.constant([hello()]), fc.constant([]));

const clock = fc
  .tuple(times, greeting)
  .map(([forwardMs, behind]): Step[] => [{ kind: 'clock', forwardMs }, ...behind]);

/** An interface is removed and made anew. What went with it is mostly put back. */
const renewal = fc
  .tuple(
    pick(1, 2),
    mostly<Step[]>(4, fc.constant([{ kind: 'commit', delta: restoration }]), fc.constant([])),
    greeting,
  )
  .map(([slot, put, behind]): Step[] => [{ kind: 'interface', slot }, ...put, ...behind]);

/** A peer goes away, packets come meanwhile, and it mostly comes back. */
const outage = fc
  .tuple(
    pick(0, 1, 1, 2, 2, 3),
    fc.array(deeds, { minLength: 1, maxLength: 3 }),
    mostly(6, fc.constant(true), fc.constant(false)),
    greeting,
  )
  .map(([slot, meanwhile, back, behind]): Step[] => [
    { kind: 'link', slot, up: false },
    ...meanwhile,
    ...(back ? [{ kind: 'link' as const, slot, up: true }, ...behind] : []),
  ]);

const step: fc.Arbitrary<Step[]> = fc.oneof(
  { weight: 30, arbitrary: deeds.map((each) => [each]) },
  { weight: 5, arbitrary: anyChange.map((delta): Step[] => [{ kind: 'commit', delta }]) },
  { weight: 5, arbitrary: clock },
  { weight: 1, arbitrary: renewal },
  { weight: 3, arbitrary: outage },
);

/** What happens during one run. */
export const steps: fc.Arbitrary<Step[]> = fc
  .array(step, { minLength: 20, maxLength: 40 })
  .map((rest) => [hello(), ...rest.flat()]);

function hello(): Step {
  const deeds = introductions().map((arrival): Deed => ({ kind: 'frame', arrival }));
  return { kind: 'deeds', deeds, explain: null, forwardMs: 0 };
}
