// SPDX-License-Identifier: Apache-2.0
import { type Counters, WORKER } from '../base/counters.js';
import type { ProgramState } from '../config/program-state.js';
import { type Burst, LANE } from '../packet/burst.js';
import type { FlowTable } from '../table/flow-table.js';
import type { Neighbour, NeighbourTable } from '../table/neighbours.js';

/** What the stages know of an interface. */
export interface Station {
  /** Our own MAC, 6 bytes. */
  readonly mac: Uint8Array;
  /** Largest IP packet in bytes. */
  readonly mtu: number;
  /** The peer is there. */
  readonly up: boolean;
  /** Hands a frame over for good; `false`: no room. */
  transmit(frame: Uint8Array): boolean;
}

/** A packet that waits for its neighbour. */
export interface HeldPacket {
  frame: Uint8Array;
  egress: number;
  neighbour: Neighbour;
  /** Address of the neighbour. */
  nextHop: number;
  sinceMs: number;
}

/** A frame of our own, waiting for the end of the burst. */
export interface Request {
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
  /** In order of arrival. */
  held: HeldPacket[] = [];
  readonly requests: Request[] = [];

  constructor(
    readonly program: ProgramState,
    readonly flows: FlowTable,
    readonly neighbours: NeighbourTable,
    readonly counters: Counters,
    /** By slot. */
    readonly stations: readonly (Station | null)[],
  ) {}

  setTime(nowMs: number): void {
    this.nowMs = nowMs;
    this.nowSeconds = Math.floor(nowMs / 1000);
  }

  /** The fate of packet `i`. @param reason - one of `DROP` */
  drop(burst: Burst, i: number, reason: number): void {
    burst.lane[i] = LANE.done;
    this.counters.drop(reason);
  }

  /** Removes a pair that has expired. */
  expire(pair: number): void {
    this.flows.remove(pair);
    this.counters.add(WORKER.flowsExpired, 1);
  }
}
