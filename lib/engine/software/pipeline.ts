// SPDX-License-Identifier: Apache-2.0
import { WORKER } from './base/counters.js';
import type { Burst } from './packet/burst.js';
import { FAMILIES } from './packet/family.js';
import { arp } from './stage/arp.js';
import type { Context, Station } from './stage/context.js';
import { flow } from './stage/flow.js';
import { fragment, refill } from './stage/fragment.js';
import { nat } from './stage/nat.js';
import { nd } from './stage/nd.js';
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
  nd(burst, context);
  fragment(burst, context);
  runFromFlow(burst, context);
  while (context.released.length > 0) {
    refill(burst, context);
    runFromFlow(burst, context);
  }
}

function runFromFlow(burst: Burst, context: Context): void {
  for (const family of FAMILIES) {
    if (!burst.hasAnyOf(family)) continue;
    flow(burst, family, context);
    service(burst, family, context);
    nat(burst, family, context);
    route(burst, family, context);
    rewrite(burst, family, context);
    neighbour(burst, family, context);
  }
  tx(burst, context);
}

/** One poll at the context's time. @returns whether anything was received */
export function poll(burst: Burst, sources: readonly (Source | null)[], context: Context): boolean {
  const { counters } = context;
  let received = 0;
  for (const flows of context.flows) flows.reclaim();
  for (let slot = 0; slot < sources.length; slot++) {
    const source = sources[slot];
    if (source === null) continue;
    burst.count = source.receive(burst);
    if (burst.count === 0) continue;
    for (let i = 0; i < burst.count; i++) {
      burst.ingress[i] = slot;
      counters.received(slot, burst.frame[i].length);
    }
    counters.add(WORKER.rx, burst.count);
    received += burst.count;
    runBurst(burst, context);
  }
  keepHouse(context);
  counters.add(WORKER.polls, 1);
  if (received > 0) counters.add(WORKER.busyPolls, 1);
  return received > 0;
}

function keepHouse(context: Context): void {
  const { nowSeconds, program } = context;
  walkHeld(context);
  context.fragments.expire(nowSeconds);
  context.showWaiting();
  if (context.nowMs === context.sweptMs) return;
  context.sweptMs = context.nowMs;
  for (const flows of context.flows) flows.sweep(nowSeconds, program.backends);
  context.affinities.sweep(nowSeconds);
}
