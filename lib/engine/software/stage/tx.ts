// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { WORKER } from '../base/counters.js';
import { type Burst, LANE, PASSED } from '../packet/burst.js';
import type { Tunnel } from '../table/tunnels.js';
import type { Context, OutgoingFrame } from './context.js';
import { wrap } from './encap.js';
import { findOwnWay, HELD } from './own-frames.js';

// Filled in anew for each packet of a burst.
const outgoing: OutgoingFrame = { frame: new Uint8Array(0), egress: 0, fate: null, hash: 0 };

/** Sends what is to be sent, in the order of the packets, and frames of our own behind it. */
export function tx(burst: Burst, context: Context): void {
  for (let i = 0; i < burst.count; i++) {
    const lane = burst.lane[i];
    if (lane < LANE.forward) continue;
    const frame = burst.frame[i];
    const length = burst.length[i];
    outgoing.frame = frame.length === length ? frame : frame.subarray(0, length);
    outgoing.egress = burst.egress[i];
    outgoing.fate = fateOf(lane);
    outgoing.hash = burst.hash[i];
    send(context, outgoing);
    burst.lane[i] = LANE.done;
  }
  sendOriginated(context);
}

function fateOf(lane: number): number {
  if (lane === LANE.host) return WORKER.host;
  return lane === LANE.forward ? WORKER.forwarded : WORKER.answered;
}

/**
 * Sends one frame and counts its fate. What leaves by a tunnel goes into a packet that carries it, which
 * may have to wait.
 */
export function send(context: Context, frame: OutgoingFrame): void {
  const station = context.stations[frame.egress] ?? null;
  const tunnel = station === null ? null : station.tunnel;
  if (tunnel !== null) sendThrough(tunnel, frame, context);
  else if (station?.transmit(frame.frame)) countSent(context, frame);
  else refuse(context, frame, DROP.tx_full);
}

/** Sends the frames of our own that have been made, in the order of their making. */
export function sendOriginated(context: Context): void {
  // What goes into a tunnel may make us ask for the way to its other end: there are more of them then.
  for (const frame of context.originated) send(context, frame);
  context.originated.length = 0;
}

function sendThrough(tunnel: Tunnel, inside: OutgoingFrame, context: Context): void {
  if (!tunnel.hasRemote) {
    refuse(context, inside, DROP.tunnel_no_remote);
    return;
  }
  context.counters.sent(tunnel.slot, inside.frame.length);
  const carrier = { ...inside, frame: wrap(inside.frame, tunnel, inside.hash) };
  const way = findOwnWay(carrier, true, context);
  if (way === PASSED) send(context, carrier);
  else if (way !== HELD) refuse(context, carrier, way);
}

function countSent({ counters }: Context, { egress, frame, fate }: OutgoingFrame): void {
  counters.sent(egress, frame.length);
  if (fate !== null) counters.add(fate, 1);
}

function refuse({ counters }: Context, { fate }: OutgoingFrame, reason: number): void {
  if (fate !== null) counters.drop(reason);
}
