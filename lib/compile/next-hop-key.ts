// SPDX-License-Identifier: Apache-2.0

/** Castagnoli's polynomial, reflected. */
const POLYNOMIAL = 0x82f63b78;

/**
 * What stands for a next hop in a choice among several: CRC32C of a text that says who it is. It goes by
 * names and not by slots, so that a restart, or another node, chooses alike.
 */
export function nextHopKey(text: string): number {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
  }
  return ~crc >>> 0;
}
