// SPDX-License-Identifier: Apache-2.0

/** Text and numbers to bytes in network order, and back. */

/** 4 bytes of IPv4 text, 16 bytes of IPv6 text. */
export function ipBytes(text: string): Uint8Array {
  return text.includes(':') ? ipv6Bytes(text) : Uint8Array.from(text.split('.').map(Number));
}

function ipv6Bytes(text: string): Uint8Array {
  const [head, tail] = text.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const zeroes = tail === undefined ? 0 : 8 - head.length - tail.length;
  const words = [...head, ...Array<string>(zeroes).fill('0'), ...(tail ?? [])];
  return Uint8Array.from(
    words.flatMap((word) => {
      const value = Number.parseInt(word, 16);
      return [value >> 8, value & 0xff];
    }),
  );
}

/** IPv4 text of the 4 bytes at `at`. */
export function ipText(bytes: Uint8Array, at = 0): string {
  return Array.from(bytes.subarray(at, at + 4)).join('.');
}

/** IPv6 text (RFC 5952) of the 16 bytes at `at`. */
export function ipv6Text(bytes: Uint8Array, at = 0): string {
  const words = Array.from({ length: 8 }, (_, i) => get16(bytes, at + 2 * i).toString(16));
  const runs = [...words.join(':').matchAll(/\b0(?::0)+\b/g)].map(([run]) => run);
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return words.join(':');
  const [before, after] = splitOnce(words.join(':'), longest);
  return `${before.replace(/:$/, '')}::${after.replace(/^:/, '')}`;
}

function splitOnce(text: string, middle: string): [string, string] {
  // Whole words only: `10:0` must not be taken for a `0:0`.
  const at = text.search(new RegExp(`\\b${middle}\\b`));
  return [text.slice(0, at), text.slice(at + middle.length)];
}

/** Text of 16 bytes as the program and flow records carry them: IPv4 is mapped. */
export function addressText(bytes: Uint8Array): string {
  return ipv6Text(bytes).startsWith('::ffff:') && get16(bytes, 10) === 0xffff
    ? ipText(bytes, 12)
    : ipv6Text(bytes);
}

export function macBytes(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16));
}

export function macText(bytes: Uint8Array, at = 0): string {
  return Array.from(bytes.subarray(at, at + 6), (byte) => byte.toString(16).padStart(2, '0')).join(
    ':',
  );
}

export function toBytes(payload: Uint8Array | string | undefined): Uint8Array {
  if (payload === undefined) return new Uint8Array(0);
  return typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function get16(bytes: Uint8Array, at: number): number {
  return bytes[at] * 256 + bytes[at + 1];
}

export function get32(bytes: Uint8Array, at: number): number {
  return get16(bytes, at) * 0x10000 + get16(bytes, at + 2);
}

export function put16(bytes: Uint8Array, at: number, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint16(at, value);
}

export function put32(bytes: Uint8Array, at: number, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value);
}
