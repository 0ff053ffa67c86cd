// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { WORKER } from '../base/counters.js';
import { hashTuple } from '../base/crc32c.js';
import { type Burst, LANE } from '../packet/burst.js';
import { PROTOCOL, TCP_FLAG } from '../packet/headers.js';
import { NO_FLOW } from '../table/flow-table.js';
import { maglevSlot } from '../table/maglev.js';
import type { Pool } from '../table/service-table.js';
import type { Context } from './context.js';
import { hit } from './flow.js';

/** Makes a flow of the first packet of a connection: chooses a backend, enters both directions. */
export function nat(burst: Burst, context: Context): void {
  for (let i = 0; i < burst.count; i++) {
    if (burst.lane[i] !== LANE.nat) continue;
    // An earlier packet of this burst may have made the flow.
    const reason = hit(burst, i, context) ? null : connect(burst, i, context);
    if (reason === null) burst.lane[i] = LANE.rewrite;
    else context.drop(burst, i, reason);
  }
}

/** @returns why not, or `null` */
function connect(burst: Burst, i: number, context: Context): number | null {
  const { flows, counters } = context;
  const pool = burst.pool[i] as Pool;
  const protocol = burst.protocol[i];
  if (protocol === PROTOCOL.tcp && burst.tcpFlags[i] & (TCP_FLAG.rst | TCP_FLAG.fin)) {
    return DROP.tcp_no_flow;
  }
  if (pool.maglev.length === 0) return DROP.no_backend;

  const forwardHash = burst.hash[i];
  const backend = pool.backends[pool.maglev[maglevSlot(forwardHash, pool.maglev.length)]];
  const client = burst.source[i];
  if (backend.address === client) return DROP.hairpin;

  const clientPort = burst.ports[i] >>> 16;
  const replyPorts = ((backend.port << 16) | clientPort) >>> 0;
  const replyHash = hashTuple(backend.address, client, replyPorts, protocol);
  const owner = flows.find(backend.address, client, replyPorts, protocol, replyHash);
  if (owner !== NO_FLOW) {
    if (!flows.expired(owner >>> 1, context.nowSeconds)) {
      return DROP.flow_collision;
    }
    context.expire(owner >>> 1);
  }

  const pair = flows.insert({
    protocol,
    client,
    clientPort,
    service: burst.destination[i],
    servicePort: burst.ports[i] & 0xffff,
    backend: backend.address,
    backendPort: backend.port,
    forwardHash,
    replyHash,
    backendSlot: backend.slot,
    pool: pool.slot,
  });
  if (pair === NO_FLOW) return DROP.flow_table_full;
  flows.touch(pair * 2, context.nowSeconds, burst.ipLength[i], burst.tcpFlags[i]);
  counters.add(WORKER.flowsCreated, 1);
  counters.connection(backend.slot);
  burst.entry[i] = pair * 2;
  return null;
}
