// SPDX-License-Identifier: Apache-2.0

import { TCP_FLAGS } from './packets-build.js';
import { get16, get32, ipText, ipv6Text, macText } from './packets-bytes.js';
import { type Ends, l4ChecksumHolds, onesSum, PROTOCOL } from './packets-checksum.js';
import { HEADER } from './packets-extensions.js';

/** What {@link read} finds in a frame. */
export interface ReadPacket extends ReadIp {
  eth: { src: string; dst: string; type: number };
  arp?: {
    operation: number;
    senderMac: string;
    sender: string;
    targetMac: string;
    target: string;
  };
}

/** What is found in an IP packet, or in what an ICMP error quotes of one. */
export interface ReadIp {
  /** Either family. */
  ip?: { src: string; dst: string; ttl: number; protocol: number };
  ipv4?: {
    src: string;
    dst: string;
    ttl: number;
    tos: number;
    id: number;
    flags: number;
    protocol: number;
    totalLength: number;
  };
  ipv6?: {
    src: string;
    dst: string;
    ttl: number;
    trafficClass: number;
    flowLabel: number;
    /** Behind the extension headers. */
    protocol: number;
    payloadLength: number;
    /** Numbers of the extension headers. */
    extensions: number[];
  };
  /** `offset` in bytes. */
  fragment?: { id: number; offset: number; more: boolean };
  udp?: { src: number; dst: number; checksum: number; payload: Uint8Array };
  tcp?: {
    src: number;
    dst: number;
    seq: number;
    ack: number;
    flags: string;
    window: number;
    checksum: number;
    payload: Uint8Array;
  };
  sctp?: { src: number; dst: number; tag: number; chunk: number; payload: Uint8Array };
  icmp?: {
    type: number;
    code: number;
    checksum: number;
    id: number;
    seq: number;
    payload: Uint8Array;
    /** Of an error. */
    quoted?: ReadIp;
  };
  /** Neighbour discovery; `mac` is that of its link-layer address option. */
  nd?: {
    kind: 'solicitation' | 'advertisement';
    target: string;
    mac: string | null;
    flags: number;
  };
  /** Of a later fragment, or of a protocol that is not known. */
  data?: Uint8Array;
}

/** An IP packet, cut where its header says, or as much of it as there is. */
interface Layers {
  found: ReadIp;
  ends: Ends;
  protocol: number;
  l4: Uint8Array;
  /** All of the packet is there. */
  whole: boolean;
  /** Sum over the IPv4 header, 0xffff where right. */
  headerSum: number;
}

const IPV4 = 0x0800;
const ARP = 0x0806;
const IPV6 = 0x86dd;

/** Takes a well-formed frame apart. */
export function read(frame: Uint8Array): ReadPacket {
  const type = get16(frame, 12);
  const eth = { dst: macText(frame, 0), src: macText(frame, 6), type };
  if (type === ARP) return { eth, arp: readArp(frame) };
  if (type !== IPV4 && type !== IPV6) return { eth };
  return { eth, ...readLayers(layersOf(frame.subarray(14))) };
}

/**
 * Names of the checksums of a frame that are wrong, computed from scratch. Fragments have no L4
 * checksum that one of them could prove; of what an ICMP error quotes, the IPv4 header is looked at,
 * and the rest where it is whole.
 */
export function faults(frame: Uint8Array): string[] {
  const type = get16(frame, 12);
  if (type !== IPV4 && type !== IPV6) return [];
  return faultsOf(layersOf(frame.subarray(14)));
}

function faultsOf(layers: Layers): string[] {
  const { found, ends, protocol, l4, whole } = layers;
  const wrong = layers.headerSum === 0xffff ? [] : ['ipv4'];
  if (found.fragment !== undefined || !whole) return wrong;
  const known: readonly number[] = Object.values(PROTOCOL);
  if (known.includes(protocol) && !l4ChecksumHolds(ends, protocol, l4)) {
    wrong.push(`protocol ${protocol}`);
  }
  if (!quotes(protocol, l4)) return wrong;
  return [...wrong, ...faultsOf(layersOf(l4.subarray(8))).map((name) => `quoted ${name}`)];
}

function readArp(frame: Uint8Array): NonNullable<ReadPacket['arp']> {
  return {
    operation: get16(frame, 20),
    senderMac: macText(frame, 22),
    sender: ipText(frame, 28),
    targetMac: macText(frame, 32),
    target: ipText(frame, 38),
  };
}

function layersOf(packet: Uint8Array): Layers {
  return packet[0] >>> 4 === 4 ? ipv4Layers(packet) : ipv6Layers(packet);
}

function ipv4Layers(packet: Uint8Array): Layers {
  const header = (packet[0] & 0x0f) * 4;
  const totalLength = get16(packet, 2);
  const protocol = packet[9];
  const word = get16(packet, 6);
  const id = get16(packet, 4);
  const flags = word >>> 13;
  const ends = { src: packet.subarray(12, 16), dst: packet.subarray(16, 20) };
  const basic = { src: ipText(ends.src), dst: ipText(ends.dst), ttl: packet[8], protocol };
  const found: ReadIp = {
    ip: basic,
    ipv4: { ...basic, tos: packet[1], id, flags, totalLength },
  };
  if ((word & 0x3fff) !== 0) {
    found.fragment = { id, offset: (word & 0x1fff) * 8, more: (flags & 1) !== 0 };
  }
  return {
    found,
    ends,
    protocol,
    l4: packet.subarray(header, totalLength),
    whole: packet.length >= totalLength,
    headerSum: onesSum(packet.subarray(0, header)),
  };
}

function ipv6Layers(packet: Uint8Array): Layers {
  const ends = { src: packet.subarray(8, 24), dst: packet.subarray(24, 40) };
  const payloadLength = get16(packet, 4);
  const walk = walkExtensions(packet);
  const { protocol } = walk;
  const basic = { src: ipv6Text(ends.src), dst: ipv6Text(ends.dst), ttl: packet[7], protocol };
  const found: ReadIp = {
    ip: basic,
    ipv6: {
      ...basic,
      trafficClass: (get16(packet, 0) >>> 4) & 0xff,
      flowLabel: get32(packet, 0) & 0xfffff,
      payloadLength,
      extensions: walk.extensions,
    },
    ...(walk.fragment !== undefined && { fragment: walk.fragment }),
  };
  return {
    found,
    ends,
    protocol,
    l4: packet.subarray(walk.end, 40 + payloadLength),
    whole: packet.length >= 40 + payloadLength,
    headerSum: 0xffff,
  };
}

interface Walk {
  extensions: number[];
  fragment?: { id: number; offset: number; more: boolean };
  protocol: number;
  end: number;
}

function walkExtensions(packet: Uint8Array): Walk {
  const walk: Walk = { extensions: [], protocol: packet[6], end: 40 };
  const known: readonly number[] = Object.values(HEADER).filter((n) => n !== HEADER.none);
  while (known.includes(walk.protocol) && walk.end + 8 <= packet.length) {
    const number = walk.protocol;
    const units = packet[walk.end + 1];
    walk.extensions.push(number);
    walk.protocol = packet[walk.end];
    if (number === HEADER.fragment) {
      const word = get16(packet, walk.end + 2);
      const piece = {
        id: get32(packet, walk.end + 4),
        offset: word & 0xfff8,
        more: word % 2 === 1,
      };
      walk.end += 8;
      if (piece.offset !== 0 || piece.more) walk.fragment = piece;
      if (piece.offset !== 0) break;
    } else {
      walk.end += number === HEADER.authentication ? (units + 2) * 4 : (units + 1) * 8;
    }
  }
  return walk;
}

function readLayers({ found, protocol, l4 }: Layers): ReadIp {
  if (found.fragment !== undefined && found.fragment.offset > 0) {
    return { ...found, data: l4.slice() };
  }
  const ports = { src: get16(l4, 0), dst: get16(l4, 2) };
  switch (protocol) {
    case PROTOCOL.udp:
      return { ...found, udp: { ...ports, checksum: get16(l4, 6), payload: l4.slice(8) } };
    case PROTOCOL.tcp:
      return { ...found, tcp: { ...ports, ...readTcp(l4) } };
    case PROTOCOL.sctp:
      return {
        ...found,
        sctp: { ...ports, tag: get32(l4, 4), chunk: l4[12], payload: l4.slice(16) },
      };
    case PROTOCOL.icmp:
    case PROTOCOL.icmpv6:
      return { ...found, ...readIcmp(protocol, l4) };
    default:
      return { ...found, data: l4.slice() };
  }
}

function readTcp(l4: Uint8Array) {
  return {
    seq: get32(l4, 4),
    ack: get32(l4, 8),
    flags: [...TCP_FLAGS].filter((_, bit) => l4[13] & (1 << bit)).join(''),
    window: get16(l4, 14),
    checksum: get16(l4, 16),
    payload: l4.slice((l4[12] >>> 4) * 4),
  };
}

function readIcmp(protocol: number, l4: Uint8Array): Pick<ReadIp, 'icmp' | 'nd'> {
  const icmp = {
    type: l4[0],
    code: l4[1],
    checksum: get16(l4, 2),
    id: get16(l4, 4),
    seq: get16(l4, 6),
    payload: l4.slice(8),
    ...(quotes(protocol, l4) && { quoted: readLayers(layersOf(l4.subarray(8))) }),
  };
  if (protocol !== PROTOCOL.icmpv6 || (l4[0] !== 135 && l4[0] !== 136)) return { icmp };
  return {
    icmp,
    nd: {
      kind: l4[0] === 135 ? 'solicitation' : 'advertisement',
      target: ipv6Text(l4, 8),
      mac: l4.length >= 32 ? macText(l4, 26) : null,
      flags: l4[4],
    },
  };
}

function quotes(protocol: number, l4: Uint8Array): boolean {
  const errors = protocol === PROTOCOL.icmp ? [3, 11, 12] : [1, 2, 3, 4];
  const isIcmp = protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmpv6;
  return isIcmp && errors.includes(l4[0]) && l4.length >= 8 + 20;
}
