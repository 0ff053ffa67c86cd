// SPDX-License-Identifier: Apache-2.0
import { read32 } from '../base/byte-order.js';

/** Whether row `row` of an address column is `::ffff:a.b.c.d`. */
export function isMapped(addresses: Uint8Array, row: number): boolean {
  const at = row * 16;
  for (let i = 0; i < 10; i++) if (addresses[at + i] !== 0) return false;
  return addresses[at + 10] === 0xff && addresses[at + 11] === 0xff;
}

/** Whether row `row` is all zero: no address. */
export function isZero(addresses: Uint8Array, row: number): boolean {
  for (let i = row * 16; i < row * 16 + 16; i++) if (addresses[i] !== 0) return false;
  return true;
}

/** The IPv4 address in row `row` as a number. */
export function mappedAddress(addresses: Uint8Array, row: number): number {
  return read32(addresses, row * 16 + 12);
}

/** `::ffff:a.b.c.d` of an address that is a number, 16 bytes. */
export function toMapped(address: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[10] = 0xff;
  bytes[11] = 0xff;
  new DataView(bytes.buffer).setUint32(12, address);
  return bytes;
}
