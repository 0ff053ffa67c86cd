// SPDX-License-Identifier: Apache-2.0
import { read16, write16, write32 } from '../base/byte-order.js';
import { adjust, adjustAt, delta16, delta32 } from '../base/checksum.js';
import { type Burst, LANE } from '../packet/burst.js';
import { IPV4, PROTOCOL, TCP, UDP } from '../packet/headers.js';
import type { Context } from './context.js';

/**
 * DNAT towards the backend, un-DNAT on the way back. The tuple that a direction is rewritten to
 * stands in the entry of the other one, the other way round.
 */
export function rewrite(burst: Burst, { flows }: Context): void {
  for (let i = 0; i < burst.count; i++) {
    if (burst.lane[i] !== LANE.rewrite) continue;
    const entry = burst.entry[i];
    const frame = burst.frame[i];
    const l4 = burst.l4[i];
    const isForward = (entry & 1) === 0;
    let addressDelta: number;
    let portDelta: number;
    if (isForward) {
      const address = flows.source[entry + 1];
      const port = flows.ports[entry + 1] >>> 16;
      addressDelta = delta32(burst.destination[i], address);
      portDelta = delta16(burst.ports[i] & 0xffff, port);
      write32(frame, IPV4.destination, address);
      write16(frame, l4 + 2, port);
      burst.destination[i] = address;
    } else {
      const address = flows.destination[entry - 1];
      const port = flows.ports[entry - 1] & 0xffff;
      addressDelta = delta32(burst.source[i], address);
      portDelta = delta16(burst.ports[i] >>> 16, port);
      write32(frame, IPV4.source, address);
      write16(frame, l4, port);
      burst.source[i] = address;
    }
    adjustAt(frame, IPV4.checksum, addressDelta);
    if (burst.protocol[i] === PROTOCOL.tcp) {
      adjustAt(frame, l4 + TCP.checksum, addressDelta + portDelta);
    } else {
      adjustUdp(frame, l4 + UDP.checksum, addressDelta + portDelta);
    }
    burst.lane[i] = LANE.route;
  }
}

/** Zero says "no checksum" in UDP (RFC 768): it stays, and none may come out as it. */
function adjustUdp(frame: Uint8Array, at: number, delta: number): void {
  const checksum = read16(frame, at);
  if (checksum === 0) return;
  write16(frame, at, adjust(checksum, delta) || 0xffff);
}
