// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../lib/cli/control/protocol.js';
import { allowedCpus } from '../../lib/cli/demo/testpmd.js';
import type { Bench } from './bench.js';
import { generate } from './generator.js';
import { BURST, RING } from './sizes.js';
import { Sluice } from './sluice.js';
import type { Counts } from './sluice-messages.js';
import type { Target } from './target.js';
import type { Outcome, Traffic } from './traffic.js';

/** What a case says of its traffic; the rest is the same for all. */
export type Measuring = Pick<Traffic, 'population' | 'run'> &
  Partial<Pick<Traffic, 'frame' | 'seconds' | 'warmUpSeconds'>>;

/** Traffic that does not wait for what is under way overruns a ring when anybody is held up. */
const isPaced = ({ run }: Measuring): boolean => run.kind === 'latency';

export interface Measurement {
  outcome: Outcome;
  /** Millions of packets a second. */
  mpps: number;
  /** Sluice only: TSC clocks per packet of its worker, rx and tx calls left out; else NaN. */
  clocks: number;
}

const GENERATOR = fileURLToPath(
  new URL('../../build-generator/traffic_generator', import.meta.url),
);
const FRAME = 64;
const SETTLING_MS = 1_000;
const LOOK_AGAIN_MS = 20;

/** Sends traffic through a device once, and looks at what it says of itself. */
export async function measure(
  bench: Bench,
  target: Target,
  measuring: Measuring,
): Promise<Measurement> {
  const { seconds, warmUpSeconds } = bench.scale;
  const traffic: Traffic = {
    cpu: allowedCpus()[0]!,
    frame: FRAME,
    burst: BURST,
    ring: RING,
    seconds,
    warmUpSeconds,
    ...measuring,
    ...target.attachments,
  };
  const sluice = target instanceof Sluice ? target : null;
  const before = await sluice?.counts();
  const meanwhile: Promise<Counts>[] = [];
  const outcome = await generate(GENERATOR, traffic, {
    onEvent: (event) => {
      if (sluice === null || event.event !== 'progress') return;
      if (event.seconds >= 0 && event.seconds <= traffic.seconds) meanwhile.push(sluice.counts());
    },
  }).catch((error: unknown) => {
    throw new Error(`${target.name}: ${messageOf(error)}`);
  });
  const after = sluice === null ? undefined : await settledCounts(sluice);
  const told = JSON.stringify(traffic);
  bench.commands.set(`generator at ${target.name}`, `echo '${told}' | ${basename(GENERATOR)}`);
  const faults = outcomeFaults(outcome, isPaced(measuring));
  if (before !== undefined && after !== undefined)
    faults.push(...countFaults(before, after, isPaced(measuring)));
  for (const fault of faults) bench.fault(`${target.name}: ${fault}`);
  const clocks = clocksOf(await Promise.all(meanwhile));
  return { outcome, mpps: outcome.packetsPerSecond / 1e6, clocks };
}

/** Counts behind the last burst: a worker that is held up within one has counted half of it. */
async function settledCounts(sluice: Sluice): Promise<Counts> {
  const deadline = performance.now() + SETTLING_MS;
  for (;;) {
    const counts = await sluice.counts();
    if (counts.rx === counts.fates || performance.now() > deadline) return counts;
    await sleep(LOOK_AGAIN_MS);
  }
}

/**
 * What the generator saw that must not be.
 * @param paced - packets may be lost: that is a figure then
 */
export function outcomeFaults(
  { lost, wrong, received, checked, failed }: Outcome,
  paced = false,
): string[] {
  const faults = Object.entries(wrong)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} of ${checked} packets were wrong: ${what}`);
  if (lost > 0 && !paced)
    faults.push(`${lost} packets that were counted as sent did not come back`);
  if (failed > 0) faults.push(`${failed} connections were not through in time`);
  if (received === 0) faults.push('nothing came back');
  return faults;
}

/**
 * What Sluice's own counters say that must not be.
 * @param paced - packets may meet a ring that is full
 */
export function countFaults(before: Counts, after: Counts, paced = false): string[] {
  const faults: string[] = [];
  for (const [reason, count] of Object.entries(after.drops)) {
    if (paced && reason === 'tx_full') continue;
    const dropped = count - (before.drops[reason] ?? 0);
    if (dropped > 0) faults.push(`dropped ${dropped} packets: ${reason}`);
  }
  if (after.rx !== after.fates) faults.push(`received ${after.rx}, fates of ${after.fates}`);
  return faults;
}

/** Clocks a packet from the first to the last of some looks; NaN if there are not two. */
export function clocksOf(looks: readonly Pick<Counts, 'rx' | 'cycles'>[]): number {
  const [first, last] = [looks[0], looks.at(-1)];
  if (first === undefined || last === undefined) return Number.NaN;
  return (last.cycles - first.cycles) / (last.rx - first.rx);
}
