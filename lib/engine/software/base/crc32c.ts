// SPDX-License-Identifier: Apache-2.0

/**
 * CRC32C (Castagnoli), reflected, as the SSE4.2 instruction computes it: the caller chooses the
 * initial value, and nothing is inverted at the end. The common check value is therefore
 * `~crc32c(bytes)`.
 */

const POLYNOMIAL = 0x82f63b78;

// Table k holds the CRC of a byte that k zero bytes follow: four bytes a step.
const TABLES = makeTables();
const [TABLE_0, TABLE_1, TABLE_2, TABLE_3] = TABLES as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

function makeTables(): Int32Array[] {
  const tables = [0, 1, 2, 3].map(() => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    tables[0][byte] = crc;
  }
  for (let k = 1; k < 4; k++) {
    for (let byte = 0; byte < 256; byte++) {
      const previous = tables[k - 1][byte];
      tables[k][byte] = (previous >>> 8) ^ tables[0][previous & 0xff];
    }
  }
  return tables;
}

/** CRC of `length` bytes from `at`. */
export function crc32c(
  bytes: Uint8Array,
  initial = -1,
  at = 0,
  length = bytes.length - at,
): number {
  let crc = initial;
  for (let i = at; i < at + length; i++) crc = (crc >>> 8) ^ TABLE_0[(crc ^ bytes[i]) & 0xff];
  return crc | 0;
}

/** Takes in four bytes, given as a number whose most significant byte comes first. */
export function crc32cWord(crc: number, word: number): number {
  return (
    TABLE_3[(crc ^ (word >>> 24)) & 0xff] ^
    TABLE_2[((crc >>> 8) ^ (word >>> 16)) & 0xff] ^
    TABLE_1[((crc >>> 16) ^ (word >>> 8)) & 0xff] ^
    TABLE_0[((crc >>> 24) ^ word) & 0xff]
  );
}

/** Takes in `length` zero bytes. */
export function crc32cZeroes(crc: number, length: number): number {
  let value = crc;
  let left = length;
  for (; left >= 4; left -= 4) value = crc32cWord(value, 0);
  for (; left > 0; left--) value = (value >>> 8) ^ TABLE_0[value & 0xff];
  return value | 0;
}

/**
 * The hash of a five-tuple: of 16 bytes in IPv4, of 40 in IPv6.
 *
 * @param source - words at `sourceAt`
 * @param ports - source port in the upper 16 bits, destination port in the lower
 * @param firstWord - of an address to be looked at: 3 in IPv4, 0 in IPv6
 */
export function hashTuple(
  source: Int32Array,
  sourceAt: number,
  destination: Int32Array,
  destinationAt: number,
  ports: number,
  protocol: number,
  firstWord: number,
): number {
  let crc = -1;
  for (let i = firstWord; i < 4; i++) crc = crc32cWord(crc, source[sourceAt + i]);
  for (let i = firstWord; i < 4; i++) crc = crc32cWord(crc, destination[destinationAt + i]);
  crc = crc32cWord(crc, ports);
  return crc32cWord(crc, protocol << 24);
}
