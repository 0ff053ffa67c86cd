// SPDX-License-Identifier: Apache-2.0
import { read32, write32 } from './byte-order.js';

/**
 * Addresses of both families have one shape in the tables and bursts: four 32-bit words at a place of
 * an `Int32Array`, the most significant first, IPv4 as `::ffff:a.b.c.d`.
 */

/** Words of an address. */
export const ADDRESS_WORDS = 4;

/** Bits of an address before those of an IPv4 one. */
export const MAPPED_BITS = 96;
const MAPPED = 0xffff;

export function isIpv4(words: Int32Array, at = 0): boolean {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === MAPPED;
}

export function isZero(words: Int32Array, at = 0): boolean {
  return (words[at] | words[at + 1] | words[at + 2] | words[at + 3]) === 0;
}

/** Whether it is in fe80::/10. */
export function isLinkLocal(words: Int32Array, at = 0): boolean {
  return words[at] >>> 22 === 0x3fa;
}

export function isSame(a: Int32Array, aAt: number, b: Int32Array, bAt: number): boolean {
  return (
    a[aAt + 3] === b[bAt + 3] &&
    a[aAt + 2] === b[bAt + 2] &&
    a[aAt + 1] === b[bAt + 1] &&
    a[aAt] === b[bAt]
  );
}

export function copyAddress(to: Int32Array, toAt: number, from: Int32Array, fromAt: number) {
  to[toAt] = from[fromAt];
  to[toAt + 1] = from[fromAt + 1];
  to[toAt + 2] = from[fromAt + 2];
  to[toAt + 3] = from[fromAt + 3];
}

/** The address in row `row` of a column of the program. */
export function addressOfRow(column: Uint8Array, row: number): Int32Array {
  const words = new Int32Array(ADDRESS_WORDS);
  readAddress(column, row * 16, words, 0);
  return words;
}

/** Reads 16 bytes in network order. */
export function readAddress(bytes: Uint8Array, at: number, words: Int32Array, wordsAt: number) {
  for (let i = 0; i < ADDRESS_WORDS; i++) words[wordsAt + i] = read32(bytes, at + i * 4);
}

/** Reads 4 bytes in network order as an IPv4 address. */
export function readIpv4(bytes: Uint8Array, at: number, words: Int32Array, wordsAt: number) {
  words[wordsAt] = 0;
  words[wordsAt + 1] = 0;
  words[wordsAt + 2] = MAPPED;
  words[wordsAt + 3] = read32(bytes, at);
}

/** Writes 16 bytes in network order. */
export function writeAddress(bytes: Uint8Array, at: number, words: Int32Array, wordsAt: number) {
  for (let i = 0; i < ADDRESS_WORDS; i++) write32(bytes, at + i * 4, words[wordsAt + i]);
}

/** 16 bytes in network order. */
export function addressBytes(words: Int32Array, at = 0): Uint8Array {
  const bytes = new Uint8Array(16);
  writeAddress(bytes, 0, words, at);
  return bytes;
}

/** The part of word `word` that the first `bits` of an address reach into. */
export function maskOf(bits: number, word: number): number {
  const within = bits - word * 32;
  if (within <= 0) return 0;
  return within >= 32 ? -1 : -1 << (32 - within);
}

/** A prefix, of either family. */
export interface Network {
  address: Int32Array;
  isIpv4: boolean;
  /** Length in bits of the 128. */
  bits: number;
}

/** @param length - in bits of the address's own family */
export function networkOf(address: Int32Array, length: number): Network {
  const isMapped = isIpv4(address);
  return { address, isIpv4: isMapped, bits: isMapped ? MAPPED_BITS + length : length };
}

/** Whether an address is in a network: never of the other family. */
export function holds(network: Network, words: Int32Array, at: number): boolean {
  if (network.isIpv4 !== isIpv4(words, at)) return false;
  const { address, bits } = network;
  for (let i = 0; i < ADDRESS_WORDS; i++) {
    if ((address[i] ^ words[at + i]) & maskOf(bits, i)) return false;
  }
  return true;
}

/** Whether an address is in one of the networks. */
export function anyHolds(networks: readonly Network[], words: Int32Array, at: number): boolean {
  for (let i = 0; i < networks.length; i++) if (holds(networks[i], words, at)) return true;
  return false;
}
