// SPDX-License-Identifier: Apache-2.0
import { concat, ipBytes, macBytes, put16, put32, toBytes } from './packets-bytes.js';
import {
  CHECKSUM_AT,
  checksumOf,
  crc32c,
  type Ends,
  l4Checksum,
  PROTOCOL,
  unfinishedChecksum,
} from './packets-checksum.js';
import { chain, type Extension } from './packets-extensions.js';

export interface EthFields {
  src: string;
  dst: string;
  /** Default: what the next layer is. */
  type?: number;
}

export interface Ipv4Fields {
  src: string;
  dst: string;
  ttl?: number;
  id?: number;
  tos?: number;
  /** Default: what the next layer is. */
  protocol?: number;
  /** Multiple of 4 bytes. */
  options?: Uint8Array;
  /** The 16 bits of flags and fragment offset. */
  fragment?: number;
  /** To break things. */
  version?: number;
  headerLength?: number;
  totalLength?: number;
  checksum?: number;
}

export interface Ipv6Fields {
  src: string;
  dst: string;
  /** Hop limit. */
  ttl?: number;
  trafficClass?: number;
  flowLabel?: number;
  /** In this order between the header and the next layer. */
  extensions?: readonly Extension[];
  /** Behind the extension headers. Default: what the next layer is. */
  protocol?: number;
  /** To break things. */
  version?: number;
  payloadLength?: number;
}

/** A wrong checksum, or one as a sender leaves it that expects the device to compute it. */
export type ChecksumField = number | 'unfinished';

export interface UdpFields {
  src: number;
  dst: number;
  payload?: Uint8Array | string;
  /** 0: none. Default: right. */
  checksum?: ChecksumField;
  length?: number;
}

export interface TcpFields {
  src: number;
  dst: number;
  /** Letters of `FSRPAU`. Default `A`. */
  flags?: string;
  seq?: number;
  ack?: number;
  window?: number;
  payload?: Uint8Array | string;
  checksum?: ChecksumField;
  /** Multiple of 4 bytes. */
  options?: Uint8Array;
  /** In 32-bit words. */
  dataOffset?: number;
}

export interface SctpFields {
  src: number;
  dst: number;
  tag?: number;
  /** Type of the first chunk. Default `data`. */
  chunk?: keyof typeof CHUNK | number;
  payload?: Uint8Array | string;
  checksum?: number;
}

export interface IcmpFields {
  /** Default: echo request. */
  type?: number;
  code?: number;
  /** The four bytes behind the checksum: identifier and sequence number in an echo. */
  id?: number;
  seq?: number;
  payload?: Uint8Array | string;
  checksum?: number;
}

export interface IcmpErrorFields {
  type: number;
  code?: number;
  /** Next hop's MTU, where the type has one. */
  mtu?: number;
  /** The frame that the error is about; it quotes its IP packet. */
  quoting: Uint8Array;
  /** How many bytes of the packet are quoted. Default: all. */
  length?: number;
}

export const TCP_FLAGS = 'FSRPAU';

/** Chunk types of SCTP (RFC 9260, 3.2). */
export const CHUNK = {
  data: 0,
  init: 1,
  initAck: 2,
  sack: 3,
  heartbeat: 4,
  abort: 6,
  shutdown: 7,
  shutdownAck: 8,
  cookieEcho: 10,
  cookieAck: 11,
  shutdownComplete: 14,
} as const;

const ETHERTYPE = { ipv4: 0x0800, ipv6: 0x86dd } as const;

/** Builds a frame layer by layer; what a test does not ask for is right. */
export class PacketBuilder {
  #eth: EthFields = { src: '02:00:00:00:00:aa', dst: '02:00:00:00:00:01' };
  #ipv4: Ipv4Fields | null = null;
  #ipv6: Ipv6Fields | null = null;
  #protocol: number | 'icmp' = 0;
  #l4: Uint8Array = new Uint8Array(0);
  #raw = false;
  #checksum: ChecksumField | undefined;
  #tail = 0;
  #cut: number | null = null;

  eth(fields: EthFields): this {
    this.#eth = fields;
    return this;
  }

  ipv4(fields: Ipv4Fields): this {
    this.#ipv4 = fields;
    this.#ipv6 = null;
    return this;
  }

  ipv6(fields: Ipv6Fields): this {
    this.#ipv6 = fields;
    this.#ipv4 = null;
    return this;
  }

  /** IPv4 or IPv6, as the destination says. */
  ip(fields: { src: string; dst: string; ttl?: number }): this {
    return fields.dst.includes(':') ? this.ipv6(fields) : this.ipv4(fields);
  }

  udp(fields: UdpFields): this {
    const header = new Uint8Array(8);
    const l4 = concat(header, toBytes(fields.payload));
    put16(l4, 0, fields.src);
    put16(l4, 2, fields.dst);
    put16(l4, 4, fields.length ?? l4.length);
    return this.#layer4(PROTOCOL.udp, l4, fields.checksum);
  }

  tcp(fields: TcpFields): this {
    const options = fields.options ?? new Uint8Array(0);
    const l4 = concat(new Uint8Array(20), options, toBytes(fields.payload));
    put16(l4, 0, fields.src);
    put16(l4, 2, fields.dst);
    put32(l4, 4, fields.seq ?? 1);
    put32(l4, 8, fields.ack ?? 0);
    l4[12] = (fields.dataOffset ?? 5 + options.length / 4) << 4;
    for (const flag of fields.flags ?? 'A') l4[13] |= 1 << TCP_FLAGS.indexOf(flag);
    put16(l4, 14, fields.window ?? 65_535);
    return this.#layer4(PROTOCOL.tcp, l4, fields.checksum);
  }

  sctp(fields: SctpFields): this {
    const payload = toBytes(fields.payload);
    const chunk = new Uint8Array(4 + Math.ceil(payload.length / 4) * 4);
    chunk[0] = typeof fields.chunk === 'number' ? fields.chunk : CHUNK[fields.chunk ?? 'data'];
    put16(chunk, 2, 4 + payload.length);
    chunk.set(payload, 4);
    const l4 = concat(new Uint8Array(12), chunk);
    put16(l4, 0, fields.src);
    put16(l4, 2, fields.dst);
    put32(l4, 4, fields.tag ?? 0x11223344);
    return this.#layer4(PROTOCOL.sctp, l4, fields.checksum);
  }

  /** ICMP or ICMPv6, whichever goes with the IP header. */
  icmp(fields: IcmpFields): this {
    const l4 = concat(new Uint8Array(8), toBytes(fields.payload));
    l4[0] = fields.type ?? (this.#ipv6 === null ? 8 : 128);
    l4[1] = fields.code ?? 0;
    put16(l4, 4, fields.id ?? 1);
    put16(l4, 6, fields.seq ?? 1);
    return this.#layer4('icmp', l4, fields.checksum);
  }

  /** An echo request or reply. */
  icmpEcho(fields: Omit<IcmpFields, 'type' | 'code'> & { reply?: boolean } = {}): this {
    const { reply, ...rest } = fields;
    const [request, answer] = this.#ipv6 === null ? [8, 0] : [128, 129];
    return this.icmp({ ...rest, type: reply ? answer : request });
  }

  /** An ICMP or ICMPv6 error. */
  icmpError({ type, code, mtu, quoting, length }: IcmpErrorFields): this {
    const payload = quoting.slice(14, length === undefined ? undefined : 14 + length);
    const rest = { id: (mtu ?? 0) >>> 16, seq: (mtu ?? 0) & 0xffff };
    return this.icmp({ type, code: code ?? 0, ...rest, payload });
  }

  /** What lies behind the IP header and its extensions, as it is. */
  payload(bytes: Uint8Array, protocol = this.#protocol): this {
    this.#layer4(protocol, bytes, undefined);
    this.#raw = true;
    return this;
  }

  /** Bytes behind the packet, as Ethernet pads short frames. */
  pad(bytes: number): this {
    this.#tail = bytes;
    return this;
  }

  /** Keeps the first `length` bytes of the frame. */
  truncate(length: number): this {
    this.#cut = length;
    return this;
  }

  build(): Uint8Array {
    const frame = concat(new Uint8Array(14), this.#packet(), new Uint8Array(this.#tail).fill(0xee));
    frame.set(macBytes(this.#eth.dst), 0);
    frame.set(macBytes(this.#eth.src), 6);
    const usual = this.#ipv6 === null ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6;
    put16(frame, 12, this.#eth.type ?? usual);
    return this.#cut === null ? frame : frame.slice(0, this.#cut);
  }

  #layer4(protocol: number | 'icmp', l4: Uint8Array, checksum: ChecksumField | undefined): this {
    this.#protocol = protocol;
    this.#l4 = l4;
    this.#checksum = checksum;
    this.#raw = false;
    return this;
  }

  #packet(): Uint8Array {
    if (this.#ipv4 !== null) return this.#ipv4Packet(this.#ipv4);
    return this.#ipv6 === null ? new Uint8Array(0) : this.#ipv6Packet(this.#ipv6);
  }

  #ipv4Packet(fields: Ipv4Fields): Uint8Array {
    const options = fields.options ?? new Uint8Array(0);
    const protocol = this.#protocol === 'icmp' ? PROTOCOL.icmp : this.#protocol;
    const header = concat(new Uint8Array(20), options);
    header[0] = ((fields.version ?? 4) << 4) | ((fields.headerLength ?? header.length) / 4);
    header[1] = fields.tos ?? 0;
    put16(header, 2, fields.totalLength ?? header.length + this.#l4.length);
    put16(header, 4, fields.id ?? 0);
    put16(header, 6, fields.fragment ?? 0x4000);
    header[8] = fields.ttl ?? 64;
    header[9] = fields.protocol ?? protocol;
    header.set(ipBytes(fields.src), 12);
    header.set(ipBytes(fields.dst), 16);
    put16(header, 10, fields.checksum ?? checksumOf(header));
    return concat(header, this.#finishedL4(fields, protocol));
  }

  #ipv6Packet(fields: Ipv6Fields): Uint8Array {
    const protocol = this.#protocol === 'icmp' ? PROTOCOL.icmpv6 : this.#protocol;
    const { first, bytes } = chain(fields.extensions ?? [], fields.protocol ?? protocol);
    const header = new Uint8Array(40);
    put32(header, 0, fields.flowLabel ?? 0);
    put16(header, 0, ((fields.version ?? 6) << 12) | ((fields.trafficClass ?? 0) << 4));
    header[1] |= ((fields.flowLabel ?? 0) >>> 16) & 0x0f;
    put16(header, 4, fields.payloadLength ?? bytes.length + this.#l4.length);
    header[6] = first;
    header[7] = fields.ttl ?? 64;
    header.set(ipBytes(fields.src), 8);
    header.set(ipBytes(fields.dst), 24);
    return concat(header, bytes, this.#finishedL4(fields, protocol));
  }

  #finishedL4(addresses: { src: string; dst: string }, protocol: number): Uint8Array {
    const at = CHECKSUM_AT[protocol];
    if (this.#raw || at === undefined || this.#l4.length === 0) return this.#l4;
    const ends: Ends = { src: ipBytes(addresses.src), dst: ipBytes(addresses.dst) };
    const l4 = this.#l4.slice();
    if (protocol === PROTOCOL.sctp) {
      const checksum = Number(this.#checksum ?? crc32c(l4));
      new DataView(l4.buffer).setUint32(at, checksum, true);
    } else if (this.#checksum === 'unfinished') {
      put16(l4, at, unfinishedChecksum(ends, protocol, l4));
    } else {
      put16(l4, at, this.#checksum ?? l4Checksum(ends, protocol, l4));
    }
    return l4;
  }
}

export function packet(): PacketBuilder {
  return new PacketBuilder();
}
