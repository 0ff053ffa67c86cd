// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { copyMac } from '../base/byte-order.js';
import { PASSED } from '../packet/burst.js';
import { ETH } from '../packet/headers.js';
import type { Neighbour } from '../table/neighbours.js';
import type { Context, OutgoingFrame, Station } from './context.js';
import { solicit } from './solicit.js';

/**
 * Whether there is room for a packet to wait for a neighbour.
 * @param known - the neighbour, where there is an entry
 * @returns `PASSED` or one of `DROP`
 */
export function judgeHold(known: Neighbour | undefined, context: Context): number {
  const { held, neighbours, options } = context;
  const waiting = known?.held ?? 0;
  if (held.length >= options.heldPackets || waiting >= options.heldPerNeighbour) {
    return DROP.neighbour_queue_full;
  }
  return known === undefined && neighbours.isFull ? DROP.neighbour_table_full : PASSED;
}

/**
 * The frame waits for its next hop, at `at` of `words`, which is asked for.
 * @param known - the neighbour, where there is an entry
 * @returns `PASSED`, or one of `DROP`: it cannot wait
 */
export function holdFrame(
  outgoing: OutgoingFrame,
  words: Int32Array,
  at: number,
  known: Neighbour | undefined,
  context: Context,
): number {
  const reason = judgeHold(known, context);
  if (reason !== PASSED) return reason;
  // There is room: `judgeHold` has looked.
  const neighbour = (known ?? context.neighbours.add(outgoing.egress, words, at)) as Neighbour;
  neighbour.held++;
  context.held.push({ ...outgoing, neighbour, sinceMs: context.nowMs });
  context.showWaiting();
  solicit(neighbour, context);
  return PASSED;
}

/** Writes the MACs. */
export function addressFrame(frame: Uint8Array, mac: Uint8Array, station: Station): void {
  copyMac(frame, ETH.destination, mac, 0);
  copyMac(frame, ETH.source, station.mac, 0);
}
