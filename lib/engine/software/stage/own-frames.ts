// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { read16 } from '../base/byte-order.js';
import { WORKER } from '../base/counters.js';
import { mix } from '../base/mix.js';
import { type Burst, LANE, PASSED } from '../packet/burst.js';
import { FAMILIES, read } from '../packet/family.js';
import { ETH, ETHERTYPE } from '../packet/headers.js';
import type { NextHop } from '../table/groups.js';
import type { Context, OutgoingFrame, Station } from './context.js';
import { addressFrame, holdFrame } from './hold.js';
import { solicit } from './solicit.js';

/**
 * Packets that do not go through `route` and `neighbour` and yet need a way: those that carry others
 * (`encap`), and answers to what came in by a tunnel that has no stations. They are routed by their
 * destination, their TTL stays, and nobody is told of their end.
 */

/** The frame waits for its next hop. */
export const HELD = -2;

/** What {@link routeOwn} found; `route` is `null` where there is none. */
export interface OwnRoute {
  reason: number;
  route: NextHop | null;
  /** Address of the next hop. */
  nextHop: Int32Array;
}

/**
 * @param hash - of the five-tuple that was received: a group's next hop is chosen by it
 * @param isCarrier - it carries another packet: its way may not be a tunnel
 * @returns with `PASSED` or one of `DROP`
 */
export function routeOwn(
  frame: Uint8Array,
  hash: number,
  isCarrier: boolean,
  context: Context,
): OwnRoute {
  const family = FAMILIES[read16(frame, ETH.type) === ETHERTYPE.ipv4 ? 0 : 1];
  const destination = new Int32Array(4);
  read(family, frame, family.destination, destination, 0);
  const route = context.program.findWay(destination, 0, mix(hash), context.stations);
  const nextHop = route?.gateway ?? destination;
  return { reason: judge(frame, route, isCarrier, context), route, nextHop };
}

function judge(
  frame: Uint8Array,
  route: NextHop | null,
  isCarrier: boolean,
  { stations }: Context,
): number {
  if (route === null) return DROP.no_route;
  const station = stations[route.interface];
  if (isCarrier && station !== null && station.tunnel !== null) return DROP.tunnel_loop;
  if (station === null || !station.up) return DROP.interface_down;
  return frame.length - ETH.length > station.mtu ? DROP.mtu_exceeded : PASSED;
}

/**
 * Gives a frame its interface and MACs, or holds it until its next hop has said what its MAC is.
 * @returns `PASSED`, `HELD` or one of `DROP`
 */
export function findOwnWay(outgoing: OutgoingFrame, isCarrier: boolean, context: Context): number {
  const { frame } = outgoing;
  const { reason, route, nextHop } = routeOwn(frame, outgoing.hash, isCarrier, context);
  if (reason !== PASSED) return reason;
  const { interface: egress, mac } = route as NextHop;
  const station = context.stations[egress] as Station;
  outgoing.egress = egress;
  if (mac !== null) {
    addressFrame(frame, mac, station);
    return PASSED;
  }
  const known = context.neighbours.find(egress, nextHop, 0);
  if (known?.usable(context.nowMs)) {
    addressFrame(frame, known.mac, station);
    if (known.stale(context.nowMs)) solicit(known, context);
    return PASSED;
  }
  const held = holdFrame(outgoing, nextHop, 0, known, context);
  return held === PASSED ? HELD : held;
}

/**
 * An answer that lies in place of packet `i`. Where it came in by a tunnel without stations it is
 * routed; else its interface and MACs stay.
 */
export function routeAnswer(burst: Burst, i: number, context: Context): void {
  if (!cameByLayer3(burst, i, context)) return;
  const outgoing = {
    frame: burst.frame[i].subarray(0, burst.length[i]),
    egress: 0,
    fate: WORKER.answered,
    hash: burst.hash[i],
  };
  const way = findOwnWay(outgoing, false, context);
  if (way === PASSED) burst.egress[i] = outgoing.egress;
  else if (way === HELD) burst.lane[i] = LANE.done;
  else context.drop(burst, i, way);
}

/**
 * A frame of our own that answers packet `i` leaves behind the burst: to the station that the packet came
 * from, as it is, or routed.
 */
export function originateAnswer(
  burst: Burst,
  i: number,
  frame: Uint8Array,
  context: Context,
): void {
  context.counters.add(WORKER.originated, 1);
  const outgoing = { frame, egress: burst.ingress[i], fate: null, hash: 0 };
  if (cameByLayer3(burst, i, context) && findOwnWay(outgoing, false, context) !== PASSED) return;
  context.originated.push(outgoing);
}

function cameByLayer3(burst: Burst, i: number, { stations }: Context): boolean {
  return stations[burst.ingress[i]]?.tunnel?.isLayer3 === true;
}
