// SPDX-License-Identifier: Apache-2.0
import { put16, put32 } from './packets-bytes.js';

/** An IPv6 extension header. Its first byte, the next header, is filled in when it is put in place. */
export interface Extension {
  /** Its own number, for whoever is before it. */
  number: number;
  bytes: Uint8Array;
}

export const HEADER = {
  hopByHop: 0,
  routing: 43,
  fragment: 44,
  authentication: 51,
  none: 59,
  destination: 60,
} as const;

/** `units`: bytes 8 to 8 * (units + 1) are padding. */
export function hopByHop(units = 0): Extension {
  return { number: HEADER.hopByHop, bytes: padded(units) };
}

export function destinationOptions(units = 0): Extension {
  return { number: HEADER.destination, bytes: padded(units) };
}

/** Type 0, with room for two addresses. */
export function routing(segmentsLeft: number): Extension {
  const bytes = new Uint8Array(40);
  bytes[1] = 4;
  bytes[3] = segmentsLeft;
  return { number: HEADER.routing, bytes };
}

/** `offset` in bytes. */
export function fragmentHeader(fields: { offset: number; more: boolean; id: number }): Extension {
  const bytes = new Uint8Array(8);
  put16(bytes, 2, fields.offset | (fields.more ? 1 : 0));
  put32(bytes, 4, fields.id);
  return { number: HEADER.fragment, bytes };
}

/** An authentication header of 24 bytes; its length counts in units of its own. */
export function authentication(): Extension {
  const bytes = new Uint8Array(24).fill(0x5a);
  bytes[1] = 24 / 4 - 2;
  return { number: HEADER.authentication, bytes };
}

/** The extension headers in a row, with `last` behind them. */
export function chain(
  extensions: readonly Extension[],
  last: number,
): { first: number; bytes: Uint8Array } {
  const rows = extensions.map(({ bytes }, i) => {
    const row = bytes.slice();
    row[0] = extensions[i + 1]?.number ?? last;
    return row;
  });
  return { first: extensions[0]?.number ?? last, bytes: new Uint8Array(Buffer.concat(rows)) };
}

// Pad1 options (zeroes) would do as well; one PadN is what senders write.
function padded(units: number): Uint8Array {
  const bytes = new Uint8Array(8 * (units + 1));
  bytes[1] = units;
  bytes[2] = 1;
  bytes[3] = bytes.length - 4;
  return bytes;
}
