// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS } from '../base/address.js';
import { copyMac } from '../base/byte-order.js';
import { adjustAt, delta16, writeIpv4Checksum } from '../base/checksum.js';
import type { Burst } from '../packet/burst.js';
import { type Family, write } from '../packet/family.js';
import { ETH, ICMP } from '../packet/headers.js';
import type { Context, Station } from './context.js';

const REPLY_TTL = 64;

/** Turns an echo request (RFC 792, RFC 4443) into its reply, in place. */
export function answerEcho(burst: Burst, i: number, family: Family, context: Context): void {
  const frame = burst.frame[i];
  const l4 = burst.l4[i];
  const at = i * ADDRESS_WORDS;
  const station = context.stations[burst.ingress[i]] as Station;
  copyMac(frame, ETH.destination, frame, ETH.source);
  frame.set(station.mac, ETH.source);

  frame[family.ttl] = REPLY_TTL;
  write(family, frame, family.source, burst.destination, at);
  write(family, frame, family.destination, burst.source, at);
  if (family.isIpv4) writeIpv4Checksum(frame, ETH.length, l4 - ETH.length);

  frame[l4 + ICMP.type] = family.echoReply;
  const delta = delta16(family.echoRequest << 8, family.echoReply << 8);
  adjustAt(frame, l4 + ICMP.checksum, delta);
  burst.egress[i] = burst.ingress[i];
}
