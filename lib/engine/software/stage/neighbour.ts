// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS } from '../base/address.js';
import { WORKER } from '../base/counters.js';
import { type Burst, LANE, PASSED } from '../packet/burst.js';
import type { Family } from '../packet/family.js';
import type { NextHop } from '../table/groups.js';
import type { Neighbour } from '../table/neighbours.js';
import type { Context, HeldPacket, Station } from './context.js';
import { addressFrame, holdFrame } from './hold.js';
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
      addressFrame(burst.frame[i], mac, station);
      burst.lane[i] = burst.toHost[i] === 0 ? LANE.forward : LANE.host;
      continue;
    }
    const known = context.neighbours.find(egress, burst.nextHop, i * ADDRESS_WORDS);
    if (known?.usable(context.nowMs)) {
      addressFrame(burst.frame[i], known.mac, station);
      burst.lane[i] = burst.toHost[i] === 0 ? LANE.forward : LANE.host;
      if (known.stale(context.nowMs)) solicit(known, context);
    } else {
      hold(burst, i, known, context);
    }
  }
}

function hold(burst: Burst, i: number, known: Neighbour | undefined, context: Context): void {
  const outgoing = {
    frame: burst.frame[i].subarray(0, burst.length[i]),
    egress: burst.egress[i],
    fate: burst.toHost[i] === 0 ? WORKER.forwarded : WORKER.host,
    hash: burst.hash[i],
  };
  const reason = holdFrame(outgoing, burst.nextHop, i * ADDRESS_WORDS, known, context);
  if (reason === PASSED) burst.lane[i] = LANE.done;
  else context.drop(burst, i, reason);
}

/**
 * Once a poll: sends held packets whose neighbour has answered, gives up on those that wait too long.
 * What is set free is sent when the walk is over: on its way into a tunnel it may have to wait again.
 */
export function walkHeld(context: Context): void {
  if (context.held.length === 0) return;
  const { held, nowMs } = context;
  const holdMs = context.options.timeouts.hold * 1000;
  const ready: HeldPacket[] = [];
  let kept = 0;
  for (const packet of held) {
    const station = context.stations[packet.egress];
    if (station === null) {
      release(packet, context, DROP.interface_removed);
    } else if (!station.up) {
      release(packet, context, DROP.interface_down);
    } else if (packet.neighbour.usable(nowMs)) {
      addressFrame(packet.frame, packet.neighbour.mac, station);
      release(packet, context, PASSED);
      ready.push(packet);
    } else if (nowMs - packet.sinceMs >= holdMs) {
      release(packet, context, DROP.neighbour_unresolved);
    } else {
      solicit(packet.neighbour, context);
      held[kept++] = packet;
    }
  }
  held.length = kept;
  for (const packet of ready) send(context, packet);
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

function release(packet: HeldPacket, context: Context, reason: number): void {
  packet.neighbour.held--;
  if (reason !== PASSED && packet.fate !== null) context.counters.drop(reason);
}
