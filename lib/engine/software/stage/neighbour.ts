// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { copyMac } from '../base/byte-order.js';
import { WORKER } from '../base/counters.js';
import { type Burst, LANE } from '../packet/burst.js';
import { ETH } from '../packet/headers.js';
import type { Route } from '../table/routes.js';
import { request } from './arp.js';
import type { Context, HeldPacket, Station } from './context.js';
import { send, sendRequests } from './tx.js';

const HELD_PER_NEIGHBOUR = 16;
const HELD_PER_WORKER = 1_024;
const HOLD_MS = 3_000;

/** Puts the MACs on, or holds the packet until the next hop has said what its MAC is. */
export function neighbour(burst: Burst, context: Context): void {
  for (let i = 0; i < burst.count; i++) {
    if (burst.lane[i] !== LANE.neighbour) continue;
    const egress = burst.egress[i];
    const { mac } = burst.route[i] as Route;
    if (mac !== null) {
      address(burst.frame[i], mac, context.stations[egress] as Station);
      burst.lane[i] = LANE.forward;
      continue;
    }
    const nextHop = burst.nextHop[i];
    const known = context.neighbours.find(egress, nextHop);
    if (known?.usable(context.nowMs)) {
      address(burst.frame[i], known.mac, context.stations[egress] as Station);
      burst.lane[i] = LANE.forward;
      if (known.stale(context.nowMs) && known.takeRequest(context.nowMs)) {
        request(context, egress, nextHop);
      }
    } else {
      const reason = hold(burst, i, context);
      if (reason === null) burst.lane[i] = LANE.done;
      else context.drop(burst, i, reason);
    }
  }
}

/** Once a poll: sends held packets whose neighbour has answered, gives up on those that wait too long. */
export function walkHeld(context: Context): void {
  if (context.held.length === 0) return;
  const { held, nowMs } = context;
  let kept = 0;
  for (const packet of held) {
    const station = context.stations[packet.egress];
    if (station === null) {
      release(packet, context, DROP.interface_removed);
    } else if (!station.up) {
      release(packet, context, DROP.interface_down);
    } else if (packet.neighbour.usable(nowMs)) {
      address(packet.frame, packet.neighbour.mac, station);
      const isSent = send(context, packet.egress, packet.frame, WORKER.forwarded);
      release(packet, context, isSent ? null : DROP.tx_full);
    } else if (nowMs - packet.sinceMs >= HOLD_MS) {
      release(packet, context, DROP.neighbour_unresolved);
    } else {
      if (packet.neighbour.takeRequest(nowMs)) request(context, packet.egress, packet.nextHop);
      held[kept++] = packet;
    }
  }
  held.length = kept;
  context.counters.set(WORKER.held, kept);
  sendRequests(context);
}

/** Drops what is held for an interface that goes away. */
export function dropHeld(context: Context, slot: number): void {
  for (const packet of context.held) {
    if (packet.egress === slot) release(packet, context, DROP.interface_removed);
  }
  context.held = context.held.filter((packet) => packet.egress !== slot);
  context.counters.set(WORKER.held, context.held.length);
}

/** @returns why not, or `null` */
function hold(burst: Burst, i: number, context: Context): number | null {
  const { held, neighbours, nowMs } = context;
  const egress = burst.egress[i];
  const nextHop = burst.nextHop[i];
  const known = neighbours.find(egress, nextHop);
  if (held.length >= HELD_PER_WORKER || (known?.held ?? 0) >= HELD_PER_NEIGHBOUR) {
    return DROP.neighbour_queue_full;
  }
  const entry = known ?? neighbours.add(egress, nextHop);
  if (entry === null) return DROP.neighbour_table_full;
  entry.held++;
  held.push({
    frame: burst.frame[i].subarray(0, burst.length[i]),
    egress,
    neighbour: entry,
    nextHop,
    sinceMs: nowMs,
  });
  context.counters.set(WORKER.held, held.length);
  if (entry.takeRequest(nowMs)) request(context, egress, nextHop);
  return null;
}

function release(packet: HeldPacket, context: Context, reason: number | null): void {
  packet.neighbour.held--;
  if (reason !== null) context.counters.drop(reason);
}

function address(frame: Uint8Array, mac: Uint8Array, station: Station): void {
  copyMac(frame, ETH.destination, mac, 0);
  copyMac(frame, ETH.source, station.mac, 0);
}
