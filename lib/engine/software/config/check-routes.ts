// SPDX-License-Identifier: Apache-2.0
import { MAX_GROUP, type PrefixColumns, type ProgramDelta } from '../../../compile/program.js';
import { addressOfRow, isIpv4, isZero, type Network, networkOf } from '../base/address.js';
import { AddressMap } from '../table/address-map.js';
import { LONG_IPV4_BITS, NO_ROUTE, type RouteTable } from '../table/routes.js';
import {
  ADDRESS_BYTES,
  checkInterface,
  checkPrefix,
  checkPrefixes,
  checkRows,
  checkSlot,
  MAX_SLOTS,
  refuse,
} from './check-rows.js';
import type { ProgramLimits, ProgramState } from './program-state.js';
import { increase } from './rows.js';

/** Above it the native engine's table is one for many routes. */
const WALKED_ROUTES = 65_536;

/** Groups, next hops and routes. */
export function checkRoutes(delta: ProgramDelta, state: ProgramState, limits: ProgramLimits): void {
  const groups = checkGroups(delta);
  checkNextHops(delta, groups, limits);
  checkRouteRows(delta, groups, state);
  checkPrefixes('removedRoutes', delta.removedRoutes);
  checkRemovedGroups(delta, groups, state);
  checkRouteCount(delta, state, limits);
}

/** A group that a delta puts. */
interface PutGroup {
  /** Of the gateways; `null`: all of them are zero. */
  isIpv4: boolean | null;
}

/** Groups that a delta puts: by slot, and by row of their next hops. */
interface PutGroups {
  bySlot: Map<number, PutGroup>;
  byHop: (PutGroup | undefined)[];
}

function checkGroups({ groups, nextHops }: ProgramDelta): PutGroups {
  const { slot, first, count } = groups;
  checkRows('groups', slot.length, [
    ['first', first, 1],
    ['count', count, 1],
  ]);
  const hops = nextHops.interface.length;
  const put: PutGroups = { bySlot: new Map(), byHop: new Array(hops).fill(undefined) };
  const seen = new Set<number>();
  for (let row = 0; row < slot.length; row++) {
    checkSlot('groups.slot', slot[row], row, seen, MAX_SLOTS);
    if (count[row] < 1 || count[row] > MAX_GROUP) {
      refuse(`groups.count[${row}]`, `${count[row]} is not from 1 to ${MAX_GROUP}`);
    }
    if (first[row] >= hops) refuse(`groups.first[${row}]`, 'is beyond the rows of nextHops');
    if (first[row] + count[row] > hops) {
      refuse(`groups.count[${row}]`, 'reaches beyond the rows of nextHops');
    }
    const group: PutGroup = { isIpv4: null };
    put.bySlot.set(slot[row], group);
    for (let at = first[row]; at < first[row] + count[row]; at++) {
      if (put.byHop[at] !== undefined)
        refuse(`groups.first[${row}]`, 'overlaps with another group');
      put.byHop[at] = group;
    }
  }
  return put;
}

function checkNextHops({ nextHops }: ProgramDelta, put: PutGroups, limits: ProgramLimits): void {
  const rows = nextHops.interface.length;
  checkRows('nextHops', rows, [
    ['gateway', nextHops.gateway, ADDRESS_BYTES],
    ['mac', nextHops.mac, 6],
    ['key', nextHops.key, 1],
    ['weight', nextHops.weight, 1],
  ]);
  for (let row = 0; row < rows; row++) {
    checkInterface('nextHops.interface', nextHops.interface[row], row, limits);
    const gateway = addressOfRow(nextHops.gateway, row);
    const group = put.byHop[row];
    if (group !== undefined && !isZero(gateway)) {
      if (!admits(group.isIpv4, isIpv4(gateway))) {
        refuse(`nextHops.gateway[${row}]`, "is of another family than its group's");
      }
      group.isIpv4 = isIpv4(gateway);
    }
    if (nextHops.weight[row] === 0) refuse(`nextHops.weight[${row}]`, 'is 0');
  }
}

function checkRouteRows(delta: ProgramDelta, put: PutGroups, state: ProgramState): void {
  const { routes, removedGroups } = delta;
  const rows = routes.length.length;
  checkRows('routes', rows, [
    ['prefix', routes.prefix, ADDRESS_BYTES],
    ['group', routes.group, 1],
  ]);
  const gone = new Set(removedGroups);
  const willBe = (slot: number) =>
    put.bySlot.has(slot) || (state.groups.has(slot) && !gone.has(slot));
  const familyOf = (slot: number) => {
    const group = put.bySlot.get(slot);
    return group === undefined ? familyOfGroup(slot, state) : group.isIpv4;
  };
  const seen = new AddressMap<true>();
  for (let row = 0; row < rows; row++) {
    checkPrefix('routes', routes, row);
    const { address, bits } = networkOfRow(routes, row);
    if (seen.get(address, 0, bits)) refuse(`routes.prefix[${row}]`, 'is there twice');
    seen.set(address, 0, bits, true);
    const slot = routes.group[row];
    if (!willBe(slot)) refuse(`routes.group[${row}]`, `there is no group ${slot}`);
    if (!admits(familyOf(slot), isIpv4(address))) {
      refuse(`routes.group[${row}]`, 'has gateways of the other family');
    }
  }
}

function checkRemovedGroups(delta: ProgramDelta, put: PutGroups, state: ProgramState): void {
  const { groups, removedGroups } = delta;
  if (groups.slot.length === 0 && removedGroups.length === 0) return;
  const released = releasedUses(delta, state);
  const byBackends = releasedByBackends(delta, state);
  const isNamed = (slot: number, ofIpv4: boolean) =>
    state.routes.usesOf(slot, ofIpv4) > (released[ofIpv4 ? 'ipv4' : 'ipv6'].get(slot) ?? 0);
  for (const [row, slot] of removedGroups.entries()) {
    if (put.bySlot.has(slot)) continue;
    if (isNamed(slot, true) || isNamed(slot, false)) {
      refuse(`removedGroups[${row}]`, `group ${slot} is named by a route`);
    }
    if (state.backends.usesOfGroup(slot) > (byBackends.get(slot) ?? 0)) {
      refuse(`removedGroups[${row}]`, `group ${slot} is named by a backend`);
    }
  }
  for (const [row, slot] of groups.slot.entries()) {
    const { isIpv4: ofGateways } = put.bySlot.get(slot) as PutGroup;
    if (ofGateways !== null && isNamed(slot, !ofGateways)) {
      refuse(`groups.slot[${row}]`, 'has gateways of another family than its routes');
    }
  }
}

/** How many routes that do not stay as they are name each group. */
function releasedUses({ routes, removedRoutes }: ProgramDelta, state: ProgramState) {
  const uses = { ipv4: new Map<number, number>(), ipv6: new Map<number, number>() };
  const seen = new AddressMap<true>();
  const networks = [removedRoutes, routes].flatMap((table) =>
    Array.from(table.length, (_, row) => networkOfRow(table, row)),
  );
  for (const network of networks) {
    const group = state.routes.groupOf(network);
    if (group === NO_ROUTE || seen.get(network.address, 0, network.bits)) continue;
    seen.set(network.address, 0, network.bits, true);
    const ofFamily = uses[network.isIpv4 ? 'ipv4' : 'ipv6'];
    ofFamily.set(group, (ofFamily.get(group) ?? 0) + 1);
  }
  return uses;
}

/** How many backends that do not stay as they are name each group. */
function releasedByBackends({ backends, removedBackends }: ProgramDelta, state: ProgramState) {
  const uses = new Map<number, number>();
  for (const slot of new Set([...removedBackends, ...backends.slot])) {
    if (state.backends.has(slot)) increase(uses, state.backends.group[slot]);
  }
  return uses;
}

function checkRouteCount(
  { routes, removedRoutes }: ProgramDelta,
  state: ProgramState,
  limits: ProgramLimits,
): void {
  const gone = new AddressMap<true>();
  const counts = new RouteCounts(state.routes);
  for (let row = 0; row < removedRoutes.length.length; row++) {
    const network = networkOfRow(removedRoutes, row);
    if (!state.routes.has(network) || gone.get(network.address, 0, network.bits)) continue;
    gone.set(network.address, 0, network.bits, true);
    counts.change(network, -1);
  }
  for (let row = 0; row < routes.length.length; row++) {
    const network = networkOfRow(routes, row);
    if (state.routes.has(network) && !gone.get(network.address, 0, network.bits)) continue;
    counts.change(network, 1);
    if (!counts.fit(limits.routes)) {
      const message = `there is room for ${limits.routes} routes of a family`;
      refuse(`routes.prefix[${row}]`, message, 'ERR_CAPACITY');
    }
  }
}

/** Routes of each kind that has a limit. */
class RouteCounts {
  #ipv4: number;
  #ipv6: number;
  #longIpv4: number;

  constructor(routes: RouteTable) {
    this.#ipv4 = routes.count(true);
    this.#ipv6 = routes.count(false);
    this.#longIpv4 = routes.longIpv4;
  }

  change({ isIpv4, bits }: Network, by: number): void {
    if (!isIpv4) {
      this.#ipv6 += by;
      return;
    }
    this.#ipv4 += by;
    if (bits > LONG_IPV4_BITS) this.#longIpv4 += by;
  }

  fit(routes: number): boolean {
    const most = routes <= WALKED_ROUTES ? routes : Math.floor(routes / 16);
    return this.#ipv4 <= routes && this.#ipv6 <= routes && this.#longIpv4 <= most;
  }
}

function familyOfGroup(slot: number, state: ProgramState): boolean | null {
  const gateway = state.groups.hopsOf(slot).find((hop) => hop.gateway !== null)?.gateway;
  return gateway ? isIpv4(gateway) : null;
}

function admits(family: boolean | null, ofIpv4: boolean): boolean {
  return family === null || family === ofIpv4;
}

function networkOfRow({ prefix, length }: PrefixColumns, row: number): Network {
  return networkOf(addressOfRow(prefix, row), length[row]);
}
