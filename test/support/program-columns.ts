// SPDX-License-Identifier: Apache-2.0
import type { PrefixColumns } from '../../lib/compile/program.js';
import { concat, ipBytes } from './packets.js';

/** 16 bytes of an address in text: IPv4 is mapped, `::ffff:a.b.c.d`. */
export function mapped(address: string): Uint8Array {
  const bytes = ipBytes(address);
  return bytes.length === 16 ? bytes : concat(ipBytes('::ffff:0:0').slice(0, 12), bytes);
}

/** Of prefixes in text; an address without a length is a host. */
export function prefixColumns(texts: readonly string[]): PrefixColumns {
  const parts = texts.map((text) => text.split('/'));
  return {
    prefix: concat(...parts.map(([address]) => mapped(address))),
    length: Uint8Array.from(parts, ([address, length]) =>
      Number(length ?? (address.includes(':') ? 128 : 32)),
    ),
  };
}
