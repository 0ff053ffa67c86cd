// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { readFlowRows } from '../../lib/engine/native/flow-rows.js';

/** A row as native/binding/convert.cc writes it, every field with a value of its own. */
function row(seed: number): Uint8Array {
  const bytes = new Uint8Array(120);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 17);
  view.setUint8(1, 2);
  for (const [index, at] of [2, 4, 6, 8].entries()) view.setUint16(at, 0x100 + seed + index, true);
  view.setUint32(12, 70_000 + seed, true);
  view.setUint32(16, 80_000 + seed, true);
  for (const [index, at] of [24, 40, 56, 72].entries()) bytes.fill(seed + index, at, at + 16);
  for (const [index, at] of [88, 96, 104, 112].entries()) {
    view.setFloat64(at, 2 ** 40 + seed + index, true);
  }
  return bytes;
}

test('flow rows of the addon are read field by field', (t) => {
  const bytes = new Uint8Array([...row(1), ...row(50)]);
  const records = readFlowRows(bytes.buffer);
  t.is(records.length, 2);
  for (const [index, seed] of [1, 50].entries()) {
    t.deepEqual(records[index], {
      protocol: 17,
      state: 'established',
      clientPort: 0x100 + seed,
      servicePort: 0x101 + seed,
      backendPort: 0x102 + seed,
      sourcePort: 0x103 + seed,
      backendSlot: 70_000 + seed,
      idle: 80_000 + seed,
      client: new Uint8Array(16).fill(seed),
      service: new Uint8Array(16).fill(seed + 1),
      backend: new Uint8Array(16).fill(seed + 2),
      source: new Uint8Array(16).fill(seed + 3),
      packets: 2 ** 40 + seed,
      bytes: 2 ** 40 + seed + 1,
      replyPackets: 2 ** 40 + seed + 2,
      replyBytes: 2 ** 40 + seed + 3,
    });
  }
  t.deepEqual(readFlowRows(new ArrayBuffer(0)), []);
});
