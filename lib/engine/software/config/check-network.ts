// SPDX-License-Identifier: Apache-2.0
import { NODE_ADDRESS, type ProgramDelta } from '../../../compile/program.js';
import { addressOfRow } from '../base/address.js';
import {
  ADDRESS_BYTES,
  checkAddress,
  checkAtMost,
  checkInterface,
  checkLength,
  checkPrefixes,
  checkRows,
  refuse,
} from './check-rows.js';
import type { ProgramLimits } from './program-state.js';

/** Addresses, scopes and networks. */
export function checkNetwork(delta: ProgramDelta, limits: ProgramLimits): void {
  checkAddresses(delta, limits);
  checkScopes(delta, limits);
  if (delta.podNetworks !== null) checkPrefixes('podNetworks', delta.podNetworks);
  if (delta.serviceNetworks !== null) checkPrefixes('serviceNetworks', delta.serviceNetworks);
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
