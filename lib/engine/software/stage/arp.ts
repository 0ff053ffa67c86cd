// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS, isSame, readIpv4 } from '../base/address.js';
import { copyMac, read16, write16, write32 } from '../base/byte-order.js';
import { type Burst, LANE, PASSED } from '../packet/burst.js';
import { ARP, ETH, ETHERTYPE } from '../packet/headers.js';
import type { Context, Station } from './context.js';

const REQUEST = 1;
const REPLY = 2;

const sender = new Int32Array(ADDRESS_WORDS);
const target = new Int32Array(ADDRESS_WORDS);

/** Learns from ARP packets and answers requests for our addresses. */
export function arp(burst: Burst, context: Context): void {
  for (let i = 0; i < burst.count; i++) {
    if (burst.lane[i] !== LANE.arp) continue;
    const slot = burst.ingress[i];
    const frame = burst.frame[i];
    const reason = judgeArp(frame, slot, context);
    if (reason !== DROP.malformed_arp && reason !== DROP.source_spoofed)
      learn(frame, slot, context);
    if (reason !== PASSED) {
      context.drop(burst, i, reason);
      continue;
    }
    reply(frame, context.stations[slot] as Station);
    burst.length[i] = ARP.frameLength;
    burst.egress[i] = slot;
    burst.lane[i] = LANE.answer;
  }
}

/** @returns `PASSED`: it is to be answered; else one of `DROP` */
export function judgeArp(frame: Uint8Array, slot: number, { program }: Context): number {
  if (!isWellFormed(frame)) return DROP.malformed_arp;
  readIpv4(frame, ARP.senderAddress, sender, 0);
  readIpv4(frame, ARP.targetAddress, target, 0);
  if (sender[3] !== 0 && !program.sources.allows(slot, sender, 0)) return DROP.source_spoofed;
  const isForUs = program.addresses.isOf(slot, target, 0);
  const isRequest = read16(frame, ARP.operation) === REQUEST;
  if (isForUs && isRequest) return PASSED;
  return isForUs || isSame(sender, 0, target, 0) ? DROP.arp_absorbed : DROP.arp_not_for_us;
}

function isWellFormed(frame: Uint8Array): boolean {
  if (frame.length < ARP.frameLength) return false;
  const operation = read16(frame, ARP.operation);
  return (
    read16(frame, ARP.hardwareType) === 1 &&
    read16(frame, ARP.protocolType) === ETHERTYPE.ipv4 &&
    frame[ARP.hardwareLength] === 6 &&
    frame[ARP.protocolLength] === 4 &&
    (operation === REQUEST || operation === REPLY) &&
    isStationMac(frame, ARP.senderMac)
  );
}

/** Whether a MAC can be that of one station: it is neither zero nor a group address. */
export function isStationMac(bytes: Uint8Array, at: number): boolean {
  let any = 0;
  for (let i = 0; i < 6; i++) any |= bytes[at + i];
  return any !== 0 && (bytes[at] & 1) === 0;
}

// `judgeArp` has read the addresses.
function learn(frame: Uint8Array, slot: number, context: Context): void {
  const { addresses } = context.program;
  if (sender[3] === 0 || addresses.isOf(slot, sender, 0)) return;
  const isForUs = addresses.isOf(slot, target, 0);
  context.neighbours.learn(slot, sender, 0, isForUs, frame, ARP.senderMac, context.nowMs);
}

function reply(frame: Uint8Array, station: Station): void {
  copyMac(frame, ETH.destination, frame, ARP.senderMac);
  frame.set(station.mac, ETH.source);
  write16(frame, ARP.operation, REPLY);
  copyMac(frame, ARP.targetMac, frame, ARP.senderMac);
  write32(frame, ARP.targetAddress, sender[3]);
  frame.set(station.mac, ARP.senderMac);
  write32(frame, ARP.senderAddress, target[3]);
}
