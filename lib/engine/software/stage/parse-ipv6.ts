// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS, isIpv4, isLinkLocal, isZero, readAddress } from '../base/address.js';
import { read16 } from '../base/byte-order.js';
import { type Burst, CLASS, LANE, PASSED } from '../packet/burst.js';
import { ExtensionWalk, isExtensionHeader } from '../packet/extension-headers.js';
import { ETH, ICMP, IPV6, ND_TYPE, PROTOCOL } from '../packet/headers.js';
import type { Context } from './context.js';
import { isForged, isSpoofed, takeFragment } from './parse-ip.js';

/** Where the first fragment tells the ports of the others. */
const WITH_L4: readonly number[] = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp, PROTOCOL.icmpv6];

const walk = new ExtensionWalk();

/** @returns `PASSED` or one of `DROP` */
export function parseIpv6(burst: Burst, i: number, isGroup: boolean, context: Context): number {
  const frame = burst.frame[i];
  const room = frame.length - ETH.length;
  if (room < IPV6.length) return DROP.malformed_ipv6;
  const total = IPV6.length + read16(frame, IPV6.payloadLength);
  if (frame[IPV6.version] >>> 4 !== 6 || total > room) return DROP.malformed_ipv6;
  const end = ETH.length + total;
  burst.length[i] = end;
  burst.ipLength[i] = total;

  let reason = walk.run(frame, frame[IPV6.nextHeader], ETH.length + IPV6.length, end);
  if (reason === PASSED) reason = followFragment(burst, i, end);
  if (reason !== PASSED) return reason;
  burst.protocol[i] = walk.protocol;
  burst.l4[i] = walk.at;

  const isNd = isNeighbourDiscovery(frame, end);
  if (isNd) burst.class[i] = CLASS.nd;
  else if (isGroup) return DROP.l2_broadcast;
  const at = i * ADDRESS_WORDS;
  readAddress(frame, IPV6.source, burst.source, at);
  readAddress(frame, IPV6.destination, burst.destination, at);
  if (isMartian(burst.source, at, isNd) || isForged(burst, i, context)) {
    return DROP.martian_source;
  }
  if (!(isNd && isOfLink(burst.source, at)) && isSpoofed(burst, i, context))
    return DROP.source_spoofed;
  return !isNd && isMartian(burst.destination, at, isNd) ? DROP.martian_destination : PASSED;
}

function isMartian(words: Int32Array, at: number, isNd: boolean): boolean {
  return (
    isLoopback(words, at) ||
    words[at] >>> 24 === 0xff ||
    isIpv4(words, at) ||
    (!isNd && isOfLink(words, at))
  );
}

// Who speaks of the link may do so without an address, or with one of the link.
function isOfLink(words: Int32Array, at: number): boolean {
  return isZero(words, at) || isLinkLocal(words, at);
}

function isLoopback(words: Int32Array, at: number): boolean {
  return (words[at] | words[at + 1] | words[at + 2]) === 0 && words[at + 3] === 1;
}

function followFragment(burst: Burst, i: number, end: number): number {
  const { offset, more } = walk;
  // A fragment header on a whole packet (RFC 6946) makes no fragment.
  if (offset === 0 && !more) return PASSED;
  const protocol = walk.fragmentProtocol;
  if (WITH_L4.includes(protocol) || isExtensionHeader(protocol)) burst.lane[i] = LANE.fragment;
  return takeFragment(burst, i, walk.identification, offset, end - walk.dataAt, more);
}

function isNeighbourDiscovery(frame: Uint8Array, end: number): boolean {
  if (walk.hasFragmentHeader || walk.protocol !== PROTOCOL.icmpv6 || walk.at >= end) return false;
  const type = frame[walk.at + ICMP.type];
  return type >= ND_TYPE.first && type <= ND_TYPE.last;
}
