// SPDX-License-Identifier: Apache-2.0
//
// The contract of the native addon (build/Release/sluice.node), written by hand. Only
// lib/engine/native/ knows that the addon exists. Changing this file is an API review.

import type { InterfaceRequest, ProgramDelta } from '../lib/compile/program.js';
import type {
  CounterLayout,
  EngineOptions,
  Explanation,
  InterfaceReport,
  LinkEvent,
  Occupancy,
} from '../lib/engine/engine.js';

export interface Addon {
  /** What this build is. Does not start DPDK. */
  describe(): AddonDescription;
  /**
   * Starts the EAL (once per process, on a thread of its own) and the workers.
   * One engine per process at a time: a second `open` rejects with `ERR_ENGINE_BUSY`.
   */
  open(options: EngineOptions, onLink: (events: LinkEvent[]) => void): Promise<AddonEngine>;
}

export interface AddonDescription {
  /** DPDK's version string, e.g. `DPDK 22.11.11`. */
  dpdk: string;
  /** CPU features that this build uses and this CPU has. */
  cpu: string[];
  /** Drop reasons in counter order; must equal `DROP_REASONS`. */
  reasons: string[];
  /** Program columns; must equal `PROGRAM_COLUMNS`. */
  columns: string[];
  /** Must equal `WORKER_COUNTERS`. */
  workerCounters: string[];
}

/** Rejections and throws are `Error`s with `code` (`ERR_...`) and, where one is to blame, `path`. */
export interface AddonEngine {
  readonly hugepages: boolean;
  readonly workers: number;
  /** The CPU of each worker; empty with the manual clock. */
  readonly workerCpus: readonly number[];
  readonly counters: {
    buffer: ArrayBuffer;
    stride: number;
    layout: CounterLayout;
  };
  commit(delta: ProgramDelta): Promise<number>;
  addInterface(request: InterfaceRequest): Promise<InterfaceReport>;
  removeInterface(slot: number): Promise<void>;
  /** Rows of 120 bytes; the layout is in lib/engine/native/flow-rows.ts. */
  flows(limit: number): Promise<ArrayBuffer>;
  occupancy(): Occupancy;
  /** With `reason` as an index into `reasons`, and `state` as one into `FLOW_STATES`. */
  explain(slot: number, frame: Uint8Array): Promise<AddonExplanation>;
  send(slot: number, frames: readonly Uint8Array[]): number;
  receive(slot: number, max: number): Uint8Array[];
  setLink(slot: number, up: boolean): Promise<void>;
  step(nowMs: number): void;
  close(): Promise<void>;
}

/** An {@link Explanation} with numbers in place of names. */
export interface AddonExplanation extends Omit<Explanation, 'reason' | 'flow'> {
  reason: number | null;
  flow: { direction: 'forward' | 'reply' | 'related'; state: number } | null;
}
