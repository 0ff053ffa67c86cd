// SPDX-License-Identifier: Apache-2.0
import { type Prefix, writeAddress } from '../model/address.js';
import type { PrefixColumns } from './program.js';

export function prefixColumns(rows: readonly Prefix[]): PrefixColumns {
  return {
    prefix: packed(rows, ({ bytes }) => bytes, 16),
    length: u8(rows, ({ length }) => length),
  };
}

/** The texts come from a checked model: each is an address. */
export function addressColumn(texts: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(texts.length * 16);
  texts.forEach((text, index) => {
    writeAddress(text, bytes, index * 16);
  });
  return bytes;
}

export function packed<T>(
  rows: readonly T[],
  bytesOf: (row: T) => Uint8Array,
  width: number,
): Uint8Array {
  const bytes = new Uint8Array(rows.length * width);
  rows.forEach((row, index) => {
    bytes.set(bytesOf(row), index * width);
  });
  return bytes;
}

/** Numbers of rows as a column: `from` of a typed array makes a list first. */
export function u8<T>(rows: readonly T[], numberOf: (row: T) => number): Uint8Array {
  return filled(new Uint8Array(rows.length), rows, numberOf);
}

export function u16<T>(rows: readonly T[], numberOf: (row: T) => number): Uint16Array {
  return filled(new Uint16Array(rows.length), rows, numberOf);
}

export function u32<T>(rows: readonly T[], numberOf: (row: T) => number): Uint32Array {
  return filled(new Uint32Array(rows.length), rows, numberOf);
}

function filled<T, C extends Uint8Array | Uint16Array | Uint32Array>(
  column: C,
  rows: readonly T[],
  numberOf: (row: T) => number,
): C {
  for (let row = 0; row < rows.length; row++) column[row] = numberOf(rows[row]!);
  return column;
}
