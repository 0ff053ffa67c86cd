// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS } from '../base/address.js';
import { copyMac } from '../base/byte-order.js';
import { WORKER } from '../base/counters.js';
import { type Burst, LANE, PASSED } from '../packet/burst.js';
import type { Family } from '../packet/family.js';
import { ETH } from '../packet/headers.js';
import type { NextHop } from '../table/groups.js';
import type { Neighbour } from '../table/neighbours.js';
import type { Context, HeldPacket, Station } from './context.js';
import { solicit } from './solicit.js';
import { send, sendOriginated } from './tx.js';

/** Puts the MACs on, or holds the packet until the next hop has said what its MAC is. */
export function neighbour(burst: Burst, family: Family, context: Context): void {
  for (let i = 0; i < burst.count; i++) {
    if (!burst.isIn(i, LANE.neighbour, family)) continue;
    const egress = burst.egress[i];
    const station = context.stations[egress] as Station;
    const { mac } = burst.route[i] as NextHop;
    if (mac !== null) {
      address(burst.frame[i], mac, station);
      burst.lane[i] = burst.toHost[i] === 0 ? LANE.forward : LANE.host;
      continue;
    }
    const known = context.neighbours.find(egress, burst.nextHop, i * ADDRESS_WORDS);
    if (known?.usable(context.nowMs)) {
      address(burst.frame[i], known.mac, station);
      burst.lane[i] = burst.toHost[i] === 0 ? LANE.forward : LANE.host;
      if (known.stale(context.nowMs)) solicit(known, context);
    } else {
      const reason = judgeHold(known, context);
      if (reason === PASSED) hold(burst, i, known, context);
      else context.drop(burst, i, reason);
    }
  }
}

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

/** Once a poll: sends held packets whose neighbour has answered, gives up on those that wait too long. */
export function walkHeld(context: Context): void {
  if (context.held.length === 0) return;
  const { held, nowMs } = context;
  const holdMs = context.options.timeouts.hold * 1000;
  let kept = 0;
  for (const packet of held) {
    const station = context.stations[packet.egress];
    if (station === null) {
      release(packet, context, DROP.interface_removed);
    } else if (!station.up) {
      release(packet, context, DROP.interface_down);
    } else if (packet.neighbour.usable(nowMs)) {
      address(packet.frame, packet.neighbour.mac, station);
      const isSent = send(context, packet.egress, packet.frame, packet.fate);
      release(packet, context, isSent ? PASSED : DROP.tx_full);
    } else if (nowMs - packet.sinceMs >= holdMs) {
      release(packet, context, DROP.neighbour_unresolved);
    } else {
      solicit(packet.neighbour, context);
      held[kept++] = packet;
    }
  }
  held.length = kept;
  context.showWaiting();
  sendOriginated(context);
}

/** Drops what is held for an interface that goes away. */
export function dropHeld(context: Context, slot: number): void {
  for (const packet of context.held) {
    if (packet.egress === slot) release(packet, context, DROP.interface_removed);
  }
  context.held = context.held.filter((packet) => packet.egress !== slot);
  context.showWaiting();
}

function hold(burst: Burst, i: number, known: Neighbour | undefined, context: Context): void {
  const egress = burst.egress[i];
  // There is room: `judgeHold` has looked.
  const entry = (known ??
    context.neighbours.add(egress, burst.nextHop, i * ADDRESS_WORDS)) as Neighbour;
  entry.held++;
  context.held.push({
    frame: burst.frame[i].subarray(0, burst.length[i]),
    egress,
    neighbour: entry,
    fate: burst.toHost[i] === 0 ? WORKER.forwarded : WORKER.host,
    sinceMs: context.nowMs,
  });
  burst.lane[i] = LANE.done;
  context.showWaiting();
  solicit(entry, context);
}

function release(packet: HeldPacket, context: Context, reason: number): void {
  packet.neighbour.held--;
  if (reason !== PASSED) context.counters.drop(reason);
}

function address(frame: Uint8Array, mac: Uint8Array, station: Station): void {
  copyMac(frame, ETH.destination, mac, 0);
  copyMac(frame, ETH.source, station.mac, 0);
}
