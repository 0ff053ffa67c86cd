// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS } from '../base/address.js';
import { read16 } from '../base/byte-order.js';
import { hashTuple } from '../base/crc32c.js';
import { type Burst, CLASS, FRAGMENT, LANE, PASSED } from '../packet/burst.js';
import type { Family } from '../packet/family.js';
import { ICMP, PROTOCOL, SCTP, TCP, TCP_FLAG, UDP } from '../packet/headers.js';
import { classOf, portsOf } from '../packet/l4.js';

// What the first chunk of an SCTP packet means (RFC 9260, 3.2), by its type; ACK is what others mean.
const CHUNK_FLAGS = new Uint8Array(256).fill(TCP_FLAG.ack);
CHUNK_FLAGS[1] = TCP_FLAG.syn;
CHUNK_FLAGS[2] = TCP_FLAG.syn | TCP_FLAG.ack;
CHUNK_FLAGS[6] = TCP_FLAG.rst;
CHUNK_FLAGS[7] = TCP_FLAG.fin | TCP_FLAG.ack;
CHUNK_FLAGS[8] = TCP_FLAG.fin | TCP_FLAG.ack;
CHUNK_FLAGS[14] = TCP_FLAG.rst;

/**
 * Checks the L4 header, where there is one, and takes the five-tuple and its hash.
 * @returns `PASSED` or one of `DROP`
 */
export function parseL4(burst: Burst, i: number, family: Family): number {
  burst.ports[i] = 0;
  burst.tcpFlags[i] = 0;
  const reason = burst.fragment[i] === FRAGMENT.later ? PASSED : readL4(burst, i, family);
  if (reason !== PASSED) return reason;
  const at = i * ADDRESS_WORDS;
  burst.hash[i] = hashTuple(
    burst.source,
    at,
    burst.destination,
    at,
    burst.ports[i],
    burst.protocol[i],
    family.firstWord,
  );
  return PASSED;
}

/** Class, lane, ports and flags. */
function readL4(burst: Burst, i: number, family: Family): number {
  if (!isWellFormed(burst, i, family)) return DROP.malformed_l4;
  if (burst.class[i] === CLASS.nd) {
    burst.lane[i] = LANE.nd;
    return PASSED;
  }
  const frame = burst.frame[i];
  const l4 = burst.l4[i];
  const kind = classOf(family, burst.protocol[i], frame, l4);
  burst.class[i] = kind;
  if (kind === CLASS.icmpError && burst.fragment[i] !== FRAGMENT.none) {
    return DROP.malformed_fragment;
  }
  if (kind === CLASS.other) return PASSED;
  if (burst.fragment[i] === FRAGMENT.none) burst.lane[i] = LANE.flow;
  if (kind === CLASS.icmpError) return PASSED;

  if (kind === CLASS.tcp) burst.tcpFlags[i] = frame[l4 + TCP.flags];
  else if (kind === CLASS.sctp) burst.tcpFlags[i] = CHUNK_FLAGS[frame[l4 + SCTP.chunkType]];
  burst.ports[i] = portsOf(family, kind, frame, l4);
  return PASSED;
}

function isWellFormed(burst: Burst, i: number, family: Family): boolean {
  const frame = burst.frame[i];
  const l4 = burst.l4[i];
  const room = burst.length[i] - l4;
  switch (burst.protocol[i]) {
    case PROTOCOL.tcp: {
      if (room < TCP.minimumLength) return false;
      const header = (frame[l4 + TCP.dataOffset] >>> 4) * 4;
      return header >= TCP.minimumLength && header <= room;
    }
    case PROTOCOL.udp: {
      if (room < UDP.minimumLength) return false;
      const length = read16(frame, l4 + UDP.length);
      const isWhole = length <= room || burst.fragment[i] === FRAGMENT.first;
      return length >= UDP.minimumLength && isWhole;
    }
    case PROTOCOL.sctp:
      return room >= SCTP.minimumLength;
    case family.icmp:
      return room >= ICMP.minimumLength;
    default:
      return true;
  }
}
