// SPDX-License-Identifier: Apache-2.0
// The TypeScript engine under test, in a process of its own so that its heap is its own:
// node --expose-gc --import=tsx benchmarks/rig/software-process.ts FLOWS SECONDS
// Prints a SoftwareReading as JSON.
import { allocatedBy } from '../../test/support/heap.js';
import { BURST, expect, SoftwareTraffic } from './software-traffic.js';

/** What the TypeScript engine came to in one run. */
export interface SoftwareReading {
  /** In the engine alone: its rx, path and tx. */
  packetsPerSecond: number;
  /** With the copies of `send` and `receive` around it. */
  withCopies: number;
  /** JavaScript memory that the engine allocates for a packet. */
  bytesPerPacket: number;
}

/** Steps in which the heap is watched. */
const WATCHED_STEPS = 2_000;

const [flows = 1_024, seconds = 1] = process.argv.slice(2).map(Number);
await using traffic = await SoftwareTraffic.open(flows);
traffic.inspect();
run(seconds / 2);
const { packetsPerSecond, withCopies } = run(seconds);
globalThis.gc?.();
const bytesPerPacket = allocatedBy(WATCHED_STEPS, (watch) => traffic.burst(watch)) / (2 * BURST);
traffic.inspect();
const { fates, flows: table } = traffic.proxy.stats();
expect(fates.forwarded, fates.rx, 'forwarded');
expect(table.created, flows, 'flows created');
const reading: SoftwareReading = { packetsPerSecond, withCopies, bytesPerPacket };
console.log(JSON.stringify(reading));

function run(seconds: number): Pick<SoftwareReading, 'packetsPerSecond' | 'withCopies'> {
  const begin = performance.now();
  let [inside, around, packets] = [0, 0, 0];
  while (around < seconds * 1_000) {
    inside += traffic.burst(timed);
    packets += 2 * BURST;
    around = performance.now() - begin;
  }
  return {
    packetsPerSecond: (packets / inside) * 1_000,
    withCopies: (packets / around) * 1_000,
  };
}

function timed(work: () => void): number {
  const begin = performance.now();
  work();
  return performance.now() - begin;
}
