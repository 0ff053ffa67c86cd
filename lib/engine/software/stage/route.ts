// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { adjustAt, delta16 } from '../base/checksum.js';
import { type Burst, LANE } from '../packet/burst.js';
import { IPV4 } from '../packet/headers.js';
import type { Context } from './context.js';

/** Counts the TTL down and finds the way out. */
export function route(burst: Burst, context: Context): void {
  for (let i = 0; i < burst.count; i++) {
    if (burst.lane[i] !== LANE.route) continue;
    const frame = burst.frame[i];
    const ttl = frame[IPV4.ttl];
    if (ttl <= 1) {
      context.drop(burst, i, DROP.ttl_expired);
      continue;
    }
    frame[IPV4.ttl] = ttl - 1;
    const protocol = frame[IPV4.protocol];
    adjustAt(frame, IPV4.checksum, delta16((ttl << 8) | protocol, ((ttl - 1) << 8) | protocol));

    const way = context.program.routes.lookup(burst.destination[i]);
    if (way === null) {
      context.drop(burst, i, DROP.no_route);
      continue;
    }
    const station = context.stations[way.interface];
    if (station === null || !station.up) {
      context.drop(burst, i, DROP.interface_down);
    } else if (burst.ipLength[i] > station.mtu) {
      context.drop(burst, i, DROP.mtu_exceeded);
    } else {
      burst.route[i] = way;
      burst.egress[i] = way.interface;
      burst.nextHop[i] = way.gateway === 0 ? burst.destination[i] : way.gateway;
      burst.lane[i] = LANE.neighbour;
    }
  }
}
