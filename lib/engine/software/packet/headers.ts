// SPDX-License-Identifier: Apache-2.0

/** Ethernet II: offsets from the start of the frame. */
export const ETH = { destination: 0, source: 6, type: 12, length: 14 } as const;

export const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;

/** IPv4 (RFC 791): offsets from the start of the frame; there is no VLAN tag in between. */
export const IPV4 = {
  versionAndLength: 14,
  typeOfService: 15,
  totalLength: 16,
  identification: 18,
  fragment: 20,
  ttl: 22,
  protocol: 23,
  checksum: 24,
  source: 26,
  destination: 30,
  minimumLength: 20,
} as const;

/** The 16 bits of flags and fragment offset; the offset counts 8 bytes. */
export const IPV4_FRAGMENT = { dontFragment: 0x4000, more: 0x2000, offsetMask: 0x1fff } as const;

/** IPv6 (RFC 8200): offsets from the start of the frame. */
export const IPV6 = {
  version: 14,
  payloadLength: 18,
  nextHeader: 20,
  hopLimit: 21,
  source: 22,
  destination: 38,
  length: 40,
} as const;

/** IANA protocol numbers. */
export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 } as const;

/** Offsets from the start of the TCP header. */
export const TCP = {
  sequence: 4,
  acknowledgement: 8,
  dataOffset: 12,
  flags: 13,
  checksum: 16,
  minimumLength: 20,
} as const;

export const TCP_FLAG = { fin: 0x01, syn: 0x02, rst: 0x04, ack: 0x10 } as const;

/** Offsets from the start of the UDP header. */
export const UDP = { length: 4, checksum: 6, minimumLength: 8 } as const;

/** SCTP (RFC 9260): offsets from the start of the common header. */
export const SCTP = { checksum: 8, chunkType: 12, minimumLength: 16 } as const;

/** ICMP and ICMPv6: offsets from the start of the header. */
export const ICMP = {
  type: 0,
  code: 1,
  checksum: 2,
  identifier: 4,
  sequence: 6,
  minimumLength: 8,
} as const;

/** Neighbour discovery (RFC 4861): types of ICMPv6. */
export const ND_TYPE = { first: 133, solicitation: 135, advertisement: 136, last: 137 } as const;

/** ARP over Ethernet (RFC 826): offsets from the start of the frame. */
export const ARP = {
  hardwareType: 14,
  protocolType: 16,
  hardwareLength: 18,
  protocolLength: 19,
  operation: 20,
  senderMac: 22,
  senderAddress: 28,
  targetMac: 32,
  targetAddress: 38,
  frameLength: 42,
} as const;
