// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS, readAddress, readIpv4, writeAddress } from '../base/address.js';
import { read32, write16, write32 } from '../base/byte-order.js';
import { delta32, fold, sum } from '../base/checksum.js';
import { ETHERTYPE, IPV4, IPV6, PROTOCOL } from './headers.js';

/** ICMP errors that we send. `tooBig`: fragmentation needed, in IPv4. */
export type ErrorName =
  | 'portUnreachable'
  | 'noRoute'
  | 'addressUnreachable'
  | 'tooBig'
  | 'timeExceeded';

export interface ErrorKind {
  readonly type: number;
  readonly code: number;
}

/**
 * What differs between IPv4 and IPv6 behind `parse`: the stages are written once, and ask here.
 * Offsets are from the start of the frame.
 */
export interface Family {
  /** 0: IPv4, 1: IPv6. What there is one of for each family is found by it. */
  readonly index: number;
  readonly isIpv4: boolean;
  readonly ethertype: number;
  /** Bytes of an IP header without options or extension headers. */
  readonly headerLength: number;
  /** TTL, or hop limit. */
  readonly ttl: number;
  readonly source: number;
  readonly destination: number;
  /** Source and destination in a header that begins at 0. */
  readonly sourceInHeader: number;
  readonly destinationInHeader: number;
  /** First of the four words that an address on the wire has. */
  readonly firstWord: number;
  readonly icmp: number;
  readonly echoRequest: number;
  readonly echoReply: number;
  /** Smallest and largest ICMP types that say an error. */
  readonly errorTypes: readonly number[];
  readonly errors: Readonly<Record<ErrorName, ErrorKind>>;
  /** The most bytes of a packet that an ICMP error quotes. */
  readonly mostQuoted: number;
}

export const IPV4_FAMILY: Family = {
  index: 0,
  isIpv4: true,
  ethertype: ETHERTYPE.ipv4,
  headerLength: IPV4.minimumLength,
  ttl: IPV4.ttl,
  source: IPV4.source,
  destination: IPV4.destination,
  sourceInHeader: IPV4.source - IPV4.versionAndLength,
  destinationInHeader: IPV4.destination - IPV4.versionAndLength,
  firstWord: 3,
  icmp: PROTOCOL.icmp,
  echoRequest: 8,
  echoReply: 0,
  errorTypes: [3, 11, 12],
  errors: {
    portUnreachable: { type: 3, code: 3 },
    noRoute: { type: 3, code: 0 },
    addressUnreachable: { type: 3, code: 1 },
    tooBig: { type: 3, code: 4 },
    timeExceeded: { type: 11, code: 0 },
  },
  mostQuoted: 548,
};

export const IPV6_FAMILY: Family = {
  index: 1,
  isIpv4: false,
  ethertype: ETHERTYPE.ipv6,
  headerLength: IPV6.length,
  ttl: IPV6.hopLimit,
  source: IPV6.source,
  destination: IPV6.destination,
  sourceInHeader: IPV6.source - IPV6.version,
  destinationInHeader: IPV6.destination - IPV6.version,
  firstWord: 0,
  icmp: PROTOCOL.icmpv6,
  echoRequest: 128,
  echoReply: 129,
  errorTypes: [1, 2, 3, 4],
  errors: {
    portUnreachable: { type: 1, code: 4 },
    noRoute: { type: 1, code: 0 },
    addressUnreachable: { type: 1, code: 3 },
    tooBig: { type: 2, code: 0 },
    timeExceeded: { type: 3, code: 0 },
  },
  mostQuoted: 1_232,
};

/** In the order in which their packets go through the path. */
export const FAMILIES: readonly [Family, Family] = [IPV4_FAMILY, IPV6_FAMILY];

/** Reads an address as it is on the wire. */
export function read(
  family: Family,
  frame: Uint8Array,
  at: number,
  words: Int32Array,
  wordsAt: number,
): void {
  if (family.isIpv4) readIpv4(frame, at, words, wordsAt);
  else readAddress(frame, at, words, wordsAt);
}

/** Writes an address as it is on the wire. */
export function write(
  family: Family,
  frame: Uint8Array,
  at: number,
  words: Int32Array,
  wordsAt: number,
): void {
  if (family.isIpv4) write32(frame, at, words[wordsAt + 3]);
  else writeAddress(frame, at, words, wordsAt);
}

/** Like {@link write}. @returns what it adds to the `Δ` of a checksum */
export function replace(
  family: Family,
  frame: Uint8Array,
  at: number,
  words: Int32Array,
  wordsAt: number,
): number {
  let delta = 0;
  for (let i = family.firstWord, to = at; i < ADDRESS_WORDS; i++, to += 4) {
    const word = words[wordsAt + i];
    delta += delta32(read32(frame, to), word);
    write32(frame, to, word);
  }
  return delta;
}

/** Sum of the pseudo header that TCP, UDP and ICMPv6 put before their own, not folded. */
export function pseudoSum(
  family: Family,
  frame: Uint8Array,
  protocol: number,
  length: number,
): number {
  const addresses = sum(frame, family.source, (ADDRESS_WORDS - family.firstWord) * 8);
  return addresses + protocol + (length >>> 16) + (length & 0xffff);
}

/**
 * Computes the checksum of an L4 header and all behind it from scratch and writes it.
 * @param l4 - offset of the L4 header
 * @param at - offset of the checksum
 */
export function writeL4Checksum(
  family: Family,
  frame: Uint8Array,
  protocol: number,
  l4: number,
  length: number,
  at: number,
): void {
  const hasPseudo = protocol !== PROTOCOL.icmp;
  write16(frame, at, 0);
  const total =
    (hasPseudo ? pseudoSum(family, frame, protocol, length) : 0) + sum(frame, l4, length);
  write16(frame, at, ~fold(total) & 0xffff);
}
