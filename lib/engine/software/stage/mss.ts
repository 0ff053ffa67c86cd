// SPDX-License-Identifier: Apache-2.0
import { read16, write16 } from '../base/byte-order.js';
import { adjustAt, delta16 } from '../base/checksum.js';
import { type Burst, CLASS, LANE } from '../packet/burst.js';
import type { Family } from '../packet/family.js';
import { TCP, TCP_FLAG } from '../packet/headers.js';
import { NO_FLOW } from '../table/flow-table.js';
import type { Context } from './context.js';

const OPTION = { end: 0, nothing: 1, mss: 2 } as const;
const MSS_LENGTH = 4;

/** Lowers the maximum segment size that a SYN announces to what fits the tunnels on its way. */
export function clampMss(burst: Burst, family: Family, context: Context): void {
  for (let i = 0; i < burst.count; i++) {
    if (!burst.isIn(i, LANE.neighbour, family) || burst.class[i] !== CLASS.tcp) continue;
    if ((burst.tcpFlags[i] & TCP_FLAG.syn) === 0) continue;
    const mtu = smallestMtu(burst, i, family, context);
    if (mtu === Number.POSITIVE_INFINITY) continue;
    clamp(burst.frame[i], burst.l4[i], mtu - family.headerLength - TCP.minimumLength);
  }
}

/** Of the tunnels that the connection's packets go through. */
function smallestMtu(burst: Burst, i: number, family: Family, context: Context): number {
  const { stations, tunnels } = context;
  let mtu = Number.POSITIVE_INFINITY;
  for (const slot of [burst.ingress[i], burst.egress[i]]) {
    const tunnel = stations[slot]?.tunnel ?? null;
    if (tunnel !== null) mtu = Math.min(mtu, tunnel.mtu);
  }
  const entry = burst.entry[i];
  const isMarked = entry !== NO_FLOW && context.flowsOf(family).cameByTunnel[entry >> 1] === 1;
  return isMarked ? Math.min(mtu, tunnels.smallestMtu) : mtu;
}

/** @param tcp - offset of the TCP header, which is whole */
function clamp(frame: Uint8Array, tcp: number, most: number): void {
  const at = findMss(frame, tcp);
  if (at === 0 || read16(frame, at) <= most) return;
  // The words that the checksum sums: one, or two that the value has half of each.
  const isOdd = ((at - tcp) & 1) === 1;
  const first = isOdd ? at - 1 : at;
  const before = read16(frame, first);
  const second = isOdd ? read16(frame, first + 2) : 0;
  write16(frame, at, most);
  let delta = delta16(before, read16(frame, first));
  if (isOdd) delta += delta16(second, read16(frame, first + 2));
  adjustAt(frame, tcp + TCP.checksum, delta);
}

/** Offset of the option's value; 0: there is none. RFC 9293, 3.2. */
function findMss(frame: Uint8Array, tcp: number): number {
  const end = tcp + (frame[tcp + TCP.dataOffset] >>> 4) * 4;
  for (let at = tcp + TCP.minimumLength; at < end; ) {
    const kind = frame[at];
    if (kind === OPTION.end) return 0;
    if (kind === OPTION.nothing) {
      at++;
      continue;
    }
    if (end - at < 2 || frame[at + 1] < 2 || frame[at + 1] > end - at) return 0;
    if (kind === OPTION.mss) return frame[at + 1] === MSS_LENGTH ? at + 2 : 0;
    at += frame[at + 1];
  }
  return 0;
}
