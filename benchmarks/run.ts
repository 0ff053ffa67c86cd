// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { nativeAvailability } from '../lib/engine/native/native.js';
import { FlowHit, type FlowHitRound } from './cases/flow-hit.js';

const ROUNDS = 5;
const WARM_UP_MS = 500;
const ROUND_MS = 1_000;
const RESULTS = new URL('results/', import.meta.url);

interface Spread {
  min: number;
  median: number;
  max: number;
}

const wanted = process.env['SLUICE_ENGINE'] !== 'software';
const native = wanted ? nativeAvailability() : { available: false, why: 'SLUICE_ENGINE=software' };
await using software = await FlowHit.open('software');
await using dpdk = native.available ? await FlowHit.open('dpdk') : null;

// Rounds alternate, so that whatever else the machine does meets both engines alike.
const rounds: { software: FlowHitRound; dpdk: FlowHitRound | null }[] = [];
software.run(WARM_UP_MS);
dpdk?.run(WARM_UP_MS);
for (let round = 0; round < ROUNDS; round++) {
  rounds.push({ software: software.run(ROUND_MS), dpdk: dpdk?.run(ROUND_MS) ?? null });
}

const summary: Record<string, Spread> = {
  'software: packets/s': spread(rounds.map((round) => round.software.packetsPerSecond)),
};
const pairs = rounds.flatMap(({ software, dpdk }) => (dpdk === null ? [] : [{ software, dpdk }]));
if (pairs.length > 0) {
  summary['dpdk: packets/s'] = spread(pairs.map(({ dpdk }) => dpdk.packetsPerSecond));
  summary['dpdk: clocks/packet'] = spread(pairs.map(({ dpdk }) => dpdk.cyclesPerPacket!));
  summary['dpdk / software'] = spread(
    pairs.map(({ software, dpdk }) => dpdk.packetsPerSecond / software.packetsPerSecond),
  );
}

console.log(`flow-hit, ${ROUNDS} rounds of ${ROUND_MS} ms, ${cpus()[0]?.model}`);
console.table(
  Object.fromEntries(
    Object.entries(summary).map(([name, { min, median, max }]) => [
      name,
      { min: figure(min), median: figure(median), max: figure(max) },
    ]),
  ),
);
if ('why' in native) console.log(`the native engine was not measured: ${native.why}`);

await mkdir(RESULTS, { recursive: true });
const machine = { cpu: cpus()[0]?.model, cpus: cpus().length, node: process.versions.node };
const outcome = { case: 'flow-hit', date: new Date().toISOString(), machine, summary, rounds };
await writeFile(new URL('flow-hit.json', RESULTS), `${JSON.stringify(outcome, null, 2)}\n`);

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { min: sorted[0]!, median: sorted[sorted.length >> 1]!, max: sorted.at(-1)! };
}

function figure(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 100) / 100;
}
