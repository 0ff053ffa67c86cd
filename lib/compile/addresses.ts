// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import {
  formatAddress,
  formatPrefix,
  hostLength,
  type Prefix,
  parseAddress,
} from '../model/address.js';
import type { CheckedInterface, CheckedNode } from '../model/checked.js';
import { INTERFACE_SCOPE, NODE_ADDRESS } from './program.js';
import type { InterfaceSlots } from './routes.js';

/** One row of the program's table of our own addresses. */
export interface AddressRow {
  /** Slot, or `NODE_ADDRESS`. */
  readonly interface: number;
  readonly address: Uint8Array;
  readonly length: number;
}

/** One row of the program's table of scopes. */
export interface ScopeRow {
  readonly interface: number;
  readonly scope: number;
}

/**
 * All addresses of all interfaces, in the order of the model, and those of the node that no
 * interface has.
 * @throws SluiceError `ERR_INTERFACE_UNKNOWN` where an interface has no slot
 */
export function compileAddresses(
  interfaces: readonly CheckedInterface[],
  node: CheckedNode,
  slots: InterfaceSlots,
): AddressRow[] {
  const rows = interfaces.flatMap(({ name, addresses }, index) => {
    const slot = slots.get(name)?.slot;
    if (slot === undefined) {
      throw new SluiceError('ERR_INTERFACE_UNKNOWN', `interface ${name} has not been added`, {
        path: `interfaces[${index}].name`,
      });
    }
    return addresses.map(({ bytes, length }) => ({ interface: slot, address: bytes, length }));
  });
  const attached = new Set(rows.map(({ address }) => formatAddress(address)));
  const rest = node.addresses
    .filter((text) => !attached.has(text))
    .map((text) => {
      const address = parseAddress(text)!;
      return { interface: NODE_ADDRESS, address, length: hostLength(address) };
    });
  return [...rows, ...rest];
}

/** Interfaces whose scope is another than `outside`. */
export function compileScopes(
  interfaces: readonly CheckedInterface[],
  slots: InterfaceSlots,
): ScopeRow[] {
  return interfaces
    .filter(({ scope }) => scope !== 'outside')
    .map(({ name, scope }) => ({
      interface: slots.get(name)!.slot,
      scope: INTERFACE_SCOPE[scope],
    }));
}

/** The same rows in the same order. */
export function sameAddresses(a: readonly AddressRow[], b: readonly AddressRow[]): boolean {
  const text = (row: AddressRow) => `${formatAddress(row.address)}/${row.length} ${row.interface}`;
  return a.length === b.length && a.every((row, index) => text(row) === text(b[index]!));
}

/** The same rows in the same order. */
export function sameScopes(a: readonly ScopeRow[], b: readonly ScopeRow[]): boolean {
  return (
    a.length === b.length &&
    a.every((row, at) => row.interface === b[at]!.interface && row.scope === b[at]!.scope)
  );
}

/** The same networks in the same order. */
export function samePrefixes(a: readonly Prefix[], b: readonly Prefix[]): boolean {
  return (
    a.length === b.length && a.every((row, index) => formatPrefix(row) === formatPrefix(b[index]!))
  );
}
