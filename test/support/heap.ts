// SPDX-License-Identifier: Apache-2.0
import { getHeapStatistics } from 'node:v8';

/**
 * Bytes that `work` allocates, as a rule: the median of `times` runs, without those in which a
 * collection made the heap smaller, and without what looking at the heap costs by itself.
 * @param run - is given the work to be looked at, whose preparation it leaves out
 */
export function allocatedBy(times: number, run: (watch: (work: () => void) => number) => number) {
  const nothing = usual(Array.from({ length: times }, () => growth(() => undefined)));
  return Math.max(0, usual(Array.from({ length: times }, () => run(growth))) - nothing);
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

function usual(growths: readonly number[]): number {
  const kept = growths.filter((bytes) => bytes >= 0).sort((a, b) => a - b);
  if (kept.length === 0) throw new Error('the heap was collected in every run');
  return kept[kept.length >> 1];
}
