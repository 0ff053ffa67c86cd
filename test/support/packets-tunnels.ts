// SPDX-License-Identifier: Apache-2.0
import { type PacketBuilder, packet } from './packets-build.js';
import { concat, get16, get32, put16, put32 } from './packets-bytes.js';
import { checksumOf } from './packets-checksum.js';
import { type ReadPacket, read } from './packets-read.js';

/** IANA protocol numbers of tunnels. */
export const TUNNEL_PROTOCOL = { ipv4: 4, ipv6: 41, gre: 47 } as const;

export interface GreFields {
  key?: number;
  sequence?: number;
  /** `true`: a right one. */
  checksum?: boolean | number;
  /** Default: what the packet inside is. */
  type?: number;
  /** In place of those that say which fields there are. */
  flags?: number;
}

/** GRE (RFC 2784, RFC 2890) with the IP packet of a frame inside. */
export function gre(inside: Uint8Array, fields: GreFields = {}): Uint8Array {
  const { key, sequence, checksum } = fields;
  const optional = [checksum === undefined ? undefined : 0, key, sequence];
  const flags = [0x8000, 0x2000, 0x1000]
    .filter((_, i) => optional[i] !== undefined)
    .reduce((all, bit) => all | bit, 0);
  const header = new Uint8Array(4);
  put16(header, 0, fields.flags ?? flags);
  put16(header, 2, fields.type ?? get16(inside, 12));
  const values = optional.filter((value) => value !== undefined).map(word);
  const whole = concat(header, ...values, inside.subarray(14));
  if (checksum !== undefined) {
    put16(whole, 4, typeof checksum === 'number' ? checksum : checksumOf(whole));
  }
  return whole;
}

/** A VXLAN header (RFC 7348) with a frame behind it. */
export function vxlan(inside: Uint8Array, vni: number, flags = 8): Uint8Array {
  return concat(word(flags * 2 ** 24), word(vni * 256), inside);
}

/** What carries a packet: `key` with GRE, `vni` with VXLAN. */
export type Carrier =
  | ({ kind: 'gre' } & GreFields)
  | { kind: 'ipip' }
  | { kind: 'vxlan'; vni: number; port?: number; flags?: number };

/** Puts the packet of a frame, with VXLAN the frame, into the builder's IP packet. */
export function carry(outer: PacketBuilder, carrier: Carrier, inside: Uint8Array): PacketBuilder {
  if (carrier.kind === 'gre') return outer.payload(gre(inside, carrier), TUNNEL_PROTOCOL.gre);
  if (carrier.kind === 'vxlan') {
    const payload = vxlan(inside, carrier.vni, carrier.flags);
    return outer.udp({ src: 50_000, dst: carrier.port ?? 4_789, payload, checksum: 0 });
  }
  const isIpv4 = get16(inside, 12) === 0x0800;
  return outer.payload(inside.subarray(14), isIpv4 ? TUNNEL_PROTOCOL.ipv4 : TUNNEL_PROTOCOL.ipv6);
}

/** A packet that carries another one, taken apart. */
export interface Carried {
  outer: ReadPacket;
  /** GRE's, where there is one; or the VNI. */
  key?: number;
  /** A frame; of a packet without an Ethernet header with one of zeroes. */
  inside: Uint8Array;
}

export function readCarried(frame: Uint8Array): Carried {
  const outer = read(frame);
  if (outer.udp !== undefined) {
    const { payload } = outer.udp;
    return { outer, key: get32(payload, 4) >>> 8, inside: payload.slice(8) };
  }
  const data = frame.subarray(14 + (outer.ipv4 === undefined ? 40 : 20));
  if (outer.ip?.protocol !== TUNNEL_PROTOCOL.gre) return { outer, inside: withEthernet(data) };
  const hasKey = (get16(data, 0) & 0x2000) !== 0;
  const inside = withEthernet(data.subarray(hasKey ? 8 : 4));
  return hasKey ? { outer, key: get32(data, 4), inside } : { outer, inside };
}

/** An IP packet behind an Ethernet header of zeroes. */
export function withEthernet(ip: Uint8Array): Uint8Array {
  const frame = concat(new Uint8Array(14), ip);
  put16(frame, 12, ip[0] >>> 4 === 4 ? 0x0800 : 0x86dd);
  return frame;
}

/** The options of a SYN: a maximum segment size, with whatever before it. */
export function mssOption(mss: number, before: readonly number[] = []): Uint8Array {
  const bytes = [...before, 2, 4, mss >> 8, mss & 0xff];
  while (bytes.length % 4 !== 0) bytes.push(1);
  return Uint8Array.from(bytes);
}

/** The maximum segment size behind `before` bytes of options. */
export function mssOf(frame: Uint8Array, before = 0): number {
  const l4 = get16(frame, 12) === 0x0800 ? 34 : 54;
  return get16(frame, l4 + 20 + before + 2);
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  put32(bytes, 0, value);
  return bytes;
}

/** UDP from one address to another, of their family. */
export function datagram(
  eth: { src: string; dst: string },
  src: string,
  dst: string,
  length = 5,
): Uint8Array {
  return packet()
    .eth(eth)
    .ip({ src, dst })
    .udp({ src: 7_000, dst: 7_001, payload: new Uint8Array(length) })
    .build();
}
