// SPDX-License-Identifier: Apache-2.0
import { read32, swap32, write32 } from '../base/byte-order.js';
import { adjustAt, adjustUdpAt, delta16, delta32, replace16 } from '../base/checksum.js';
import { crc32cWord, crc32cZeroes } from '../base/crc32c.js';
import { type Burst, CLASS, FRAGMENT, LANE } from '../packet/burst.js';
import { type Family, replace } from '../packet/family.js';
import { ICMP, IPV4, SCTP, TCP, UDP } from '../packet/headers.js';
import { identifierOf } from '../packet/l4.js';
import { type FlowTable, NO_FLOW } from '../table/flow-table.js';
import type { Context } from './context.js';
import { rewriteError } from './rewrite-error.js';

/**
 * Counts the TTL (hop limit) down, but for the host, and translates the packets of flows. What a direction is rewritten
 * to stands in the entry of the other one, the other way round.
 */
export function rewrite(burst: Burst, family: Family, context: Context): void {
  const flows = context.flowsOf(family);
  for (let i = 0; i < burst.count; i++) {
    if (!burst.isIn(i, LANE.rewrite, family)) continue;
    if (burst.toHost[i] === 0) countDown(burst.frame[i], family);
    if (burst.entry[i] !== NO_FLOW) {
      if (burst.class[i] === CLASS.icmpError) rewriteError(burst, i, family, flows);
      else translate(burst, i, family, flows);
    }
    burst.lane[i] = LANE.neighbour;
  }
}

function countDown(frame: Uint8Array, family: Family): void {
  const ttl = frame[family.ttl];
  frame[family.ttl] = ttl - 1;
  if (!family.isIpv4) return;
  const protocol = frame[IPV4.protocol];
  adjustAt(frame, IPV4.checksum, delta16((ttl << 8) | protocol, ((ttl - 1) << 8) | protocol));
}

function translate(burst: Burst, i: number, family: Family, flows: FlowTable): void {
  const other = burst.entry[i] ^ 1;
  const frame = burst.frame[i];
  const { keys } = flows;
  const delta =
    replace(family, frame, family.source, keys, flows.destinationAt(other)) +
    replace(family, frame, family.destination, keys, flows.sourceAt(other));
  if (family.isIpv4) adjustAt(frame, IPV4.checksum, delta);
  if (burst.fragment[i] === FRAGMENT.later) return;
  rewriteL4(burst, i, family, newPorts(flows.ports(other)), delta);
}

/** Ports that packets leave with, by those of the entry of the other direction. */
export function newPorts(otherPorts: number): number {
  return (otherPorts << 16) | (otherPorts >>> 16);
}

function rewriteL4(
  burst: Burst,
  i: number,
  family: Family,
  ports: number,
  addressDelta: number,
): void {
  const frame = burst.frame[i];
  const l4 = burst.l4[i];
  switch (burst.class[i]) {
    case CLASS.tcp:
      adjustAt(frame, l4 + TCP.checksum, addressDelta + rewritePorts(frame, l4, ports));
      return;
    case CLASS.udp:
      adjustUdpAt(frame, l4 + UDP.checksum, addressDelta + rewritePorts(frame, l4, ports));
      return;
    case CLASS.echo: {
      const delta = replace16(frame, l4 + ICMP.identifier, identifierOf(ports));
      adjustAt(frame, l4 + ICMP.checksum, family.isIpv4 ? delta : addressDelta + delta);
      return;
    }
    case CLASS.sctp:
      rewriteSctp(frame, l4, burst.length[i] - l4, ports);
  }
}

function rewritePorts(frame: Uint8Array, l4: number, ports: number): number {
  const delta = delta32(read32(frame, l4), ports);
  write32(frame, l4, ports);
  return delta;
}

// CRC is linear: its change is the CRC of what has changed, without initial value and inversion.
function rewriteSctp(frame: Uint8Array, l4: number, length: number, ports: number): void {
  const changed = read32(frame, l4) ^ ports;
  if (changed === 0) return;
  write32(frame, l4, ports);
  const crc = crc32cZeroes(crc32cWord(0, changed), length - 4);
  write32(frame, l4 + SCTP.checksum, read32(frame, l4 + SCTP.checksum) ^ swap32(crc));
}
