// SPDX-License-Identifier: Apache-2.0

/**
 * Frames for tests. `packet()` builds them layer by layer, with right lengths and checksums unless
 * a test asks for wrong ones; `read` takes them apart again; `faults` checks every checksum from scratch.
 * Shares no code with the engines.
 */

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

export interface UdpFields {
  src: number;
  dst: number;
  payload?: Uint8Array | string;
  /** 0: none. Default: right. */
  checksum?: number;
  length?: number;
}

export interface TcpFields {
  src: number;
  dst: number;
  /** Letters of `FSRPAU`. Default `A`. */
  flags?: string;
  seq?: number;
  ack?: number;
  payload?: Uint8Array | string;
  checksum?: number;
  /** In 32-bit words. */
  dataOffset?: number;
}

export interface IcmpFields {
  type?: number;
  code?: number;
  id?: number;
  seq?: number;
  payload?: Uint8Array | string;
  checksum?: number;
}

export interface ArpFields {
  operation: number;
  senderMac: string;
  sender: string;
  target: string;
  targetMac?: string;
  /** Of the Ethernet header. Default: `senderMac`. */
  src?: string;
  /** Of the Ethernet header. Default: broadcast. */
  dst?: string;
  hardwareType?: number;
  protocolType?: number;
  hardwareLength?: number;
  protocolLength?: number;
}

const FLAGS = 'FSRPAU';

export class PacketBuilder {
  #eth: EthFields = { src: '02:00:00:00:00:aa', dst: '02:00:00:00:00:01' };
  #ip: Ipv4Fields | null = null;
  #protocol = 0;
  #l4: Uint8Array = new Uint8Array(0);
  // Where the L4 checksum goes, and what it is to be where that is not the right one.
  #checksumAt = -1;
  #checksum: number | undefined;
  #tail = 0;
  #cut: number | null = null;

  eth(fields: EthFields): this {
    this.#eth = fields;
    return this;
  }

  ipv4(fields: Ipv4Fields): this {
    this.#ip = fields;
    return this;
  }

  udp(fields: UdpFields): this {
    const payload = toBytes(fields.payload);
    const l4 = new Uint8Array(8 + payload.length);
    put16(l4, 0, fields.src);
    put16(l4, 2, fields.dst);
    put16(l4, 4, fields.length ?? l4.length);
    l4.set(payload, 8);
    return this.#layer4(17, l4, 6, fields.checksum);
  }

  tcp(fields: TcpFields): this {
    const payload = toBytes(fields.payload);
    const l4 = new Uint8Array(20 + payload.length);
    put16(l4, 0, fields.src);
    put16(l4, 2, fields.dst);
    put32(l4, 4, fields.seq ?? 1);
    put32(l4, 8, fields.ack ?? 0);
    l4[12] = (fields.dataOffset ?? 5) << 4;
    for (const flag of fields.flags ?? 'A') l4[13] |= 1 << FLAGS.indexOf(flag);
    put16(l4, 14, 65_535);
    l4.set(payload, 20);
    return this.#layer4(6, l4, 16, fields.checksum);
  }

  icmp(fields: IcmpFields): this {
    const payload = toBytes(fields.payload);
    const l4 = new Uint8Array(8 + payload.length);
    l4[0] = fields.type ?? 8;
    l4[1] = fields.code ?? 0;
    put16(l4, 4, fields.id ?? 1);
    put16(l4, 6, fields.seq ?? 1);
    l4.set(payload, 8);
    return this.#layer4(1, l4, 2, fields.checksum);
  }

  icmpEcho(fields: Omit<IcmpFields, 'type' | 'code'> = {}): this {
    return this.icmp({ ...fields, type: 8, code: 0 });
  }

  /** What lies behind the IPv4 header, as it is. */
  payload(bytes: Uint8Array): this {
    return this.#layer4(this.#protocol, bytes, -1, undefined);
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
    const ip = this.#ip === null ? new Uint8Array(0) : this.#ipv4(this.#ip);
    const frame = new Uint8Array(14 + ip.length + this.#tail);
    frame.set(macBytes(this.#eth.dst), 0);
    frame.set(macBytes(this.#eth.src), 6);
    put16(frame, 12, this.#eth.type ?? 0x0800);
    frame.set(ip, 14);
    frame.fill(0xee, 14 + ip.length);
    return this.#cut === null ? frame : frame.slice(0, this.#cut);
  }

  #layer4(protocol: number, l4: Uint8Array, at: number, checksum: number | undefined): this {
    this.#protocol = protocol;
    this.#l4 = l4;
    this.#checksumAt = at;
    this.#checksum = checksum;
    return this;
  }

  #ipv4(fields: Ipv4Fields): Uint8Array {
    const options = fields.options ?? new Uint8Array(0);
    const header = 20 + options.length;
    const bytes = new Uint8Array(header + this.#l4.length);
    bytes[0] = ((fields.version ?? 4) << 4) | ((fields.headerLength ?? header) / 4);
    bytes[1] = fields.tos ?? 0;
    put16(bytes, 2, fields.totalLength ?? bytes.length);
    put16(bytes, 4, fields.id ?? 0);
    put16(bytes, 6, fields.fragment ?? 0x4000);
    bytes[8] = fields.ttl ?? 64;
    bytes[9] = fields.protocol ?? this.#protocol;
    bytes.set(ipBytes(fields.src), 12);
    bytes.set(ipBytes(fields.dst), 16);
    bytes.set(options, 20);
    put16(bytes, 10, fields.checksum ?? checksumOf(bytes.subarray(0, header)));
    bytes.set(this.#l4, header);
    if (this.#checksumAt >= 0) {
      const l4 = bytes.subarray(header);
      const right = l4Checksum(bytes, l4, this.#protocol);
      put16(l4, this.#checksumAt, this.#checksum ?? right);
    }
    return bytes;
  }
}

export function packet(): PacketBuilder {
  return new PacketBuilder();
}

/** An ARP frame of 42 bytes. */
export function arp(fields: ArpFields): Uint8Array {
  const frame = new Uint8Array(42);
  frame.set(macBytes(fields.dst ?? 'ff:ff:ff:ff:ff:ff'), 0);
  frame.set(macBytes(fields.src ?? fields.senderMac), 6);
  put16(frame, 12, 0x0806);
  put16(frame, 14, fields.hardwareType ?? 1);
  put16(frame, 16, fields.protocolType ?? 0x0800);
  frame[18] = fields.hardwareLength ?? 6;
  frame[19] = fields.protocolLength ?? 4;
  put16(frame, 20, fields.operation);
  frame.set(macBytes(fields.senderMac), 22);
  frame.set(ipBytes(fields.sender), 28);
  frame.set(macBytes(fields.targetMac ?? '00:00:00:00:00:00'), 32);
  frame.set(ipBytes(fields.target), 38);
  return frame;
}

export interface ReadPacket {
  eth: { src: string; dst: string; type: number };
  arp?: {
    operation: number;
    senderMac: string;
    sender: string;
    targetMac: string;
    target: string;
  };
  ipv4?: {
    src: string;
    dst: string;
    ttl: number;
    id: number;
    protocol: number;
    totalLength: number;
  };
  udp?: { src: number; dst: number; checksum: number; payload: Uint8Array };
  tcp?: { src: number; dst: number; flags: string; checksum: number; payload: Uint8Array };
  icmp?: { type: number; code: number; checksum: number; payload: Uint8Array };
}

/** Takes a well-formed frame apart. */
export function read(frame: Uint8Array): ReadPacket {
  const type = get16(frame, 12);
  const result: ReadPacket = {
    eth: { dst: macText(frame, 0), src: macText(frame, 6), type },
  };
  if (type === 0x0806) {
    result.arp = {
      operation: get16(frame, 20),
      senderMac: macText(frame, 22),
      sender: ipText(frame, 28),
      targetMac: macText(frame, 32),
      target: ipText(frame, 38),
    };
  }
  if (type !== 0x0800) return result;
  const protocol = frame[23];
  result.ipv4 = {
    src: ipText(frame, 26),
    dst: ipText(frame, 30),
    ttl: frame[22],
    id: get16(frame, 18),
    protocol,
    totalLength: get16(frame, 16),
  };
  const l4 = l4Of(frame);
  const ports = { src: get16(l4, 0), dst: get16(l4, 2) };
  if (protocol === 17) {
    result.udp = { ...ports, checksum: get16(l4, 6), payload: l4.slice(8) };
  } else if (protocol === 6) {
    const flags = [...FLAGS].filter((_, bit) => l4[13] & (1 << bit)).join('');
    const payload = l4.slice((l4[12] >>> 4) * 4);
    result.tcp = { ...ports, flags, checksum: get16(l4, 16), payload };
  } else if (protocol === 1) {
    result.icmp = { type: l4[0], code: l4[1], checksum: get16(l4, 2), payload: l4.slice(8) };
  }
  return result;
}

/** Names of the checksums of an IPv4 frame that are wrong, computed from scratch. */
export function faults(frame: Uint8Array): string[] {
  if (get16(frame, 12) !== 0x0800) return [];
  const wrong: string[] = [];
  if (onesSum(frame.subarray(14, 14 + (frame[14] & 0x0f) * 4)) !== 0xffff) wrong.push('ipv4');
  const protocol = frame[23];
  const l4 = l4Of(frame);
  if (protocol === 17 && get16(l4, 6) === 0) return wrong;
  if (protocol !== 17 && protocol !== 6 && protocol !== 1) return wrong;
  const total = onesSum(l4) + (protocol === 1 ? 0 : pseudoSum(frame.subarray(14), l4, protocol));
  if (foldCarries(total) !== 0xffff) wrong.push(`protocol ${protocol}`);
  return wrong;
}

function l4Of(frame: Uint8Array): Uint8Array {
  return frame.subarray(14 + (frame[14] & 0x0f) * 4, 14 + get16(frame, 16));
}

function l4Checksum(ip: Uint8Array, l4: Uint8Array, protocol: number): number {
  const pseudo = protocol === 1 ? 0 : pseudoSum(ip, l4, protocol);
  const checksum = ~foldCarries(onesSum(l4) + pseudo) & 0xffff;
  return protocol === 17 && checksum === 0 ? 0xffff : checksum;
}

function pseudoSum(ip: Uint8Array, l4: Uint8Array, protocol: number): number {
  return onesSum(ip.subarray(12, 20)) + protocol + l4.length;
}

/** The checksum of bytes whose checksum field is zero. */
export function checksumOf(bytes: Uint8Array): number {
  return ~onesSum(bytes) & 0xffff;
}

function onesSum(bytes: Uint8Array): number {
  let total = 0;
  for (let i = 0; i < bytes.length; i++) total += i % 2 === 0 ? bytes[i] * 256 : bytes[i];
  return foldCarries(total);
}

function foldCarries(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return folded;
}

export function ipBytes(text: string): Uint8Array {
  return Uint8Array.from(text.split('.').map(Number));
}

export function macBytes(text: string): Uint8Array {
  return Uint8Array.from(text.split(':').map((part) => Number.parseInt(part, 16)));
}

export function ipText(bytes: Uint8Array, at = 0): string {
  return Array.from(bytes.subarray(at, at + 4)).join('.');
}

export function macText(bytes: Uint8Array, at = 0): string {
  return Array.from(bytes.subarray(at, at + 6), (byte) => byte.toString(16).padStart(2, '0')).join(
    ':',
  );
}

function toBytes(payload: Uint8Array | string | undefined): Uint8Array {
  if (payload === undefined) return new Uint8Array(0);
  return typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
}

function get16(bytes: Uint8Array, at: number): number {
  return bytes[at] * 256 + bytes[at + 1];
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint16(at, value);
}

function put32(bytes: Uint8Array, at: number, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value);
}
