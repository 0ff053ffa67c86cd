// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS, copyAddress } from '../base/address.js';
import { type Burst, CLASS, FRAGMENT, LANE, PASSED } from '../packet/burst.js';
import type { Family } from '../packet/family.js';
import { NO_GROUP } from '../table/backends.js';
import { type FlowTable, NO_FLOW } from '../table/flow-table.js';
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
    let through = BY_DESTINATION;
    if (entry !== NO_FLOW) {
      const other = entry ^ 1;
      if (isUntranslatable(burst, i, newPorts(flows.ports(other)))) {
        context.drop(burst, i, DROP.fragment_untranslatable);
        continue;
      }
      destination = flows.keys;
      at = flows.sourceAt(other);
      through = throughOf(flows, entry, context);
    }
    const reason = findWay(burst, i, destination, at, through, family, context);
    if (reason === PASSED) burst.lane[i] = LANE.rewrite;
    else turnBack(burst, i, reason, context);
  }
}

/** `through` of packets that go where their destination says. */
export const BY_DESTINATION = -2;

/**
 * Group that packets of an entry go by, wherever they are for; `NO_GROUP`: it is gone; or
 * {@link BY_DESTINATION}.
 */
export function throughOf(flows: FlowTable, entry: number, { program }: Context): number {
  const pair = entry >> 1;
  if ((entry & 1) !== 0 || !flows.isOneWay(pair)) return BY_DESTINATION;
  const backend = flows.backend[pair];
  const isThere = program.backends.isThere(backend, flows.serial[pair]);
  return isThere ? program.backends.group[backend] : NO_GROUP;
}

/**
 * Gives a packet its next hop and egress.
 * @param destination - that it will leave with, from place `at` on
 * @param through - as {@link throughOf} gives it
 * @returns `PASSED` or one of `DROP`
 */
export function findWay(
  burst: Burst,
  i: number,
  destination: Int32Array,
  at: number,
  through: number,
  family: Family,
  { program, stations }: Context,
): number {
  burst.route[i] = null;
  const isByDestination = through === BY_DESTINATION;
  burst.toHost[i] = isByDestination && program.isHost(destination, at) ? 1 : 0;
  if (burst.toHost[i] === 0 && burst.frame[i][family.ttl] <= 1) return DROP.ttl_expired;
  const way = isByDestination
    ? program.findWay(destination, at, burst.hash[i], stations)
    : program.groups.choose(through, burst.hash[i], stations);
  if (way === null) return DROP.no_route;
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
