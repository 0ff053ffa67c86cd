// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS } from '../base/address.js';
import { copyMac, read32, write16, write32 } from '../base/byte-order.js';
import { writeIpv4Checksum } from '../base/checksum.js';
import { WORKER } from '../base/counters.js';
import { type Burst, CLASS, FRAGMENT } from '../packet/burst.js';
import { FAMILIES, type Family, write, writeL4Checksum } from '../packet/family.js';
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
import { originateAnswer } from './own-frames.js';

const REPLY_TTL = 64;
/** Internetwork control (RFC 1812, 4.3.2.5). */
const ERROR_TYPE_OF_SERVICE = 0xc0;
const TCP_HEADER_WORDS = 5;

/** Drops a packet, and tells the sender where a stage has marked it as rejected. */
export function refuse(burst: Burst, i: number, reason: number, context: Context): void {
  context.drop(burst, i, reason);
  if (burst.rejected[i] === 0 || !isTold(burst, i)) return;
  if (!context.budget.take(context.nowMs)) {
    context.counters.add(WORKER.icmpLimited, 1);
    return;
  }
  const family = FAMILIES[burst.family[i]];
  const station = context.stations[burst.ingress[i]] as Station;
  const isTcp = burst.class[i] === CLASS.tcp;
  const frame = isTcp ? reset(burst, i, family) : portUnreachable(burst, i, family);
  copyMac(frame, ETH.destination, burst.frame[i], ETH.source);
  frame.set(station.mac, ETH.source);
  originateAnswer(burst, i, frame, context);
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
  const frame = begin(burst, i, family, PROTOCOL.tcp, TCP.minimumLength);
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

function portUnreachable(burst: Burst, i: number, family: Family): Uint8Array {
  const { type, code, most } = family.portUnreachable;
  const quoted = Math.min(burst.length[i] - ETH.length, most);
  const length = ICMP.minimumLength + quoted;
  const frame = begin(burst, i, family, family.icmp, length);
  const at = ETH.length + family.headerLength;
  frame[at + ICMP.type] = type;
  frame[at + ICMP.code] = code;
  frame.set(burst.frame[i].subarray(ETH.length, ETH.length + quoted), at + ICMP.minimumLength);
  writeL4Checksum(family, frame, family.icmp, at, length, at + ICMP.checksum);
  return frame;
}

/** A frame back to the sender of a packet, up to the L4 header; the MACs are missing. */
function begin(
  burst: Burst,
  i: number,
  family: Family,
  protocol: number,
  l4Length: number,
): Uint8Array {
  const frame = new Uint8Array(ETH.length + family.headerLength + l4Length);
  write16(frame, ETH.type, family.ethertype);
  write(family, frame, family.source, burst.destination, i * ADDRESS_WORDS);
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
