// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS, isSame, isZero, readAddress } from '../base/address.js';
import { read16, read32 } from '../base/byte-order.js';
import { fold, sum } from '../base/checksum.js';
import { type Burst, LANE, PASSED } from '../packet/burst.js';
import { IPV6_FAMILY, pseudoSum } from '../packet/family.js';
import { ETH, ICMP, IPV6, ND_TYPE, PROTOCOL } from '../packet/headers.js';
import {
  advertisement,
  linkLocalOf,
  ND,
  ND_OPTION,
  ND_OPTION_UNIT,
} from '../packet/neighbour-discovery.js';
import { isStationMac } from './arp.js';
import type { Context, Station } from './context.js';

const HOP_LIMIT = 255;
const L4 = ETH.length + IPV6.length;
const NO_OPTION = -1;

const target = new Int32Array(ADDRESS_WORDS);

/** Learns from neighbour discovery and answers solicitations for our addresses. */
export function nd(burst: Burst, context: Context): void {
  for (let i = 0; i < burst.count; i++) {
    if (burst.lane[i] !== LANE.nd) continue;
    const reason = judgeNd(burst, i, context);
    if (reason !== DROP.malformed_nd) learn(burst, i, context);
    if (reason === PASSED) answer(burst, i, context);
    else context.drop(burst, i, reason);
  }
}

/** @returns `PASSED`: it is to be answered; else one of `DROP` */
export function judgeNd(burst: Burst, i: number, context: Context): number {
  if (!isSound(burst, i)) return DROP.malformed_nd;
  const slot = burst.ingress[i];
  const type = burst.frame[i][L4 + ICMP.type];
  if (!hasTarget(type)) return DROP.nd_not_for_us;
  if (!isWellFormed(burst, i, type)) return DROP.malformed_nd;
  readAddress(burst.frame[i], L4 + ND.target, target, 0);
  if (type === ND_TYPE.solicitation) {
    return isOurs(context, slot, target, 0) ? PASSED : DROP.nd_not_for_us;
  }
  const isKnown = context.neighbours.find(slot, target, 0) !== undefined;
  return isKnown ? DROP.nd_absorbed : DROP.nd_not_for_us;
}

function hasTarget(type: number): boolean {
  return type === ND_TYPE.solicitation || type === ND_TYPE.advertisement;
}

function isSound(burst: Burst, i: number): boolean {
  const frame = burst.frame[i];
  const length = burst.length[i] - L4;
  return (
    burst.l4[i] === L4 &&
    frame[IPV6.hopLimit] === HOP_LIMIT &&
    frame[L4 + ICMP.code] === 0 &&
    fold(pseudoSum(IPV6_FAMILY, frame, PROTOCOL.icmpv6, length) + sum(frame, L4, length)) === 0xffff
  );
}

function isWellFormed(burst: Burst, i: number, type: number): boolean {
  const frame = burst.frame[i];
  const end = burst.length[i];
  if (end - L4 < ND.options || frame[L4 + ND.target] === 0xff) return false;
  const wanted = optionOf(type);
  for (let at = L4 + ND.options; at < end; ) {
    if (at + 2 > end) return false;
    const length = frame[at + 1] * ND_OPTION_UNIT;
    if (length === 0 || at + length > end) return false;
    const isWanted = frame[at] === wanted;
    if (isWanted && (length !== ND_OPTION_UNIT || !isStationMac(frame, at + 2))) return false;
    at += length;
  }
  if (type !== ND_TYPE.solicitation || !isZero(burst.source, i * ADDRESS_WORDS)) return true;
  return isSolicitedNode(frame) && linkAddressAt(burst, i) === NO_OPTION;
}

function optionOf(type: number): number {
  return type === ND_TYPE.solicitation ? ND_OPTION.sourceMac : ND_OPTION.targetMac;
}

// ff02::1:ff00:0/104
function isSolicitedNode(frame: Uint8Array): boolean {
  const at = IPV6.destination;
  return (
    read32(frame, at) === (0xff020000 | 0) &&
    read32(frame, at + 4) === 0 &&
    read32(frame, at + 8) === 1 &&
    read16(frame, at + 12) >>> 8 === 0xff
  );
}

// Offset of the MAC in the first link-layer address option. The options are well-formed.
function linkAddressAt(burst: Burst, i: number): number {
  const frame = burst.frame[i];
  const wanted = optionOf(frame[L4 + ICMP.type]);
  for (let at = L4 + ND.options; at < burst.length[i]; at += frame[at + 1] * ND_OPTION_UNIT) {
    if (frame[at] === wanted) return at + 2;
  }
  return NO_OPTION;
}

/** Whether an address is one of an interface's, or the link-local one that its MAC makes. */
function isOurs(context: Context, slot: number, words: Int32Array, at: number): boolean {
  return (
    context.program.addresses.isOf(slot, words, at) ||
    isSame(linkLocalOf((context.stations[slot] as Station).mac), 0, words, at)
  );
}

// `judgeNd` has read the target, where there is one.
function learn(burst: Burst, i: number, context: Context): void {
  const frame = burst.frame[i];
  const type = frame[L4 + ICMP.type];
  if (!hasTarget(type)) return;
  const mac = linkAddressAt(burst, i);
  if (mac === NO_OPTION) return;
  const slot = burst.ingress[i];
  const { neighbours, nowMs } = context;
  if (type === ND_TYPE.advertisement) {
    neighbours.learn(slot, target, 0, false, frame, mac, nowMs);
    return;
  }
  const at = i * ADDRESS_WORDS;
  if (isZero(burst.source, at) || isOurs(context, slot, burst.source, at)) return;
  neighbours.learn(slot, burst.source, at, isOurs(context, slot, target, 0), frame, mac, nowMs);
}

function answer(burst: Burst, i: number, context: Context): void {
  const slot = burst.ingress[i];
  const frame = burst.frame[i];
  const at = i * ADDRESS_WORDS;
  const option = linkAddressAt(burst, i);
  const asker = {
    address: burst.source.subarray(at, at + ADDRESS_WORDS),
    mac: frame.subarray(option === NO_OPTION ? ETH.source : option),
  };
  const { mac } = context.stations[slot] as Station;
  const reply = advertisement(mac, target, isZero(asker.address) ? null : asker);
  burst.frame[i] = reply;
  burst.length[i] = reply.length;
  burst.egress[i] = slot;
  burst.lane[i] = LANE.answer;
}
