// SPDX-License-Identifier: Apache-2.0
import ipaddr from 'ipaddr.js';

/**
 * Addresses in text and as the 16 bytes that the program carries: network order, IPv4 as
 * `::ffff:a.b.c.d`. Parsing is strict: four decimal parts without leading zeros, since some
 * programs read `010` as eight.
 */

/** An address and the length of its network, in bits of its own family. */
export interface Prefix {
  /** 16 bytes; host bits as they were written. */
  bytes: Uint8Array;
  length: number;
}

const DOT = 0x2e;
const SLOPPY_IPV4 = /^([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)$/;
const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i;

/** 16 bytes, or `null` where `text` is no IPv4 address. */
export function parseIpv4(text: string): Uint8Array | null {
  const bytes = new Uint8Array(16);
  return writeIpv4(text, bytes, 0) ? bytes : null;
}

/**
 * Writes the 16 bytes of an IPv4 address at `offset`; `false` where `text` is none. Character by
 * character, since models and columns hold these by the hundred thousand.
 */
export function writeIpv4(text: string, bytes: Uint8Array, offset: number): boolean {
  let part = 0;
  let digits = 0;
  let value = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? DOT : text.charCodeAt(i);
    if (code === DOT) {
      if (digits === 0 || part === 4) return false;
      bytes[offset + 12 + part++] = value;
      digits = 0;
      value = 0;
      continue;
    }
    const digit = code - 0x30;
    if (digit < 0 || digit > 9 || (digits > 0 && value === 0)) return false;
    value = value * 10 + digit;
    digits++;
    if (value > 255) return false;
  }
  bytes[offset + 10] = 0xff;
  bytes[offset + 11] = 0xff;
  return part === 4;
}

/** 16 bytes, or `null` where `text` is no IPv6 address. Zones and `::ffff:1.2.3.4` are refused. */
export function parseIpv6(text: string): Uint8Array | null {
  if (!text.includes(':') || /[%[\]/]/.test(text) || !ipaddr.IPv6.isValid(text)) return null;
  const parsed = ipaddr.IPv6.parse(text);
  return parsed.isIPv4MappedAddress() ? null : Uint8Array.from(parsed.toByteArray());
}

/** 16 bytes, or `null` where `text` is neither an IPv4 nor an IPv6 address. */
export function parseAddress(text: string): Uint8Array | null {
  return parseIpv4(text) ?? parseIpv6(text);
}

/**
 * IPv4 as Kubernetes still has it in old objects: leading zeros allowed and decimal.
 * @returns the canonical text, or `null`
 */
export function canonicalIpv4(text: string): string | null {
  const match = SLOPPY_IPV4.exec(text);
  if (match === null) return null;
  const canonical = match.slice(1).map(Number).join('.');
  return parseIpv4(canonical) === null ? null : canonical;
}

/** The bytes are an IPv4 address. */
export function isIpv4(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

/** Canonical text of 16 bytes: `10.0.0.1`, `fd00::1`. */
export function formatAddress(bytes: Uint8Array): string {
  if (isIpv4(bytes)) return `${bytes[12]}.${bytes[13]}.${bytes[14]}.${bytes[15]}`;
  return new ipaddr.IPv6(Array.from(bytes)).toRFC5952String();
}

/** `ADDRESS/LENGTH`, or `null`. */
export function parsePrefix(text: string): Prefix | null {
  const slash = text.indexOf('/');
  if (slash < 0) return null;
  const bytes = parseAddress(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (bytes === null || !/^(0|[1-9][0-9]{0,2})$/.test(digits)) return null;
  const length = Number(digits);
  return length <= (isIpv4(bytes) ? 32 : 128) ? { bytes, length } : null;
}

/** `10.1.0.0/16`. */
export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix.bytes)}/${prefix.length}`;
}

/** The same prefix with its host bits set to zero. */
export function networkOf(prefix: Prefix): Prefix {
  const bytes = Uint8Array.from(prefix.bytes);
  const kept = prefix.length + (isIpv4(bytes) ? 96 : 0);
  for (let i = 0; i < 16; i++) {
    const bits = Math.min(8, Math.max(0, kept - i * 8));
    bytes[i]! &= 0xff00 >> bits;
  }
  return { bytes, length: prefix.length };
}

/** An IPv4 address as an unsigned 32-bit number, for arithmetic and order. */
export function ipv4Number(bytes: Uint8Array): number {
  return ((bytes[12]! << 24) | (bytes[13]! << 16) | (bytes[14]! << 8) | bytes[15]!) >>> 0;
}

/** Order of the address bytes: negative, zero or positive. */
export function compareAddresses(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < 16; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/**
 * Packets to and from these are dropped as martian: 0/8, 127/8, and 224/3 with multicast and
 * broadcast. Nothing of ours may have such an address.
 */
export function isMartian(bytes: Uint8Array): boolean {
  return isIpv4(bytes) && (bytes[12] === 0 || bytes[12] === 127 || bytes[12]! >= 224);
}

/** 6 bytes of `02:00:00:00:00:01`, or `null`. */
export function parseMac(text: string): Uint8Array | null {
  if (!MAC.test(text)) return null;
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16));
}

/** `02:00:00:00:00:01` of 6 bytes. */
export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
