// SPDX-License-Identifier: Apache-2.0
import { isIpv4 } from '../model/address.js';
import type { Protocol } from '../model/model.js';

/** The first packet of a connection, or an echo request. */
export interface Probe {
  /** 16 bytes each, of one family. */
  source: Uint8Array;
  destination: Uint8Array;
  protocol: Protocol;
  /** Of an echo request: its identifier. */
  sourcePort: number;
  /** 0 where the protocol is ICMP. */
  destinationPort: number;
  /** 6 bytes: MAC of the interface that it comes in by. */
  mac: Uint8Array;
}

const ETHERTYPE = { 4: 0x0800, 6: 0x86dd } as const;
const PROTOCOL_NUMBERS = { TCP: 6, UDP: 17, SCTP: 132 } as const;
/** Locally administered, and nobody's. */
const SENDER_MAC = Uint8Array.of(0x02, 0, 0, 0, 0, 0xfe);
const ETHERNET = 14;
const HOP_LIMIT = 64;

/**
 * A frame for `Engine.explain`. It is looked at and never sent: the checksum of its L4 header, which
 * nobody on the way would look at, is left out.
 */
export function probeFrame(probe: Probe): Uint8Array {
  const family = isIpv4(probe.source) ? 4 : 6;
  const l4 = l4Header(probe, family);
  const l3 = family === 4 ? ipv4Header(probe, l4.length) : ipv6Header(probe, l4.length);
  const ethernet = new Uint8Array(ETHERNET);
  ethernet.set(probe.mac, 0);
  ethernet.set(SENDER_MAC, 6);
  new DataView(ethernet.buffer).setUint16(12, ETHERTYPE[family]);
  return new Uint8Array(Buffer.concat([ethernet, l3, l4]));
}

function ipv4Header(probe: Probe, payload: number): Uint8Array {
  const header = new Uint8Array(20);
  const view = new DataView(header.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, header.length + payload);
  view.setUint8(8, HOP_LIMIT);
  view.setUint8(9, protocolNumber(probe.protocol, 4));
  header.set(probe.source.subarray(12), 12);
  header.set(probe.destination.subarray(12), 16);
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += view.getUint16(at);
  sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(10, ~((sum & 0xffff) + (sum >>> 16)) & 0xffff);
  return header;
}

function ipv6Header(probe: Probe, payload: number): Uint8Array {
  const header = new Uint8Array(40);
  const view = new DataView(header.buffer);
  view.setUint8(0, 0x60);
  view.setUint16(4, payload);
  view.setUint8(6, protocolNumber(probe.protocol, 6));
  view.setUint8(7, HOP_LIMIT);
  header.set(probe.source, 8);
  header.set(probe.destination, 24);
  return header;
}

/** TCP SYN, UDP without data, SCTP INIT, echo request. */
function l4Header({ protocol, sourcePort, destinationPort }: Probe, family: 4 | 6): Uint8Array {
  const lengths = { TCP: 20, UDP: 8, SCTP: 32, ICMP: 8 } as const;
  const header = new Uint8Array(lengths[protocol]);
  const view = new DataView(header.buffer);
  if (protocol === 'ICMP') {
    view.setUint8(0, family === 4 ? 8 : 128);
    view.setUint16(4, sourcePort);
    return header;
  }
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  if (protocol === 'TCP') {
    view.setUint8(12, 0x50);
    view.setUint8(13, 0x02);
  } else if (protocol === 'UDP') view.setUint16(4, header.length);
  else {
    view.setUint8(12, 1);
    view.setUint16(14, header.length - 12);
    // Initiate tag and stream counts, which may not be zero.
    view.setUint32(16, 1);
    view.setUint16(24, 1);
    view.setUint16(26, 1);
  }
  return header;
}

function protocolNumber(protocol: Protocol, family: 4 | 6): number {
  if (protocol === 'ICMP') return family === 4 ? 1 : 58;
  return PROTOCOL_NUMBERS[protocol];
}
