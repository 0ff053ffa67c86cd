// SPDX-License-Identifier: Apache-2.0
import { WORKER } from './base/counters.js';
import type { Burst } from './packet/burst.js';
import { arp } from './stage/arp.js';
import type { Context, Station } from './stage/context.js';
import { flow } from './stage/flow.js';
import { nat } from './stage/nat.js';
import { neighbour, walkHeld } from './stage/neighbour.js';
import { parse } from './stage/parse.js';
import { rewrite } from './stage/rewrite.js';
import { route } from './stage/route.js';
import { service } from './stage/service.js';
import { tx } from './stage/tx.js';

/** An interface that frames can be taken from. */
export interface Source extends Station {
  /** Takes up to 64 frames into `burst`; returns how many. */
  receive(burst: Burst): number;
}

/** The packet path: docs/packet-path.md. A stage is done with the whole burst before the next begins. */
export function runBurst(burst: Burst, context: Context): void {
  parse(burst, context);
  arp(burst, context);
  flow(burst, context);
  service(burst, context);
  nat(burst, context);
  rewrite(burst, context);
  route(burst, context);
  neighbour(burst, context);
  tx(burst, context);
}

/** One poll at the context's time. @returns whether anything was received */
export function poll(burst: Burst, sources: readonly (Source | null)[], context: Context): boolean {
  const { counters, flows } = context;
  let received = 0;
  flows.reclaim();
  for (let slot = 0; slot < sources.length; slot++) {
    const source = sources[slot];
    if (source === null) continue;
    burst.count = source.receive(burst);
    if (burst.count === 0) continue;
    burst.ingress = slot;
    for (let i = 0; i < burst.count; i++) counters.received(slot, burst.frame[i].length);
    counters.add(WORKER.rx, burst.count);
    received += burst.count;
    runBurst(burst, context);
  }
  walkHeld(context);
  counters.add(WORKER.flowsExpired, flows.sweep(context.nowSeconds));
  counters.add(WORKER.polls, 1);
  if (received > 0) counters.add(WORKER.busyPolls, 1);
  return received > 0;
}
