// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS } from '../base/address.js';
import { WORKER } from '../base/counters.js';
import { type Burst, CLASS, FRAGMENT, LANE, PASSED } from '../packet/burst.js';
import type { Family } from '../packet/family.js';
import { TCP_FLAG } from '../packet/headers.js';
import { STATE } from '../table/flow-state.js';
import { type FlowTable, NO_BACKEND, NO_FLOW } from '../table/flow-table.js';
import type { Context } from './context.js';
import { refuse } from './reject.js';
import { findRelated } from './related.js';

/** What a look-up in the flow table comes to. */
export const FOUND = {
  miss: 0,
  hit: 1,
  /** The backend has been flushed, and the packet may not begin anew. */
  flushed: 2,
  /** The policy says no to the pair. */
  refused: 3,
  // Misses that remove the pair.
  expired: 4,
  cleared: 5,
  /** A new connection on an old tuple. */
  reopened: 6,
} as const;

/** Looks packets up in the flow table: a hit goes to `route`, a miss to `service`. */
export function flow(burst: Burst, family: Family, context: Context): void {
  for (let i = 0; i < burst.count; i++) {
    if (!burst.isIn(i, LANE.flow, family)) continue;
    if (burst.class[i] === CLASS.icmpError) relate(burst, i, family, context);
    else if (!follow(burst, i, family, context)) burst.lane[i] = LANE.service;
  }
}

/**
 * Looks one packet up. Where it belongs to a connection it is counted there and goes on to `route`,
 * or is dropped.
 * @returns `false`: a miss
 */
export function follow(burst: Burst, i: number, family: Family, context: Context): boolean {
  const flows = context.flowsOf(family);
  const entry = findEntry(burst, i, family, context);
  const pair = entry >> 1;
  switch (judgeEntry(burst, i, entry, family, context)) {
    case FOUND.hit:
      flows.touch(entry, context.nowSeconds, burst.ipLength[i], burst.tcpFlags[i]);
      burst.entry[i] = entry;
      burst.lane[i] = LANE.route;
      return true;
    case FOUND.flushed:
      flows.remove(pair, WORKER.flowsCleared);
      refuse(burst, i, DROP.backend_flushed, context);
      return true;
    case FOUND.refused:
      context.drop(burst, i, context.policy.recall(flows, pair));
      return true;
    case FOUND.expired:
      flows.remove(pair, WORKER.flowsExpired);
      return false;
    case FOUND.cleared:
      flows.remove(pair, WORKER.flowsCleared);
      return false;
    case FOUND.reopened:
      flows.remove(pair, null);
      return false;
    default:
      return false;
  }
}

/** @returns the entry of a packet's five-tuple, or `NO_FLOW` */
export function findEntry(burst: Burst, i: number, family: Family, context: Context): number {
  const at = i * ADDRESS_WORDS;
  return context
    .flowsOf(family)
    .find(
      burst.source,
      at,
      burst.destination,
      at,
      burst.ports[i],
      burst.protocol[i],
      burst.hash[i],
    );
}

/**
 * Decides what is to become of a packet and the pair of its entry, and changes neither.
 * @returns one of {@link FOUND}
 */
export function judgeEntry(
  burst: Burst,
  i: number,
  entry: number,
  family: Family,
  context: Context,
): number {
  if (entry === NO_FLOW) return FOUND.miss;
  const flows = context.flowsOf(family);
  const pair = entry >> 1;
  if (flows.expired(pair, context.nowSeconds)) return FOUND.expired;
  const isForward = (entry & 1) === 0;
  const lost = judgeBackend(burst, i, pair, isForward, flows, context);
  if (lost !== FOUND.hit) return lost;
  if (isForward && opens(burst, i)) {
    const state = flows.state(pair);
    if (state === STATE.closed || state === STATE.timeWait) return FOUND.reopened;
  }
  return context.policy.recall(flows, pair) === PASSED ? FOUND.hit : FOUND.refused;
}

/** @returns `FOUND.hit` where the pair's backend has nothing against it */
function judgeBackend(
  burst: Burst,
  i: number,
  pair: number,
  isForward: boolean,
  flows: FlowTable,
  context: Context,
): number {
  const { backends } = context.program;
  const backend = flows.backend[pair];
  if (backend === NO_BACKEND) return FOUND.hit;
  const isThere = backends.isThere(backend, flows.serial[pair]);
  if (isThere && backends.flushed[backend] === 0) return FOUND.hit;
  if (isForward && mayBegin(burst, i)) return FOUND.cleared;
  // Another backend may know what came to this one as it comes to all of them.
  const isWhole = burst.fragment[i] !== FRAGMENT.later;
  if (isForward && !isThere && isWhole && flows.isOneWay(pair)) return FOUND.cleared;
  // An established connection keeps its endpoint until it ends.
  if (!isThere) return FOUND.hit;
  burst.rejected[i] = isForward ? 1 : 0;
  return FOUND.flushed;
}

/** Whether a packet says that it opens a connection: TCP or SCTP, SYN and no ACK. */
export function opens(burst: Burst, i: number): boolean {
  return (burst.tcpFlags[i] & (TCP_FLAG.syn | TCP_FLAG.ack)) === TCP_FLAG.syn;
}

/** Whether a packet could be the first of a connection to a backend. */
function mayBegin(burst: Burst, i: number): boolean {
  if (burst.fragment[i] === FRAGMENT.later) return false;
  const kind = burst.class[i];
  return kind === CLASS.udp || kind === CLASS.echo || opens(burst, i);
}

function relate(burst: Burst, i: number, family: Family, context: Context): void {
  const entry = findRelated(burst, i, family, context);
  burst.lane[i] = entry === NO_FLOW ? LANE.service : LANE.route;
  if (entry === NO_FLOW) return;
  burst.entry[i] = entry;
  context.counters.add(WORKER.related, 1);
}
