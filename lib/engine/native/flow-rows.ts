// SPDX-License-Identifier: Apache-2.0
import { FLOW_STATES, type FlowRecord } from '../engine.js';

/** Bytes of one row; the layout's other side is `from_flows` in native/binding/convert.cc. */
const ROW_BYTES = 120;

/** `kNoBackend` of native/table/flow_entry.h. */
const NO_BACKEND = 0xffffffff;

/** Reads what the addon's `flows()` returns: little endian, addresses in network order. */
export function readFlowRows(buffer: ArrayBuffer): FlowRecord[] {
  const view = new DataView(buffer);
  const records: FlowRecord[] = [];
  for (let at = 0; at < buffer.byteLength; at += ROW_BYTES) {
    const backendSlot = view.getUint32(at + 12, true);
    records.push({
      protocol: view.getUint8(at),
      state: FLOW_STATES[view.getUint8(at + 1)]!,
      clientPort: view.getUint16(at + 2, true),
      servicePort: view.getUint16(at + 4, true),
      backendPort: view.getUint16(at + 6, true),
      sourcePort: view.getUint16(at + 8, true),
      backendSlot: backendSlot === NO_BACKEND ? null : backendSlot,
      idle: view.getUint32(at + 16, true),
      client: new Uint8Array(buffer, at + 24, 16),
      service: new Uint8Array(buffer, at + 40, 16),
      backend: new Uint8Array(buffer, at + 56, 16),
      source: new Uint8Array(buffer, at + 72, 16),
      packets: view.getFloat64(at + 88, true),
      bytes: view.getFloat64(at + 96, true),
      replyPackets: view.getFloat64(at + 104, true),
      replyBytes: view.getFloat64(at + 112, true),
    });
  }
  return records;
}
