// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { isMac, read16 } from '../base/byte-order.js';
import { type Burst, CLASS, FRAGMENT, LANE, PASSED } from '../packet/burst.js';
import { FAMILIES } from '../packet/family.js';
import { ETH, ETHERTYPE } from '../packet/headers.js';
import type { Context, Station } from './context.js';
import { finishChecksum } from './finish-checksums.js';
import { parseIpv4 } from './parse-ipv4.js';
import { parseIpv6 } from './parse-ipv6.js';
import { parseL4 } from './parse-l4.js';

/** Checks every packet and notes what the later stages need of it. */
export function parse(burst: Burst, context: Context): void {
  for (let i = 0; i < burst.count; i++) {
    const reason = parsePacket(burst, i, context);
    if (reason !== PASSED) context.drop(burst, i, reason);
  }
}

/**
 * Looks at one packet, and says in which lane it goes on. Finishes its checksum where that was left to us.
 * @returns `PASSED` or one of `DROP`
 */
export function parsePacket(burst: Burst, i: number, context: Context): number {
  const frame = burst.frame[i];
  const station = context.stations[burst.ingress[i]] as Station;
  burst.length[i] = frame.length;
  burst.fragment[i] = FRAGMENT.none;
  burst.class[i] = CLASS.other;
  burst.rejected[i] = 0;
  burst.hash[i] = 0;
  burst.frontend[i] = null;
  if (frame.length < ETH.length) return DROP.malformed_ethernet;
  const type = read16(frame, ETH.type);
  const isGroup = (frame[ETH.destination] & 1) !== 0;
  if (type !== ETHERTYPE.arp && type !== ETHERTYPE.ipv4 && type !== ETHERTYPE.ipv6) {
    return DROP.unsupported_ethertype;
  }
  if (!isGroup && !isMac(frame, ETH.destination, station.mac)) return DROP.mac_not_ours;
  if (type === ETHERTYPE.arp) {
    burst.lane[i] = LANE.arp;
    return PASSED;
  }
  const reason = parseIp(burst, i, type === ETHERTYPE.ipv4, isGroup, context);
  if (reason === PASSED && station.unfinishedChecksums) finishChecksum(burst, i);
  return reason;
}

function parseIp(
  burst: Burst,
  i: number,
  isIpv4: boolean,
  isGroup: boolean,
  context: Context,
): number {
  if (isIpv4 && isGroup) return DROP.l2_broadcast;
  const family = FAMILIES[isIpv4 ? 0 : 1];
  burst.family[i] = family.index;
  // `parseIpv4` and `parseIpv6` leave the packet in the lane of a fragment that is to be followed.
  burst.lane[i] = LANE.service;
  const reason = isIpv4 ? parseIpv4(burst, i, context) : parseIpv6(burst, i, isGroup, context);
  return reason === PASSED ? parseL4(burst, i, family) : reason;
}
