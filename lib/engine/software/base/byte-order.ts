// SPDX-License-Identifier: Apache-2.0

/**
 * 32 bits (a word of an address, two ports, a hash) are a signed number, here and wherever they go:
 * V8 keeps these as they are, while it boxes an unsigned one from 2^31 on when it is passed on. No box
 * may be made for a packet. What orders or divides them says `>>> 0` first.
 */

/** Reads 16 bits in network order. */
export function read16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

/** Reads 32 bits in network order. */
export function read32(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

/** Writes 16 bits in network order. */
export function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Writes 32 bits in network order. */
export function write32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** The bytes of a 32-bit number the other way round. */
export function swap32(value: number): number {
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}

/** Copies a MAC address within or between frames, without a view being made for it. */
export function copyMac(to: Uint8Array, toAt: number, from: Uint8Array, fromAt: number): void {
  for (let i = 0; i < 6; i++) to[toAt + i] = from[fromAt + i];
}

/** Whether the 6 bytes at `at` are `mac`. */
export function isMac(bytes: Uint8Array, at: number, mac: Uint8Array): boolean {
  for (let i = 0; i < 6; i++) if (bytes[at + i] !== mac[i]) return false;
  return true;
}
