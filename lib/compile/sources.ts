// SPDX-License-Identifier: Apache-2.0
import { formatPrefix, type Prefix } from '../model/address.js';
import type { CheckedInterface } from '../model/checked.js';
import type { InterfaceSlots } from './routes.js';

/** One row of the program's table of who may send by an interface. */
export interface SourceRow {
  readonly interface: number;
  readonly prefix: Prefix;
}

/** Of all interfaces that say who may send. */
export function compileSources(
  interfaces: readonly CheckedInterface[],
  slots: InterfaceSlots,
): SourceRow[] {
  return interfaces.flatMap(({ name, sources }) =>
    sources.map((prefix) => ({ interface: slots.get(name)!.slot, prefix })),
  );
}

/** The same rows in the same order. */
export function sameSources(a: readonly SourceRow[], b: readonly SourceRow[]): boolean {
  const text = (row: SourceRow) => `${formatPrefix(row.prefix)} ${row.interface}`;
  return a.length === b.length && a.every((row, index) => text(row) === text(b[index]!));
}
