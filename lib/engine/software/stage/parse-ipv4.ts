// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS, readIpv4 } from '../base/address.js';
import { read16 } from '../base/byte-order.js';
import { fold, sum } from '../base/checksum.js';
import { type Burst, LANE, PASSED } from '../packet/burst.js';
import { ETH, IPV4, IPV4_FRAGMENT, PROTOCOL } from '../packet/headers.js';
import type { Context } from './context.js';
import { isForged, isSpoofed, takeFragment } from './parse-ip.js';

/** Where the first fragment tells the ports of the others. */
const WITH_L4: readonly number[] = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp, PROTOCOL.icmp];

/** @returns `PASSED` or one of `DROP` */
export function parseIpv4(burst: Burst, i: number, context: Context): number {
  const frame = burst.frame[i];
  const room = frame.length - ETH.length;
  if (room < IPV4.minimumLength) return DROP.malformed_ipv4;
  const first = frame[IPV4.versionAndLength];
  const header = (first & 0x0f) * 4;
  const total = read16(frame, IPV4.totalLength);
  if (
    first >>> 4 !== 4 ||
    header < IPV4.minimumLength ||
    total < header ||
    header > room ||
    total > room
  ) {
    return DROP.malformed_ipv4;
  }
  burst.length[i] = ETH.length + total;
  if (fold(sum(frame, ETH.length, header)) !== 0xffff) return DROP.bad_ipv4_checksum;

  const at = i * ADDRESS_WORDS;
  readIpv4(frame, IPV4.source, burst.source, at);
  readIpv4(frame, IPV4.destination, burst.destination, at);
  if (isMartian(burst.source[at + 3]) || isForged(burst, i, context)) return DROP.martian_source;
  if (isSpoofed(burst, i, context)) return DROP.source_spoofed;
  if (isMartian(burst.destination[at + 3])) return DROP.martian_destination;
  burst.protocol[i] = frame[IPV4.protocol];
  burst.l4[i] = ETH.length + header;
  burst.ipLength[i] = total;
  return followFragment(burst, i, total - header);
}

// This network, loopback; multicast, reserved and broadcast.
function isMartian(address: number): boolean {
  const first = address >>> 24;
  return first === 0 || first === 127 || first >= 224;
}

function followFragment(burst: Burst, i: number, length: number): number {
  const frame = burst.frame[i];
  const bits = read16(frame, IPV4.fragment);
  const offset = (bits & IPV4_FRAGMENT.offsetMask) * 8;
  const more = (bits & IPV4_FRAGMENT.more) !== 0;
  if (offset === 0 && !more) return PASSED;
  if (WITH_L4.includes(burst.protocol[i])) burst.lane[i] = LANE.fragment;
  return takeFragment(burst, i, read16(frame, IPV4.identification), offset, length, more);
}
