// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS, copyAddress } from '../base/address.js';
import { adjustAt, delta16 } from '../base/checksum.js';
import { type Burst, LANE, PASSED } from '../packet/burst.js';
import type { Family } from '../packet/family.js';
import { IPV4 } from '../packet/headers.js';
import type { Context } from './context.js';

/** Finds the way out and counts the TTL (hop limit) down. */
export function route(burst: Burst, family: Family, context: Context): void {
  for (let i = 0; i < burst.count; i++) {
    if (!burst.isIn(i, LANE.route, family)) continue;
    const reason = findWay(burst, i, family, context);
    if (reason === PASSED) countDown(burst.frame[i], family);
    else context.drop(burst, i, reason);
  }
}

/**
 * Puts a packet into the lane of `neighbour`, with its route, next hop and egress.
 * @returns `PASSED` or one of `DROP`
 */
export function findWay(burst: Burst, i: number, family: Family, context: Context): number {
  burst.route[i] = null;
  if (burst.frame[i][family.ttl] <= 1) return DROP.ttl_expired;
  const at = i * ADDRESS_WORDS;
  const way = context.program.routes.lookup(burst.destination, at);
  if (way === null) return DROP.no_route;
  burst.route[i] = way;
  const station = context.stations[way.interface];
  if (station === null || !station.up) return DROP.interface_down;
  if (burst.ipLength[i] > station.mtu) return DROP.mtu_exceeded;
  burst.egress[i] = way.interface;
  if (way.gateway === null) copyAddress(burst.nextHop, at, burst.destination, at);
  else copyAddress(burst.nextHop, at, way.gateway, 0);
  burst.lane[i] = LANE.neighbour;
  return PASSED;
}

function countDown(frame: Uint8Array, family: Family): void {
  const ttl = frame[family.ttl];
  frame[family.ttl] = ttl - 1;
  if (!family.isIpv4) return;
  const protocol = frame[IPV4.protocol];
  adjustAt(frame, IPV4.checksum, delta16((ttl << 8) | protocol, ((ttl - 1) << 8) | protocol));
}
