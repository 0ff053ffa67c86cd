// SPDX-License-Identifier: Apache-2.0
import { allowedCpus } from '../../lib/cli/demo/testpmd.js';
import type { Bench } from './bench.js';
import { Sluice } from './sluice.js';
import type { Counts } from './sluice-messages.js';
import type { Target } from './target.js';
import type { Outcome, Traffic } from './traffic.js';

/** What a case says of its traffic; the rest is the same for all. */
export type Measuring = Pick<Traffic, 'population' | 'run'> &
  Partial<Pick<Traffic, 'frame' | 'seconds' | 'warmUpSeconds' | 'burst' | 'ring'>>;

/** Called at the begin and at the end of the measured time. */
export interface Phases {
  begun(): Promise<void>;
  ended(): Promise<void>;
}

/** Runs the generator once. */
export type Generate = (
  traffic: Traffic,
  phases: Phases,
) => Promise<{ outcome: Outcome; command: string }>;

export interface Measurement {
  outcome: Outcome;
  /** Millions of packets a second. */
  mpps: number;
  /** Sluice only: TSC clocks per packet of its worker, rx and tx calls left out; else NaN. */
  clocks: number;
}

const FRAME = 64;
const BURST = 64;
const RING = 1_024;

/** Sends traffic through a device once, and looks at what it says of itself. */
export async function measure(
  bench: Bench,
  generate: Generate,
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
  const counts: Counts[] = [];
  const count = async () => {
    if (target instanceof Sluice) counts.push(await target.counts());
  };
  await count();
  const { outcome, command } = await generate(traffic, { begun: count, ended: count });
  await count();
  bench.commands.set(`generator at ${target.name}`, command);
  for (const fault of [...outcomeFaults(outcome), ...countFaults(counts)])
    bench.fault(`${target.name}: ${fault}`);
  return { outcome, mpps: outcome.packetsPerSecond / 1e6, clocks: clocksOf(counts) };
}

/** What the generator saw that must not be. */
export function outcomeFaults({ lost, wrong, received, checked }: Outcome): string[] {
  const faults = Object.entries(wrong)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} of ${checked} packets were wrong: ${what}`);
  if (lost > 0) faults.push(`${lost} packets that were counted as sent did not come back`);
  if (received === 0) faults.push('nothing came back');
  return faults;
}

/**
 * What Sluice's own counters say that must not be.
 * @param counts - before the run, at the begin and end of the measured time, after the run
 */
export function countFaults(counts: readonly Counts[]): string[] {
  const [first, last] = [counts[0], counts.at(-1)];
  if (first === undefined || last === undefined) return [];
  const faults: string[] = [];
  for (const [reason, count] of Object.entries(last.drops)) {
    const dropped = count - (first.drops[reason] ?? 0);
    if (dropped > 0) faults.push(`dropped ${dropped} packets: ${reason}`);
  }
  if (last.rx !== last.fates) faults.push(`received ${last.rx}, fates of ${last.fates}`);
  return faults;
}

function clocksOf(counts: readonly Counts[]): number {
  const [, begun, ended] = counts;
  if (begun === undefined || ended === undefined) return Number.NaN;
  return (ended.cycles - begun.cycles) / (ended.rx - begun.rx);
}
