// SPDX-License-Identifier: Apache-2.0
import { type CounterRegion, INTERFACE_COUNTERS, WORKER_COUNTERS } from '../engine/engine.js';
import { DROP_REASONS, type DropReason } from '../engine/reasons.js';

/** Number of packets that were dropped, by reason; reasons that never struck are left out. */
export type DropCounts = Partial<Record<DropReason, number>>;

/** A worker's own counters, by name: see `WORKER_COUNTERS`. */
export type WorkerCounts = Record<(typeof WORKER_COUNTERS)[number], number>;

/** Packets and bytes (whole frames) of one interface, since it was added. */
export interface InterfaceCounts {
  rxPackets: number;
  rxBytes: number;
  txPackets: number;
  txBytes: number;
}

/**
 * Reads the counters of either engine. The workers write while this reads, so figures that are read
 * one after the other may differ by the packets of a few microseconds; each by itself only grows
 * (only gauges fall too: `held`, `fragments`, `fragmentPackets`).
 */
export class CounterReader {
  readonly #region: CounterRegion;

  constructor(region: CounterRegion) {
    this.#region = region;
  }

  get workers(): number {
    return this.#region.workers;
  }

  worker(worker: number): WorkerCounts {
    const first = worker * this.#region.stride + this.#region.layout.worker;
    const counts = {} as WorkerCounts;
    for (const [offset, name] of WORKER_COUNTERS.entries()) counts[name] = this.#at(first + offset);
    return counts;
  }

  /** Drops of one worker, in the order of `DROP_REASONS`. */
  drops(worker: number): number[] {
    const first = worker * this.#region.stride + this.#region.layout.drops;
    return DROP_REASONS.map((_, offset) => this.#at(first + offset));
  }

  /** Drops of all workers, in the order of `DROP_REASONS`. */
  allDrops(): number[] {
    const total = DROP_REASONS.map(() => 0);
    for (let worker = 0; worker < this.workers; worker++)
      for (const [index, count] of this.drops(worker).entries()) total[index]! += count;
    return total;
  }

  /** Sum over all workers, of everything that ever used the slot. */
  interface(slot: number): InterfaceCounts {
    const first = this.#region.layout.interfaces + slot * INTERFACE_COUNTERS.length;
    const [rxPackets, rxBytes, txPackets, txBytes] = INTERFACE_COUNTERS.map((_, offset) =>
      this.#sum(first + offset),
    );
    return { rxPackets: rxPackets!, rxBytes: rxBytes!, txPackets: txPackets!, txBytes: txBytes! };
  }

  /** Connections that were ever assigned to the backend slot, over all workers. */
  connections(backendSlot: number): number {
    return this.#sum(this.#region.layout.backends + backendSlot);
  }

  #sum(offset: number): number {
    let total = 0;
    for (let worker = 0; worker < this.workers; worker++)
      total += this.#at(worker * this.#region.stride + offset);
    return total;
  }

  #at(index: number): number {
    return Number(this.#region.values[index]);
  }
}

/** The counts by name, zeroes left out. */
export function dropCounts(counts: readonly number[]): DropCounts {
  const named: DropCounts = {};
  for (const [index, reason] of DROP_REASONS.entries()) {
    const count = counts[index] ?? 0;
    if (count > 0) named[reason] = count;
  }
  return named;
}
