// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { WORKER } from '../base/counters.js';
import { type Burst, LANE } from '../packet/burst.js';
import type { Context } from './context.js';

/** Sends what is to be sent, in the order of the packets, and frames of our own behind it. */
export function tx(burst: Burst, context: Context): void {
  for (let i = 0; i < burst.count; i++) {
    const lane = burst.lane[i];
    if (lane < LANE.forward) continue;
    const frame = burst.frame[i];
    const length = burst.length[i];
    const whole = frame.length === length ? frame : frame.subarray(0, length);
    if (send(context, burst.egress[i], whole, fateOf(lane))) burst.lane[i] = LANE.done;
    else context.drop(burst, i, DROP.tx_full);
  }
  sendOriginated(context);
}

function fateOf(lane: number): number {
  if (lane === LANE.host) return WORKER.host;
  return lane === LANE.forward ? WORKER.forwarded : WORKER.answered;
}

/**
 * Sends one frame and counts it.
 * @param fate - the worker's counter to add to, or `null` for a frame of our own
 * @returns `false`: the interface had no room; nothing has been counted
 */
export function send(
  context: Context,
  egress: number,
  frame: Uint8Array,
  fate: number | null,
): boolean {
  if (!context.stations[egress]?.transmit(frame)) return false;
  context.counters.sent(egress, frame.length);
  if (fate !== null) context.counters.add(fate, 1);
  return true;
}

/** Sends the frames of our own that have been made, in the order of their making. */
export function sendOriginated(context: Context): void {
  for (const { frame, egress } of context.originated) send(context, egress, frame, null);
  context.originated.length = 0;
}
