// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { copyMac, read16, read32, write16, write32 } from '../base/byte-order.js';
import { WORKER } from '../base/counters.js';
import { type Burst, LANE } from '../packet/burst.js';
import { ARP, ETH, ETHERTYPE } from '../packet/headers.js';
import { networkOf } from '../table/routes.js';
import type { Context, Station } from './context.js';

const REQUEST = 1;
const REPLY = 2;

/** Learns from ARP packets and answers requests for our addresses. */
export function arp(burst: Burst, context: Context): void {
  const station = context.stations[burst.ingress] as Station;
  for (let i = 0; i < burst.count; i++) {
    if (burst.lane[i] !== LANE.arp) continue;
    const frame = burst.frame[i];
    if (!isWellFormed(frame)) {
      context.drop(burst, i, DROP.malformed_arp);
      continue;
    }
    const sender = read32(frame, ARP.senderAddress);
    const target = read32(frame, ARP.targetAddress);
    const forUs = context.program.hasAddress(burst.ingress, target);
    learn(context, burst.ingress, frame, sender, forUs);

    const operation = read16(frame, ARP.operation);
    if (operation === REQUEST && forUs) {
      reply(frame, station, sender, target);
      burst.length[i] = ARP.frameLength;
      burst.egress[i] = burst.ingress;
      burst.lane[i] = LANE.answer;
    } else if ((operation === REPLY && forUs) || sender === target) {
      context.drop(burst, i, DROP.arp_absorbed);
    } else {
      context.drop(burst, i, DROP.arp_not_for_us);
    }
  }
}

/** Makes an ARP request; it is sent behind the burst under way. */
export function request(context: Context, slot: number, target: number): void {
  const { mac } = context.stations[slot] as Station;
  const frame = new Uint8Array(ARP.frameLength);
  frame.fill(0xff, ETH.destination, ETH.source);
  frame.set(mac, ETH.source);
  write16(frame, ETH.type, ETHERTYPE.arp);
  write16(frame, ARP.hardwareType, 1);
  write16(frame, ARP.protocolType, ETHERTYPE.ipv4);
  frame[ARP.hardwareLength] = 6;
  frame[ARP.protocolLength] = 4;
  write16(frame, ARP.operation, REQUEST);
  frame.set(mac, ARP.senderMac);
  write32(frame, ARP.senderAddress, senderAddress(context, slot, target));
  write32(frame, ARP.targetAddress, target);
  context.requests.push({ frame, egress: slot });
  context.counters.add(WORKER.originated, 1);
}

function isWellFormed(frame: Uint8Array): boolean {
  if (frame.length < ARP.frameLength) return false;
  const operation = read16(frame, ARP.operation);
  let sender = 0;
  for (let i = 0; i < 6; i++) sender |= frame[ARP.senderMac + i];
  return (
    read16(frame, ARP.hardwareType) === 1 &&
    read16(frame, ARP.protocolType) === ETHERTYPE.ipv4 &&
    frame[ARP.hardwareLength] === 6 &&
    frame[ARP.protocolLength] === 4 &&
    (operation === REQUEST || operation === REPLY) &&
    sender !== 0 &&
    (frame[ARP.senderMac] & 1) === 0
  );
}

function learn(
  context: Context,
  slot: number,
  frame: Uint8Array,
  sender: number,
  forUs: boolean,
): void {
  if (sender === 0 || context.program.hasAddress(slot, sender)) return;
  const known = context.neighbours.find(slot, sender);
  const neighbour = known ?? (forUs ? context.neighbours.add(slot, sender) : null);
  neighbour?.learn(frame, ARP.senderMac, context.nowMs);
}

function reply(frame: Uint8Array, station: Station, sender: number, target: number): void {
  copyMac(frame, ETH.destination, frame, ARP.senderMac);
  frame.set(station.mac, ETH.source);
  write16(frame, ARP.operation, REPLY);
  copyMac(frame, ARP.targetMac, frame, ARP.senderMac);
  write32(frame, ARP.targetAddress, sender);
  frame.set(station.mac, ARP.senderMac);
  write32(frame, ARP.senderAddress, target);
}

function senderAddress(context: Context, slot: number, target: number): number {
  const addresses = context.program.addressesOf(slot);
  for (const { address, length } of addresses) {
    if (networkOf(address, length) === networkOf(target, length)) return address;
  }
  return addresses[0]?.address ?? 0;
}
