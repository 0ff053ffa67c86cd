// SPDX-License-Identifier: Apache-2.0
import {
  type CounterLayout,
  type CounterRegion,
  type EngineOptions,
  INTERFACE_COUNTERS,
  WORKER_COUNTERS,
} from '../../engine.js';
import { DROP_REASONS } from '../../reasons.js';

type WorkerCounter = (typeof WORKER_COUNTERS)[number];

/** Offset of each of a worker's own counters. */
export const WORKER = Object.fromEntries(
  WORKER_COUNTERS.map((name, index) => [name, index]),
) as Record<WorkerCounter, number>;

/** The counters of the one worker that the software engine has. */
export class Counters implements CounterRegion {
  readonly values: Float64Array;
  readonly stride: number;
  readonly workers = 1;
  readonly layout: CounterLayout;

  constructor(options: Pick<EngineOptions, 'interfaces' | 'backends'>) {
    // Sections start on a cache line, as they do in the native engine.
    const round = (count: number) => Math.ceil(count / 8) * 8;
    const drops = round(WORKER_COUNTERS.length);
    const interfaces = drops + round(DROP_REASONS.length);
    const backends = interfaces + round(options.interfaces * INTERFACE_COUNTERS.length);
    this.layout = { worker: 0, drops, interfaces, backends };
    this.stride = backends + round(options.backends);
    this.values = new Float64Array(this.stride);
  }

  /** @param counter - one of {@link WORKER} */
  add(counter: number, count: number): void {
    this.values[this.layout.worker + counter] += count;
  }

  set(counter: number, value: number): void {
    this.values[this.layout.worker + counter] = value;
  }

  /** @param reason - one of `DROP` */
  drop(reason: number): void {
    this.values[this.layout.drops + reason] += 1;
  }

  received(slot: number, bytes: number): void {
    const first = this.layout.interfaces + slot * INTERFACE_COUNTERS.length;
    this.values[first] += 1;
    this.values[first + 1] += bytes;
  }

  sent(slot: number, bytes: number): void {
    const first = this.layout.interfaces + slot * INTERFACE_COUNTERS.length;
    this.values[first + 2] += 1;
    this.values[first + 3] += bytes;
  }

  connection(backendSlot: number): void {
    this.values[this.layout.backends + backendSlot] += 1;
  }
}
