// SPDX-License-Identifier: Apache-2.0
import { isIpv4 } from '../base/address.js';
import { write16, write32 } from '../base/byte-order.js';
import { ARP, ETH, ETHERTYPE } from '../packet/headers.js';
import { linkLocalOf, solicitation } from '../packet/neighbour-discovery.js';
import type { Neighbour } from '../table/neighbours.js';
import type { Context, Station } from './context.js';

const REQUEST = 1;

/**
 * Asks for the MAC of a neighbour, by ARP or neighbour discovery, where that is due. The request is sent
 * behind the burst under way.
 */
export function solicit(neighbour: Neighbour, context: Context): void {
  // Nobody hears it where there are no stations.
  if (context.stations[neighbour.slot]?.tunnel?.isLayer3) return;
  if (!neighbour.takeRequest(context.nowMs)) return;
  const { slot, address } = neighbour;
  const { mac } = context.stations[slot] as Station;
  const { addresses } = context.program;
  const facing = addresses.facing(slot, address, 0);
  if (isIpv4(address)) {
    const from = facing ?? addresses.first(slot, true);
    context.originate(slot, arpRequest(mac, from?.[3] ?? 0, address[3]));
  } else {
    context.originate(slot, solicitation(mac, facing ?? linkLocalOf(mac), address));
  }
}

function arpRequest(mac: Uint8Array, sender: number, target: number): Uint8Array {
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
  write32(frame, ARP.senderAddress, sender);
  write32(frame, ARP.targetAddress, target);
  return frame;
}
