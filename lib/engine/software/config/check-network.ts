// SPDX-License-Identifier: Apache-2.0
import { NODE_ADDRESS, type ProgramDelta } from '../../../compile/program.js';
import { addressOfRow } from '../base/address.js';
import { AddressMap } from '../table/address-map.js';
import {
  ADDRESS_BYTES,
  checkAddress,
  checkAtMost,
  checkLength,
  checkPrefix,
  checkPrefixes,
  checkRows,
  refuse,
} from './check-rows.js';
import type { ProgramLimits, ProgramState } from './program-state.js';
import { networkOfRow } from './rows.js';

/** Routes, addresses, scopes and networks. */
export function checkNetwork(
  delta: ProgramDelta,
  state: ProgramState,
  limits: ProgramLimits,
): void {
  checkTemporaryGroups(delta, limits);
  checkRoutes(delta, state);
  checkPrefixes('removedRoutes', delta.removedRoutes);
  checkRouteCount(delta, state, limits);
  checkAddresses(delta, limits);
  checkScopes(delta, limits);
  if (delta.podNetworks !== null) checkPrefixes('podNetworks', delta.podNetworks);
  if (delta.serviceNetworks !== null) checkPrefixes('serviceNetworks', delta.serviceNetworks);
}

function checkInterface(path: string, slot: number, row: number, limits: ProgramLimits): void {
  if (!limits.hasInterface(slot)) refuse(`${path}[${row}]`, `there is no interface ${slot}`);
}

// Temporary: groups of one next hop, as far as is needed.
function checkTemporaryGroups({ nextHops }: ProgramDelta, limits: ProgramLimits): void {
  for (const [row, slot] of nextHops.interface.entries()) {
    checkInterface('nextHops.interface', slot, row, limits);
  }
}

function checkRoutes({ routes, groups }: ProgramDelta, state: ProgramState): void {
  const rows = routes.length.length;
  checkRows('routes', rows, [
    ['prefix', routes.prefix, ADDRESS_BYTES],
    ['group', routes.group, 1],
  ]);
  const seen = new AddressMap<true>();
  for (let row = 0; row < rows; row++) {
    checkPrefix('routes', routes, row);
    const { address, bits } = networkOfRow(routes, row);
    if (seen.get(address, 0, bits)) refuse(`routes.prefix[${row}]`, 'is there twice');
    seen.set(address, 0, bits, true);
    const group = routes.group[row];
    if (!groups.slot.includes(group) && !state.temporaryGroups.has(group)) {
      refuse(`routes.group[${row}]`, `there is no group ${group}`);
    }
  }
}

function checkRouteCount(
  { routes, removedRoutes }: ProgramDelta,
  state: ProgramState,
  limits: ProgramLimits,
): void {
  const gone = new AddressMap<true>();
  const counts = { ipv4: state.routes.count(true), ipv6: state.routes.count(false) };
  for (let row = 0; row < removedRoutes.length.length; row++) {
    const network = networkOfRow(removedRoutes, row);
    if (!state.routes.has(network) || gone.get(network.address, 0, network.bits)) continue;
    gone.set(network.address, 0, network.bits, true);
    counts[network.isIpv4 ? 'ipv4' : 'ipv6']--;
  }
  for (let row = 0; row < routes.length.length; row++) {
    const network = networkOfRow(routes, row);
    if (state.routes.has(network) && !gone.get(network.address, 0, network.bits)) continue;
    if (++counts[network.isIpv4 ? 'ipv4' : 'ipv6'] > limits.routes) {
      const message = `there is room for ${limits.routes} routes of a family`;
      refuse(`routes.prefix[${row}]`, message, 'ERR_CAPACITY');
    }
  }
}

function checkAddresses({ addresses }: ProgramDelta, limits: ProgramLimits): void {
  if (addresses === null) return;
  const rows = addresses.interface.length;
  checkRows('addresses', rows, [
    ['address', addresses.address, ADDRESS_BYTES],
    ['length', addresses.length, 1],
  ]);
  for (let row = 0; row < rows; row++) {
    const slot = addresses.interface[row];
    if (slot !== NODE_ADDRESS) checkInterface('addresses.interface', slot, row, limits);
    checkAddress('addresses.address', addresses.address, row);
    const address = addressOfRow(addresses.address, row);
    checkLength('addresses.length', addresses.length, address, row);
  }
}

function checkScopes({ scopes }: ProgramDelta, limits: ProgramLimits): void {
  if (scopes === null) return;
  const rows = scopes.interface.length;
  checkRows('scopes', rows, [['scope', scopes.scope, 1]]);
  const seen = new Set<number>();
  for (let row = 0; row < rows; row++) {
    const slot = scopes.interface[row];
    checkInterface('scopes.interface', slot, row, limits);
    if (seen.has(slot)) refuse(`scopes.interface[${row}]`, `${slot} is there twice`);
    seen.add(slot);
    checkAtMost('scopes.scope', scopes.scope[row], row, 2);
  }
}
