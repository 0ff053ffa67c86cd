// SPDX-License-Identifier: Apache-2.0

/** Ethernet II: offsets from the start of the frame. */
export const ETH = { destination: 0, source: 6, type: 12, length: 14 } as const;

export const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806 } as const;

/** IPv4 (RFC 791): offsets from the start of the frame; there is no VLAN tag in between. */
export const IPV4 = {
  versionAndLength: 14,
  totalLength: 16,
  fragment: 20,
  ttl: 22,
  protocol: 23,
  checksum: 24,
  source: 26,
  destination: 30,
  minimumLength: 20,
  /** More-fragments bit and fragment offset. */
  fragmentMask: 0x3fff,
} as const;

/** IANA protocol numbers. */
export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17 } as const;

/** Offsets from the start of the TCP header. */
export const TCP = { dataOffset: 12, flags: 13, checksum: 16, minimumLength: 20 } as const;

export const TCP_FLAG = { fin: 0x01, syn: 0x02, rst: 0x04, ack: 0x10 } as const;

/** Offsets from the start of the UDP header. */
export const UDP = { length: 4, checksum: 6, minimumLength: 8 } as const;

/** Offsets from the start of the ICMP header. */
export const ICMP = { type: 0, code: 1, checksum: 2, minimumLength: 8 } as const;

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
