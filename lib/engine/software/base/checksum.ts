// SPDX-License-Identifier: Apache-2.0
import { read16, write16 } from './byte-order.js';

/** One's complement sum of `length` bytes from `at`, not folded. An odd last byte is padded with 0. */
export function sum(bytes: Uint8Array, at: number, length: number): number {
  let total = 0;
  const even = at + (length & ~1);
  for (let i = at; i < even; i += 2) total += (bytes[i] << 8) | bytes[i + 1];
  if (length & 1) total += bytes[even] << 8;
  return total;
}

/** Adds the carries back in until 16 bits are left. */
export function fold(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return folded;
}

/**
 * `~old + new` of one 16-bit word: its part in the `Δ` of {@link adjust}. A word that stays what it
 * was adds nothing.
 */
export function delta16(before: number, after: number): number {
  return before === after ? 0 : (~before & 0xffff) + after;
}

/** {@link delta16} of two words. */
export function delta32(before: number, after: number): number {
  return delta16(before >>> 16, after >>> 16) + delta16(before & 0xffff, after & 0xffff);
}

/** RFC 1624, equation 3: the checksum `HC` after words have changed by `delta`. */
export function adjust(checksum: number, delta: number): number {
  return ~fold((~checksum & 0xffff) + delta) & 0xffff;
}

/** {@link adjust} of a checksum field in place. */
export function adjustAt(bytes: Uint8Array, at: number, delta: number): void {
  write16(bytes, at, adjust(read16(bytes, at), delta));
}

/** Writes a 16-bit word. @returns its part in the `Δ` */
export function replace16(bytes: Uint8Array, at: number, value: number): number {
  const delta = delta16(read16(bytes, at), value);
  write16(bytes, at, value);
  return delta;
}

/** Zero says "no checksum" in UDP (RFC 768): it stays, and none may come out as it. */
export function adjustUdpAt(bytes: Uint8Array, at: number, delta: number): void {
  const checksum = read16(bytes, at);
  if (checksum !== 0) write16(bytes, at, adjust(checksum, delta) || 0xffff);
}

/** Computes the checksum of an IPv4 header from scratch and writes it. */
export function writeIpv4Checksum(bytes: Uint8Array, header: number, length: number): void {
  write16(bytes, header + 10, 0);
  write16(bytes, header + 10, ~fold(sum(bytes, header, length)) & 0xffff);
}
