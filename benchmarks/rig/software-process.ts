// SPDX-License-Identifier: Apache-2.0
// The TypeScript engine under test, in a process of its own so that its heap is its own:
// node --expose-gc --import=tsx benchmarks/rig/software-process.ts FLOWS SECONDS
// Prints a SoftwareReading as JSON.
import { getHeapStatistics } from 'node:v8';
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
const bytesPerPacket = watchHeap();
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

/** Reading the heap allocates by itself: that is measured and taken off. */
function watchHeap(): number {
  globalThis.gc?.();
  const nothing = Array.from({ length: WATCHED_STEPS }, () => growth(() => undefined));
  const steps = Array.from({ length: WATCHED_STEPS }, () => traffic.burst(growth));
  return Math.max(0, usual(steps) - usual(nothing)) / (2 * BURST);
}

function growth(work: () => void): number {
  const before = heapBytes();
  work();
  return heapBytes() - before;
}

function heapBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/** Median of what is left when collections, which make the heap smaller, are left out. */
function usual(growths: readonly number[]): number {
  const kept = growths.filter((bytes) => bytes >= 0).sort((a, b) => a - b);
  return kept[kept.length >> 1] ?? 0;
}
