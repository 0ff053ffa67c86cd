// SPDX-License-Identifier: Apache-2.0

// Frames of the pods that live in this process: Ethernet with ARP, or with IPv4 without options.
// Addresses and MACs are texts here; readable counts for more than fast in a demo.

/** What every IPv4 frame has. */
export interface Envelope {
  sourceMac: string;
  destinationMac: string;
  source: string;
  destination: string;
}

export interface ArpFrame {
  kind: 'arp';
  /** 1 request, 2 reply. */
  operation: number;
  senderMac: string;
  sender: string;
  target: string;
  destinationMac: string;
}

export interface UdpFrame extends Envelope {
  kind: 'udp';
  sourcePort: number;
  destinationPort: number;
  payload: Uint8Array;
}

export interface TcpFrame extends Envelope {
  kind: 'tcp';
  sourcePort: number;
  destinationPort: number;
  sequence: number;
  acknowledgement: number;
  flags: TcpFlags;
  payload: Uint8Array;
}

export type TcpFlags = Partial<Record<(typeof FLAGS)[number], true>>;

/** ICMP echo. */
export interface EchoFrame extends Envelope {
  kind: 'echo';
  reply: boolean;
  identifier: number;
  sequence: number;
}

export type Frame = ArpFrame | UdpFrame | TcpFrame | EchoFrame;

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';

/** In the order of their bits. */
const FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack'] as const;
const ETHERNET = 14;
const IPV4 = 20;
const UDP = 8;
const TCP = 20;
const ICMP = 8;
const PROTOCOL = { echo: 1, tcp: 6, udp: 17 } as const;
const TTL = 64;
const WINDOW = 65_535;

export function buildFrame(frame: Frame): Uint8Array {
  return frame.kind === 'arp' ? buildArp(frame) : buildIpv4(frame, buildLayer4(frame));
}

/**
 * Takes a frame apart.
 * @returns `null` if it is of no kind that is known here, or if a length or checksum is wrong
 */
export function parseFrame(bytes: Uint8Array): Frame | null {
  if (bytes.length < ETHERNET + IPV4) return null;
  const view = viewOf(bytes);
  const type = view.getUint16(12);
  if (type === 0x0806) return parseArp(bytes, view);
  const total = view.getUint16(16);
  if (type !== 0x0800 || bytes[14] !== 0x45 || ETHERNET + total > bytes.length) return null;
  if (checksum(bytes.subarray(ETHERNET, ETHERNET + IPV4)) !== 0) return null;
  const packet = bytes.subarray(ETHERNET, ETHERNET + total);
  const layer4 = packet.subarray(IPV4);
  const envelope = {
    destinationMac: macAt(bytes, 0),
    sourceMac: macAt(bytes, 6),
    source: addressAt(packet, 12),
    destination: addressAt(packet, 16),
  };
  return parseLayer4(packet[9], layer4, pseudoHeader(packet), envelope);
}

function parseLayer4(
  protocol: number | undefined,
  bytes: Uint8Array,
  pseudo: Uint8Array,
  envelope: Envelope,
): Frame | null {
  if (bytes.length < UDP) return null;
  const view = viewOf(bytes);
  if (protocol === PROTOCOL.echo) {
    const type = view.getUint8(0);
    if (checksum(bytes) !== 0 || (type !== 0 && type !== 8)) return null;
    const identity = { identifier: view.getUint16(4), sequence: view.getUint16(6) };
    return { kind: 'echo', ...envelope, reply: type === 0, ...identity };
  }
  const ports = { sourcePort: view.getUint16(0), destinationPort: view.getUint16(2) };
  if (checksum(pseudo, bytes) !== 0) return null;
  if (protocol === PROTOCOL.udp)
    return { kind: 'udp', ...envelope, ...ports, payload: bytes.slice(UDP) };
  if (protocol !== PROTOCOL.tcp || bytes.length < TCP) return null;
  const flags: TcpFlags = {};
  for (const [bit, name] of FLAGS.entries()) if (view.getUint8(13) & (1 << bit)) flags[name] = true;
  return {
    kind: 'tcp',
    ...envelope,
    ...ports,
    sequence: view.getUint32(4),
    acknowledgement: view.getUint32(8),
    flags,
    payload: bytes.slice((view.getUint8(12) >>> 4) * 4),
  };
}

function buildLayer4(frame: UdpFrame | TcpFrame | EchoFrame): Uint8Array {
  if (frame.kind === 'echo') {
    const bytes = new Uint8Array(ICMP);
    const view = viewOf(bytes);
    view.setUint8(0, frame.reply ? 0 : 8);
    view.setUint16(4, frame.identifier);
    view.setUint16(6, frame.sequence);
    return bytes;
  }
  const header = frame.kind === 'udp' ? UDP : TCP;
  const bytes = new Uint8Array(header + frame.payload.length);
  const view = viewOf(bytes);
  view.setUint16(0, frame.sourcePort);
  view.setUint16(2, frame.destinationPort);
  bytes.set(frame.payload, header);
  if (frame.kind === 'udp') {
    view.setUint16(4, bytes.length);
    return bytes;
  }
  view.setUint32(4, frame.sequence);
  view.setUint32(8, frame.acknowledgement);
  view.setUint8(12, (TCP / 4) << 4);
  for (const [bit, name] of FLAGS.entries())
    if (frame.flags[name]) view.setUint8(13, view.getUint8(13) | (1 << bit));
  view.setUint16(14, WINDOW);
  return bytes;
}

function buildIpv4(frame: UdpFrame | TcpFrame | EchoFrame, layer4: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(ETHERNET + IPV4 + layer4.length);
  const view = viewOf(bytes);
  putMac(bytes, 0, frame.destinationMac);
  putMac(bytes, 6, frame.sourceMac);
  view.setUint16(12, 0x0800);
  view.setUint8(14, 0x45);
  view.setUint16(16, IPV4 + layer4.length);
  // Don't fragment.
  view.setUint16(20, 0x4000);
  view.setUint8(22, TTL);
  view.setUint8(23, PROTOCOL[frame.kind]);
  putAddress(bytes, 26, frame.source);
  putAddress(bytes, 30, frame.destination);
  const header = bytes.subarray(ETHERNET, ETHERNET + IPV4);
  view.setUint16(24, checksum(header));
  bytes.set(layer4, ETHERNET + IPV4);
  const packet = bytes.subarray(ETHERNET);
  const body = packet.subarray(IPV4);
  if (frame.kind === 'echo') viewOf(body).setUint16(2, checksum(body));
  else {
    const sum = checksum(pseudoHeader(packet), body);
    // In UDP, 0 says that there is no checksum.
    viewOf(body).setUint16(
      frame.kind === 'udp' ? 6 : 16,
      frame.kind === 'udp' ? sum || 0xffff : sum,
    );
  }
  return bytes;
}

function parseArp(bytes: Uint8Array, view: DataView): ArpFrame | null {
  if (bytes.length < 42) return null;
  return {
    kind: 'arp',
    destinationMac: macAt(bytes, 0),
    operation: view.getUint16(20),
    senderMac: macAt(bytes, 22),
    sender: addressAt(bytes, 28),
    target: addressAt(bytes, 38),
  };
}

function buildArp(frame: ArpFrame): Uint8Array {
  const bytes = new Uint8Array(42);
  const view = viewOf(bytes);
  putMac(bytes, 0, frame.destinationMac);
  putMac(bytes, 6, frame.senderMac);
  view.setUint16(12, 0x0806);
  view.setUint16(14, 1);
  view.setUint16(16, 0x0800);
  view.setUint16(18, 0x0604);
  view.setUint16(20, frame.operation);
  putMac(bytes, 22, frame.senderMac);
  putAddress(bytes, 28, frame.sender);
  if (frame.operation === 2) putMac(bytes, 32, frame.destinationMac);
  putAddress(bytes, 38, frame.target);
  return bytes;
}

/** RFC 1071 over all parts, each of which but the last has an even length. */
function checksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts)
    for (const [index, byte] of part.entries()) sum += index % 2 === 0 ? byte << 8 : byte;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** What L4 checksums cover besides the segment: addresses, protocol, length. */
function pseudoHeader(packet: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12);
  bytes.set(packet.subarray(12, 20), 0);
  bytes[9] = packet[9] ?? 0;
  viewOf(bytes).setUint16(10, packet.length - IPV4);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function macAt(bytes: Uint8Array, at: number): string {
  return Array.from(bytes.subarray(at, at + 6), (byte) => byte.toString(16).padStart(2, '0')).join(
    ':',
  );
}

function addressAt(bytes: Uint8Array, at: number): string {
  return bytes.subarray(at, at + 4).join('.');
}

function putMac(bytes: Uint8Array, at: number, mac: string): void {
  bytes.set(
    mac.split(':').map((digits) => Number.parseInt(digits, 16)),
    at,
  );
}

function putAddress(bytes: Uint8Array, at: number, address: string): void {
  bytes.set(address.split('.').map(Number), at);
}
