// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS } from '../base/address.js';
import { copyMac, read32, write16, write32 } from '../base/byte-order.js';
import { writeIpv4Checksum } from '../base/checksum.js';
import { WORKER } from '../base/counters.js';
import { type Burst, CLASS, FRAGMENT } from '../packet/burst.js';
import {
  type ErrorKind,
  type ErrorName,
  FAMILIES,
  type Family,
  write,
  writeL4Checksum,
} from '../packet/family.js';
import {
  ETH,
  ICMP,
  IPV4,
  IPV4_FRAGMENT,
  IPV6,
  PROTOCOL,
  TCP,
  TCP_FLAG,
} from '../packet/headers.js';
import type { Context, Station } from './context.js';

const REPLY_TTL = 64;
/** Internetwork control (RFC 1812, 4.3.2.5). */
const ERROR_TYPE_OF_SERVICE = 0xc0;
const TCP_HEADER_WORDS = 5;

/** Drops a packet, and tells the sender where a stage has marked it as rejected. */
export function refuse(burst: Burst, i: number, reason: number, context: Context): void {
  context.drop(burst, i, reason);
  if (burst.rejected[i] === 0 || !isTold(burst, i) || !mayTell(context)) return;
  const family = FAMILIES[burst.family[i]];
  if (burst.class[i] === CLASS.tcp) {
    originate(burst, i, reset(burst, i, family), context);
    return;
  }
  const { portUnreachable } = family.errors;
  const from = burst.destination;
  const frame = error(burst, i, family, from, i * ADDRESS_WORDS, portUnreachable, 0);
  originate(burst, i, frame, context);
}

/**
 * Drops a packet that cannot be sent on, and tells the sender by an ICMP error from an address of ours.
 * @param reason - one of those of `findWay`
 */
export function turnBack(burst: Burst, i: number, reason: number, context: Context): void {
  context.drop(burst, i, reason);
  const source = sourceOfError(burst, i, context);
  if (source === undefined || !mayTell(context)) return;
  const family = FAMILIES[burst.family[i]];
  const mtu = reason === DROP.mtu_exceeded ? (context.stations[burst.egress[i]]?.mtu ?? 0) : 0;
  const frame = error(burst, i, family, source, 0, family.errors[errorOf(reason)], mtu);
  originate(burst, i, frame, context);
}

/**
 * Address of ours that turns a packet back; `undefined`: nobody is told. That the packet's own source is
 * not ours, parse has seen to, except on interfaces of scope host.
 */
export function sourceOfError(
  burst: Burst,
  i: number,
  { program }: Context,
): Int32Array | undefined {
  if (burst.fragment[i] === FRAGMENT.later) return undefined;
  const family = FAMILIES[burst.family[i]];
  if (burst.protocol[i] === family.icmp && burst.class[i] !== CLASS.echo) return undefined;
  const at = i * ADDRESS_WORDS;
  return program.addresses.source(burst.ingress[i], burst.source, at, family.isIpv4);
}

function errorOf(reason: number): ErrorName {
  switch (reason) {
    case DROP.ttl_expired:
      return 'timeExceeded';
    case DROP.no_route:
      return 'noRoute';
    case DROP.mtu_exceeded:
      return 'tooBig';
    default:
      return 'addressUnreachable';
  }
}

function mayTell(context: Context): boolean {
  if (context.budget.take(context.nowMs)) return true;
  context.counters.add(WORKER.icmpLimited, 1);
  return false;
}

// Back to where the packet came from.
function originate(burst: Burst, i: number, frame: Uint8Array, context: Context): void {
  const station = context.stations[burst.ingress[i]] as Station;
  copyMac(frame, ETH.destination, burst.frame[i], ETH.source);
  frame.set(station.mac, ETH.source);
  context.originate(burst.ingress[i], frame);
}

/** Whether the sender of such a packet is told when it is rejected. */
export function isTold(burst: Burst, i: number): boolean {
  if (burst.fragment[i] === FRAGMENT.later) return false;
  const { icmp, echoRequest } = FAMILIES[burst.family[i]];
  if (burst.protocol[i] === icmp) {
    return burst.class[i] === CLASS.echo && burst.frame[i][burst.l4[i]] === echoRequest;
  }
  return (burst.tcpFlags[i] & TCP_FLAG.rst) === 0 || burst.class[i] !== CLASS.tcp;
}

// RFC 9293, 3.10.7.1.
function reset(burst: Burst, i: number, family: Family): Uint8Array {
  const { destination } = burst;
  const own = i * ADDRESS_WORDS;
  const frame = begin(burst, i, family, destination, own, PROTOCOL.tcp, TCP.minimumLength);
  const from = burst.frame[i];
  const its = burst.l4[i];
  const at = ETH.length + family.headerLength;
  const ports = burst.ports[i];
  const flags = burst.tcpFlags[i];
  write32(frame, at, (ports << 16) | (ports >>> 16));
  frame[at + TCP.dataOffset] = TCP_HEADER_WORDS << 4;
  if (flags & TCP_FLAG.ack) {
    write32(frame, at + TCP.sequence, read32(from, its + TCP.acknowledgement));
    frame[at + TCP.flags] = TCP_FLAG.rst;
  } else {
    const payload = burst.length[i] - its - (from[its + TCP.dataOffset] >>> 4) * 4;
    const ends = (flags & TCP_FLAG.syn ? 1 : 0) + (flags & TCP_FLAG.fin ? 1 : 0);
    write32(frame, at + TCP.acknowledgement, read32(from, its + TCP.sequence) + payload + ends);
    frame[at + TCP.flags] = TCP_FLAG.rst | TCP_FLAG.ack;
  }
  writeL4Checksum(family, frame, PROTOCOL.tcp, at, TCP.minimumLength, at + TCP.checksum);
  return frame;
}

/** @param mtu - 0 but where the kind says it */
function error(
  burst: Burst,
  i: number,
  family: Family,
  source: Int32Array,
  sourceAt: number,
  { type, code }: ErrorKind,
  mtu: number,
): Uint8Array {
  const quoted = Math.min(burst.length[i] - ETH.length, family.mostQuoted);
  const length = ICMP.minimumLength + quoted;
  const frame = begin(burst, i, family, source, sourceAt, family.icmp, length);
  const at = ETH.length + family.headerLength;
  frame[at + ICMP.type] = type;
  frame[at + ICMP.code] = code;
  // The lower half of the word that says an MTU (RFC 1191, RFC 4443).
  write16(frame, at + ICMP.sequence, mtu);
  frame.set(burst.frame[i].subarray(ETH.length, ETH.length + quoted), at + ICMP.minimumLength);
  writeL4Checksum(family, frame, family.icmp, at, length, at + ICMP.checksum);
  return frame;
}

/** A frame back to the sender of a packet, up to the L4 header; the MACs are missing. */
function begin(
  burst: Burst,
  i: number,
  family: Family,
  source: Int32Array,
  sourceAt: number,
  protocol: number,
  l4Length: number,
): Uint8Array {
  const frame = new Uint8Array(ETH.length + family.headerLength + l4Length);
  write16(frame, ETH.type, family.ethertype);
  write(family, frame, family.source, source, sourceAt);
  write(family, frame, family.destination, burst.source, i * ADDRESS_WORDS);
  frame[family.ttl] = REPLY_TTL;
  if (family.isIpv4) {
    frame[IPV4.versionAndLength] = 0x45;
    if (protocol === PROTOCOL.icmp) frame[IPV4.typeOfService] = ERROR_TYPE_OF_SERVICE;
    write16(frame, IPV4.totalLength, IPV4.minimumLength + l4Length);
    write16(frame, IPV4.fragment, IPV4_FRAGMENT.dontFragment);
    frame[IPV4.protocol] = protocol;
    writeIpv4Checksum(frame, ETH.length, IPV4.minimumLength);
  } else {
    frame[IPV6.version] = 0x60;
    write16(frame, IPV6.payloadLength, l4Length);
    frame[IPV6.nextHeader] = protocol;
  }
  return frame;
}
