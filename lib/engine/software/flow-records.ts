// SPDX-License-Identifier: Apache-2.0
import { FLOW_STATES, type FlowRecord } from '../engine.js';
import { toMapped } from './config/mapped-address.js';
import type { FlowTable } from './table/flow-table.js';

/** At most `limit` connections that have not expired. @param now - seconds */
export function flowRecords(flows: FlowTable, limit: number, now: number): FlowRecord[] {
  const records: FlowRecord[] = [];
  for (let pair = 0; pair < flows.capacity && records.length < limit; pair++) {
    if (!flows.live[pair] || flows.expired(pair, now)) continue;
    const forward = pair * 2;
    const reply = forward + 1;
    records.push({
      protocol: flows.protocol[forward],
      client: toMapped(flows.source[forward]),
      clientPort: flows.ports[forward] >>> 16,
      service: toMapped(flows.destination[forward]),
      servicePort: flows.ports[forward] & 0xffff,
      backend: toMapped(flows.source[reply]),
      backendPort: flows.ports[reply] >>> 16,
      backendSlot: flows.backendSlot[pair],
      state: FLOW_STATES[flows.state(pair)],
      idle: Math.max(0, flows.idle(pair, now)),
      packets: flows.packets[forward],
      bytes: flows.bytes[forward],
      replyPackets: flows.packets[reply],
      replyBytes: flows.bytes[reply],
    });
  }
  return records;
}
