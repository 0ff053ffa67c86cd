// SPDX-License-Identifier: Apache-2.0
import { read16, read32 } from '../base/byte-order.js';
import { CLASS } from './burst.js';
import type { Family } from './family.js';
import { ICMP, PROTOCOL } from './headers.js';

/** Class of a packet, neighbour discovery apart. ICMP has at least 8 bytes at `l4`. */
export function classOf(family: Family, protocol: number, frame: Uint8Array, l4: number): number {
  switch (protocol) {
    case PROTOCOL.tcp:
      return CLASS.tcp;
    case PROTOCOL.udp:
      return CLASS.udp;
    case PROTOCOL.sctp:
      return CLASS.sctp;
    case family.icmp:
      return classOfIcmp(family, frame[l4 + ICMP.type], frame[l4 + ICMP.code]);
    default:
      return CLASS.other;
  }
}

function classOfIcmp(family: Family, type: number, code: number): number {
  if (family.errorTypes.includes(type)) return CLASS.icmpError;
  const isEcho = type === family.echoRequest || type === family.echoReply;
  return isEcho && code === 0 ? CLASS.echo : CLASS.other;
}

/** Ports of TCP, UDP, SCTP or an echo, whose identifier is that of the side which asks. */
export function portsOf(family: Family, kind: number, frame: Uint8Array, l4: number): number {
  if (kind !== CLASS.echo) return read32(frame, l4);
  const identifier = read16(frame, l4 + ICMP.identifier);
  return frame[l4 + ICMP.type] === family.echoRequest ? identifier << 16 : identifier;
}

/** The identifier of an echo: one of the two ports, the other one is 0. */
export function identifierOf(ports: number): number {
  return (ports >>> 16) | (ports & 0xffff);
}
