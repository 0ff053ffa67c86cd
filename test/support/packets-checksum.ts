// SPDX-License-Identifier: Apache-2.0
import { get16 } from './packets-bytes.js';

/** Checksums from scratch, the slow and plain way. */

export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 } as const;

/** Where the checksum is within the L4 header. Other protocols have none that we know of. */
export const CHECKSUM_AT: Readonly<Record<number, number>> = {
  [PROTOCOL.icmp]: 2,
  [PROTOCOL.tcp]: 16,
  [PROTOCOL.udp]: 6,
  [PROTOCOL.icmpv6]: 2,
  [PROTOCOL.sctp]: 8,
};

/** Addresses that a pseudo header is made of: 4 or 16 bytes each. */
export interface Ends {
  src: Uint8Array;
  dst: Uint8Array;
}

/** The Internet checksum of bytes whose checksum field is zero. */
export function checksumOf(bytes: Uint8Array): number {
  return ~onesSum(bytes) & 0xffff;
}

/** The checksum of an L4 packet whose checksum field is zero, but for SCTP's. */
export function l4Checksum(ends: Ends, protocol: number, l4: Uint8Array): number {
  const checksum = ~foldCarries(onesSum(l4) + pseudoSum(ends, protocol, l4.length)) & 0xffff;
  return protocol === PROTOCOL.udp && checksum === 0 ? 0xffff : checksum;
}

/** What a sender leaves in the field where it expects the device to compute the checksum. */
export function unfinishedChecksum(ends: Ends, protocol: number, l4: Uint8Array): number {
  return foldCarries(pseudoSum(ends, protocol, l4.length));
}

const VXLAN_PORT = 4_789;

/** The L4 checksum is right. A UDP checksum of zero is in IPv4, and in tunnels (RFC 6935). */
export function l4ChecksumHolds(ends: Ends, protocol: number, bytes: Uint8Array): boolean {
  if (protocol === PROTOCOL.sctp) {
    const l4 = bytes.slice();
    l4.fill(0, 8, 12);
    return littleEndian(bytes, 8) === crc32c(l4);
  }
  const length = get16(bytes, 4);
  const shorter = protocol === PROTOCOL.udp && length >= 8 && length <= bytes.length;
  const l4 = shorter ? bytes.subarray(0, length) : bytes;
  if (protocol === PROTOCOL.udp && get16(l4, 6) === 0) {
    return ends.src.length === 4 || get16(l4, 2) === VXLAN_PORT;
  }
  return foldCarries(onesSum(l4) + pseudoSum(ends, protocol, l4.length)) === 0xffff;
}

/** CRC32c (Castagnoli) with the usual inversions, bit by bit: `123456789` gives 0xe3069283. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

export function onesSum(bytes: Uint8Array): number {
  let total = 0;
  for (let i = 0; i < bytes.length; i++) total += i % 2 === 0 ? bytes[i] * 256 : bytes[i];
  return foldCarries(total);
}

// ICMP in IPv4 is the one that has no pseudo header.
function pseudoSum({ src, dst }: Ends, protocol: number, length: number): number {
  return protocol === PROTOCOL.icmp ? 0 : onesSum(src) + onesSum(dst) + protocol + length;
}

function foldCarries(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return folded;
}

function littleEndian(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}
