// SPDX-License-Identifier: Apache-2.0
import { copyMac, write32 } from '../base/byte-order.js';
import { adjustAt, delta16, writeIpv4Checksum } from '../base/checksum.js';
import { type Burst, LANE } from '../packet/burst.js';
import { ETH, ICMP, IPV4, PROTOCOL } from '../packet/headers.js';
import type { Context, Station } from './context.js';

const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;
const REPLY_TTL = 64;

/** An ICMP echo request (RFC 792)? */
export function isEchoRequest(burst: Burst, i: number): boolean {
  const frame = burst.frame[i];
  const l4 = burst.l4[i];
  return (
    burst.protocol[i] === PROTOCOL.icmp &&
    frame[l4 + ICMP.type] === ECHO_REQUEST &&
    frame[l4 + ICMP.code] === 0
  );
}

/** Turns the request into its reply, in place. */
export function answerEcho(burst: Burst, i: number, context: Context): void {
  const frame = burst.frame[i];
  const l4 = burst.l4[i];
  const station = context.stations[burst.ingress] as Station;
  copyMac(frame, ETH.destination, frame, ETH.source);
  frame.set(station.mac, ETH.source);

  frame[IPV4.ttl] = REPLY_TTL;
  write32(frame, IPV4.source, burst.destination[i]);
  write32(frame, IPV4.destination, burst.source[i]);
  writeIpv4Checksum(frame, ETH.length, l4 - ETH.length);

  frame[l4 + ICMP.type] = ECHO_REPLY;
  adjustAt(frame, l4 + ICMP.checksum, delta16(ECHO_REQUEST << 8, ECHO_REPLY << 8));

  burst.egress[i] = burst.ingress;
  burst.lane[i] = LANE.answer;
}
