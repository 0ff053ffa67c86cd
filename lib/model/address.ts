// SPDX-License-Identifier: Apache-2.0
import ipaddr from 'ipaddr.js';

/**
 * Addresses in text and as the 16 bytes that the program carries: network order, IPv4 as
 * `::ffff:a.b.c.d`. Parsing is strict: four decimal parts without leading zeros, since some
 * programs read `010` as eight.
 */

export type Family = 4 | 6;

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

/** The 32 bits of a canonical IPv4 address. */
export function ipv4Number(text: string): number {
  let number = 0;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== DOT) value = value * 10 + code - 0x30;
    else {
      number = number * 256 + value;
      value = 0;
    }
  }
  return number * 256 + value;
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

/** Writes the 16 bytes of a canonical address of either family at `offset`. */
export function writeAddress(text: string, bytes: Uint8Array, offset: number): void {
  if (!writeIpv4(text, bytes, offset)) bytes.set(parseIpv6(text)!, offset);
}

/** Family of an address in text that has been checked. */
export function familyOf(text: string): Family {
  return text.includes(':') ? 6 : 4;
}

/** `10.0.0.1:80`, `[fd00::1]:80`; the address alone where there is no port. */
export function formatEndpoint(address: string, port: number): string {
  if (port === 0) return address;
  return familyOf(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Canonical text of an address, IPv4 as {@link canonicalIpv4} reads it; `null` where it is none. */
export function canonicalAddress(text: string): string | null {
  const ipv4 = canonicalIpv4(text);
  if (ipv4 !== null) return ipv4;
  const bytes = parseIpv6(text);
  return bytes === null ? null : formatAddress(bytes);
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
  return length <= hostLength(bytes) ? { bytes, length } : null;
}

/** Prefix length of a single address: 32 or 128. */
export function hostLength(bytes: Uint8Array): number {
  return isIpv4(bytes) ? 32 : 128;
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

/** Equal length and equal bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Order of the address bytes: negative, zero or positive. */
export function compareAddresses(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < 16; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/** What {@link isMartian} leaves, for error messages. */
export const UNICAST_RULE =
  'a unicast address outside 0.0.0.0/8, 127.0.0.0/8, 224.0.0.0/3, ::/127, fe80::/10 and ff00::/8';

/**
 * Packets to and from these are dropped as martian: unspecified, loopback, multicast, broadcast and,
 * in IPv6, link-local. Nothing of ours may have such an address.
 */
export function isMartian(bytes: Uint8Array): boolean {
  if (isIpv4(bytes)) return bytes[12] === 0 || bytes[12] === 127 || bytes[12]! >= 224;
  if (bytes[0] === 0xff || isLinkLocal(bytes)) return true;
  return bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15]! <= 1;
}

/** fe80::/10. */
export function isLinkLocal(bytes: Uint8Array): boolean {
  return bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80;
}

/** `address` is in the network of `prefix`, whose host bits do not matter. */
export function contains(prefix: Prefix, address: Uint8Array): boolean {
  if (isIpv4(prefix.bytes) !== isIpv4(address)) return false;
  const bits = prefix.length + (isIpv4(address) ? 96 : 0);
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (prefix.bytes[i] !== address[i]) return false;
  const rest = 0xff00 >> (bits & 7);
  return (bits & 7) === 0 || ((prefix.bytes[whole]! ^ address[whole]!) & rest & 0xff) === 0;
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
