// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS, isSame } from '../base/address.js';
import { read16 } from '../base/byte-order.js';
import { adjust, adjustAt, replace16 } from '../base/checksum.js';
import { type Burst, CLASS } from '../packet/burst.js';
import { type Family, replace } from '../packet/family.js';
import { ICMP, IPV4, TCP, UDP } from '../packet/headers.js';
import { identifierOf } from '../packet/l4.js';
import { QuotedPacket } from '../packet/quoted.js';
import type { FlowTable } from '../table/flow-table.js';

const IPV4_CHECKSUM_AT = IPV4.checksum - IPV4.versionAndLength;

const quoted = new QuotedPacket();

/**
 * Translates an ICMP error of a flow: the packet that it quotes back to what its sender knows, and
 * its own addresses as those of the flow's packets that go the same way.
 */
export function rewriteError(burst: Burst, i: number, family: Family, flows: FlowTable): void {
  const frame = burst.frame[i];
  const entry = burst.entry[i];
  const other = entry ^ 1;
  const { keys } = flows;
  const newSource = flows.destinationAt(other);
  const newDestination = flows.sourceAt(other);
  quoted.read(burst, i, family);
  const inner = rewriteQuoted(frame, family, flows, other);

  const isFromBackend = isSame(keys, flows.sourceAt(entry), burst.source, i * ADDRESS_WORDS);
  let outer = replace(family, frame, family.destination, keys, newDestination);
  if (isFromBackend) outer += replace(family, frame, family.source, keys, newSource);
  if (family.isIpv4) adjustAt(frame, IPV4.checksum, outer);
  // ICMPv6 has a pseudo header.
  adjustAt(frame, burst.l4[i] + ICMP.checksum, family.isIpv4 ? inner : inner + outer);
}

/** @returns what all changes add to the `Δ` of the error's checksum */
function rewriteQuoted(frame: Uint8Array, family: Family, flows: FlowTable, other: number): number {
  const { keys } = flows;
  const { at, l4 } = quoted;
  const addresses =
    replace(family, frame, at + family.sourceInHeader, keys, flows.sourceAt(other)) +
    replace(family, frame, at + family.destinationInHeader, keys, flows.destinationAt(other));
  let delta = addresses;
  if (family.isIpv4) delta += adjustQuoted(frame, at + IPV4_CHECKSUM_AT, addresses);
  const ports = flows.ports(other);
  if (quoted.class === CLASS.echo) {
    const change = replace16(frame, l4 + ICMP.identifier, identifierOf(ports));
    const all = family.isIpv4 ? change : addresses + change;
    return delta + change + adjustQuoted(frame, l4 + ICMP.checksum, all);
  }
  const change = replace16(frame, l4, ports >>> 16) + replace16(frame, l4 + 2, ports & 0xffff);
  delta += change;
  const all = addresses + change;
  if (quoted.class === CLASS.udp) return delta + adjustQuotedUdp(frame, l4 + UDP.checksum, all);
  const hasTcpChecksum = quoted.class === CLASS.tcp && quoted.end - l4 >= TCP.checksum + 2;
  return hasTcpChecksum ? delta + adjustQuoted(frame, l4 + TCP.checksum, all) : delta;
}

/** Like `adjustAt`. @returns what the change of the checksum itself adds to the error's `Δ` */
function adjustQuoted(frame: Uint8Array, at: number, delta: number): number {
  return replace16(frame, at, adjust(read16(frame, at), delta));
}

// RFC 768: zero says that there is none.
function adjustQuotedUdp(frame: Uint8Array, at: number, delta: number): number {
  const checksum = read16(frame, at);
  return checksum === 0 ? 0 : replace16(frame, at, adjust(checksum, delta) || 0xffff);
}
