// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS } from '../base/address.js';
import { type Burst, CLASS, FRAGMENT, LANE, MAX_BURST, PASSED } from '../packet/burst.js';
import type { WaitingFragment } from '../table/datagrams.js';
import { HOLD } from '../table/fragments.js';
import type { Context } from './context.js';

/** Gives later fragments the ports of their first, or lets them wait for it. */
export function fragment(burst: Burst, context: Context): void {
  const { fragments, nowSeconds } = context;
  for (let i = 0; i < burst.count; i++) {
    if (burst.lane[i] !== LANE.fragment) continue;
    const verdict = fragments.take(burst, i, nowSeconds);
    if (verdict === PASSED) burst.lane[i] = laneOf(burst.class[i]);
    else if (verdict === HOLD) burst.lane[i] = LANE.done;
    else context.drop(burst, i, verdict);
  }
  context.showWaiting();
}

/** Where a packet goes that is followed no further as a fragment. @param kind - its class */
export function laneOf(kind: number): number {
  return kind === CLASS.other ? LANE.service : LANE.flow;
}

/** Fills a burst with fragments that have been set free, in the order of their coming. */
export function refill(burst: Burst, { released }: Context): void {
  const batch = released.splice(0, MAX_BURST);
  for (let i = 0; i < batch.length; i++) restore(burst, i, batch[i]);
  burst.count = batch.length;
}

function restore(burst: Burst, i: number, packet: WaitingFragment): void {
  burst.frame[i] = packet.frame;
  burst.length[i] = packet.length;
  burst.ingress[i] = packet.ingress;
  burst.family[i] = packet.family;
  burst.l4[i] = packet.l4;
  burst.ipLength[i] = packet.ipLength;
  burst.source.set(packet.source, i * ADDRESS_WORDS);
  burst.destination.set(packet.destination, i * ADDRESS_WORDS);
  burst.protocol[i] = packet.protocol;
  burst.class[i] = packet.class;
  burst.ports[i] = packet.ports;
  burst.hash[i] = packet.hash;
  burst.tcpFlags[i] = 0;
  burst.fragment[i] = FRAGMENT.later;
  burst.rejected[i] = 0;
  burst.hasFlow[i] = 0;
  burst.frontend[i] = null;
  burst.lane[i] = laneOf(packet.class);
}
