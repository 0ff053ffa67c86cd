// SPDX-License-Identifier: Apache-2.0
import type { EngineOptions } from '../../engine.js';
import { type Counters, WORKER } from '../base/counters.js';
import type { ProgramState } from '../config/program-state.js';
import { type Burst, LANE } from '../packet/burst.js';
import type { Family } from '../packet/family.js';
import { AffinityTable } from '../table/affinity.js';
import type { WaitingFragment } from '../table/datagrams.js';
import { FlowTable } from '../table/flow-table.js';
import { FragmentTable } from '../table/fragments.js';
import { type Neighbour, NeighbourTable } from '../table/neighbours.js';
import { PolicyJudge } from './policy.js';
import { RejectBudget } from './reject-budget.js';

/** What the stages know of an interface. */
export interface Station {
  /** Our own MAC, 6 bytes. */
  readonly mac: Uint8Array;
  /** Largest IP packet in bytes. */
  readonly mtu: number;
  /** The peer is there. */
  readonly up: boolean;
  /** Its peer may leave L4 checksums to us. */
  readonly unfinishedChecksums: boolean;
  /** Hands a frame over for good; `false`: no room. */
  transmit(frame: Uint8Array): boolean;
}

/** A packet that waits for its neighbour. */
export interface HeldPacket {
  frame: Uint8Array;
  egress: number;
  neighbour: Neighbour;
  /** The worker's counter that it counts for. */
  fate: number;
  sinceMs: number;
}

/** A frame of our own, waiting for the end of the burst. */
export interface OriginatedFrame {
  frame: Uint8Array;
  egress: number;
}

/**
 * What the stages work with besides the burst. Whatever has an outside (time, the way out) is passed
 * in, so that a stage runs by itself.
 */
export class Context {
  nowMs = 0;
  nowSeconds = 0;
  /** When it last swept; not yet: NaN. */
  sweptMs = Number.NaN;
  /** By `index` of the family. */
  readonly flows: readonly [FlowTable, FlowTable];
  readonly affinities: AffinityTable;
  readonly neighbours: NeighbourTable;
  readonly fragments: FragmentTable;
  readonly budget: RejectBudget;
  readonly policy: PolicyJudge;
  /** In order of arrival. */
  held: HeldPacket[] = [];
  /** Fragments that the burst under way has set free. */
  readonly released: WaitingFragment[] = [];
  readonly originated: OriginatedFrame[] = [];

  constructor(
    readonly options: EngineOptions,
    readonly program: ProgramState,
    readonly counters: Counters,
    /** By slot. */
    readonly stations: readonly (Station | null)[],
  ) {
    const { timeouts } = options;
    this.flows = [
      new FlowTable(options.flows, timeouts, counters),
      new FlowTable(options.flows6, timeouts, counters),
    ];
    this.affinities = new AffinityTable(options.affinities);
    this.neighbours = new NeighbourTable(options.neighbours, {
      staleMs: timeouts.neighbourStale * 1000,
      deadMs: timeouts.neighbourDead * 1000,
    });
    this.fragments = new FragmentTable(
      {
        datagrams: options.fragments,
        packets: options.fragmentPackets,
        timeout: timeouts.fragment,
      },
      {
        release: (fragment) => this.released.push(fragment),
        drop: (reason) => counters.drop(reason),
      },
    );
    this.policy = new PolicyJudge(program);
    this.budget = new RejectBudget(options.icmpRate);
  }

  setTime(nowMs: number): void {
    this.nowMs = nowMs;
    this.nowSeconds = Math.floor(nowMs / 1000);
  }

  flowsOf(family: Family): FlowTable {
    return this.flows[family.index];
  }

  /** The fate of packet `i`. @param reason - one of `DROP` */
  drop(burst: Burst, i: number, reason: number): void {
    burst.lane[i] = LANE.done;
    this.counters.drop(reason);
  }

  /** Takes a frame of our own; it is sent behind the burst under way. */
  originate(egress: number, frame: Uint8Array): void {
    this.originated.push({ frame, egress });
    this.counters.add(WORKER.originated, 1);
  }

  /** Brings the gauges up to what waits. */
  showWaiting(): void {
    const { counters, fragments } = this;
    counters.set(WORKER.held, this.held.length + fragments.waiting);
    counters.set(WORKER.fragments, fragments.size);
    counters.set(WORKER.fragmentPackets, fragments.waiting);
  }
}
