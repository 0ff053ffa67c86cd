// SPDX-License-Identifier: Apache-2.0
import type { PrefixColumns } from '../../../compile/program.js';
import { addressOfRow, type Network, networkOf } from '../base/address.js';

/** The prefix in a row of a table. */
export function networkOfRow({ prefix, length }: PrefixColumns, row: number): Network {
  return networkOf(addressOfRow(prefix, row), length[row]);
}

/** The prefixes in some rows of a table, all by default. */
export function networksOf(
  columns: PrefixColumns,
  first = 0,
  count = columns.length.length,
): Network[] {
  return Array.from({ length: count }, (_, n) => networkOfRow(columns, first + n));
}

/** Counts one more of a key. */
export function increase(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
