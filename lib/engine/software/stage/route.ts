// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS, copyAddress } from '../base/address.js';
import { type Burst, CLASS, FRAGMENT, LANE, PASSED } from '../packet/burst.js';
import type { Family } from '../packet/family.js';
import { NO_FLOW } from '../table/flow-table.js';
import { NO_GROUP } from '../table/routes.js';
import type { Context } from './context.js';
import { turnBack } from './reject.js';
import { newPorts } from './rewrite.js';

/**
 * Finds the way out, while packets are as they came in: an error that says there is none quotes what
 * its sender has sent.
 */
export function route(burst: Burst, family: Family, context: Context): void {
  const flows = context.flowsOf(family);
  for (let i = 0; i < burst.count; i++) {
    if (!burst.isIn(i, LANE.route, family)) continue;
    const entry = burst.entry[i];
    let destination: Int32Array = burst.destination;
    let at = i * ADDRESS_WORDS;
    if (entry !== NO_FLOW) {
      const other = entry ^ 1;
      if (isUntranslatable(burst, i, newPorts(flows.ports(other)))) {
        context.drop(burst, i, DROP.fragment_untranslatable);
        continue;
      }
      destination = flows.keys;
      at = flows.sourceAt(other);
    }
    const reason = findWay(burst, i, destination, at, family, context);
    if (reason === PASSED) burst.lane[i] = LANE.rewrite;
    else turnBack(burst, i, reason, context);
  }
}

/**
 * Gives a packet its next hop and egress.
 * @param destination - that it will leave with, from place `at` on
 * @returns `PASSED` or one of `DROP`
 */
export function findWay(
  burst: Burst,
  i: number,
  destination: Int32Array,
  at: number,
  family: Family,
  { program, stations }: Context,
): number {
  burst.route[i] = null;
  if (burst.frame[i][family.ttl] <= 1) return DROP.ttl_expired;
  const group = program.routes.lookup(destination, at);
  if (group === NO_GROUP) return DROP.no_route;
  const way = program.groups.choose(group, burst.hash[i], stations);
  burst.route[i] = way;
  burst.egress[i] = way.interface;
  const station = stations[way.interface];
  if (station === null || !station.up) return DROP.interface_down;
  if (burst.ipLength[i] > station.mtu) return DROP.mtu_exceeded;
  if (way.gateway === null) copyAddress(burst.nextHop, i * ADDRESS_WORDS, destination, at);
  else copyAddress(burst.nextHop, i * ADDRESS_WORDS, way.gateway, 0);
  return PASSED;
}

/** Whether the checksum covers what is in other fragments (SCTP). */
export function isUntranslatable(burst: Burst, i: number, ports: number): boolean {
  return (
    burst.class[i] === CLASS.sctp &&
    burst.fragment[i] === FRAGMENT.first &&
    ports !== burst.ports[i]
  );
}
