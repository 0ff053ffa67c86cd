// SPDX-License-Identifier: Apache-2.0
import { FLOW_STATES, type FlowRecord } from '../engine.js';
import { addressBytes } from './base/address.js';
import { type FlowTable, NO_BACKEND } from './table/flow-table.js';

/** At most `limit` connections that have not expired. @param now - seconds */
export function flowRecords(flows: FlowTable, limit: number, now: number): FlowRecord[] {
  const records: FlowRecord[] = [];
  for (let pair = 0; pair < flows.capacity && records.length < limit; pair++) {
    if (flows.live[pair] && !flows.expired(pair, now)) records.push(recordOf(flows, pair, now));
  }
  return records;
}

function recordOf(flows: FlowTable, pair: number, now: number): FlowRecord {
  const { keys } = flows;
  const forward = pair * 2;
  const reply = forward + 1;
  return {
    protocol: flows.protocol(forward),
    client: addressBytes(keys, flows.sourceAt(forward)),
    clientPort: flows.ports(forward) >>> 16,
    service: addressBytes(keys, flows.destinationAt(forward)),
    servicePort: flows.ports(forward) & 0xffff,
    backend: addressBytes(keys, flows.sourceAt(reply)),
    backendPort: flows.ports(reply) >>> 16,
    source: addressBytes(keys, flows.destinationAt(reply)),
    sourcePort: flows.ports(reply) & 0xffff,
    backendSlot: flows.backend[pair] === NO_BACKEND ? null : flows.backend[pair],
    state: FLOW_STATES[flows.state(pair)],
    idle: Math.max(0, flows.idle(pair, now)),
    packets: flows.packets[forward],
    bytes: flows.bytes[forward],
    replyPackets: flows.packets[reply],
    replyBytes: flows.bytes[reply],
  };
}
