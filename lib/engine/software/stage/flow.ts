// SPDX-License-Identifier: Apache-2.0
import { type Burst, LANE } from '../packet/burst.js';
import { PROTOCOL, TCP_FLAG } from '../packet/headers.js';
import { NO_FLOW, STATE } from '../table/flow-table.js';
import type { Context } from './context.js';

/** Looks TCP and UDP packets up in the flow table: a hit goes to `rewrite`, a miss to `service`. */
export function flow(burst: Burst, context: Context): void {
  for (let i = 0; i < burst.count; i++) {
    if (burst.lane[i] !== LANE.flow) continue;
    burst.lane[i] = hit(burst, i, context) ? LANE.rewrite : LANE.service;
  }
}

/** Looks one packet up; where it belongs to a live connection it is counted there. */
export function hit(burst: Burst, i: number, context: Context): boolean {
  const { flows, nowSeconds } = context;
  const entry = flows.find(
    burst.source[i],
    burst.destination[i],
    burst.ports[i],
    burst.protocol[i],
    burst.hash[i],
  );
  if (entry === NO_FLOW) return false;
  const pair = entry >>> 1;
  if (flows.expired(pair, nowSeconds)) {
    context.expire(pair);
    return false;
  }
  if ((entry & 1) === 0 && isOver(burst, i, pair, context)) {
    flows.remove(pair);
    return false;
  }
  flows.touch(entry, nowSeconds, burst.ipLength[i], burst.tcpFlags[i]);
  burst.entry[i] = entry;
  return true;
}

/** Whether a packet from the client ends the old connection and begins a new one. */
function isOver(burst: Burst, i: number, pair: number, context: Context): boolean {
  const isTcp = burst.protocol[i] === PROTOCOL.tcp;
  const isOpening = (burst.tcpFlags[i] & (TCP_FLAG.syn | TCP_FLAG.ack)) === TCP_FLAG.syn;
  if (isTcp && !isOpening) return false;
  if (!isBackendAlive(pair, context)) return true;
  return isTcp && context.flows.state(pair) === STATE.closed;
}

function isBackendAlive(pair: number, { flows, program }: Context): boolean {
  const reply = pair * 2 + 1;
  return program.isAlive(
    flows.backendSlot[pair],
    flows.pool[pair],
    flows.source[reply],
    flows.ports[reply] >>> 16,
  );
}
