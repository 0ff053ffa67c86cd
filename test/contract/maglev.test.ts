// SPDX-License-Identifier: Apache-2.0
import { crc32c } from '../../lib/engine/software/base/crc32c.js';
import { buildMaglev, maglevSlot } from '../../lib/engine/software/table/maglev.js';
import { ipBytes, read } from '../support/packets.js';
import { endpointOf } from '../support/program.js';
import { NET, udp } from './net.js';
import { contract } from './rig.js';

const TUPLES = 4_096;

// One count for each size of table; every engine is held to the same table, slot by slot as the hashes
// of many flows meet them.
for (const count of [1, 2, 10, 100, 200, 700]) {
  contract(
    `each of ${TUPLES} flows goes where the Maglev table of ${count} backends says`,
    async (rig) => {
      const pool = Array.from({ length: count }, (_, n) => ({
        slot: 20 + n,
        at: `10.1.${1 + (n >> 8)}.${n & 255}:53`,
        weight: 1 + (n % 3),
      }));
      await rig.commit({ pools: [{ slot: 1, backends: pool }] });
      const table = buildMaglev(pool.map(({ at, weight }) => ({ ...endpointOf(at), weight })));
      for (let first = 0; first < TUPLES; first += 64) {
        const ports = Array.from({ length: 64 }, (_, i) => 10_000 + first + i);
        const frames = rig.pass(0, 1, ...ports.map((port) => udp(port)));
        const chosen = frames.map((frame) => read(frame).ipv4?.dst);
        const expected = ports.map(
          (port) => pool[table[slotOf(port, table.length)]].at.split(':')[0],
        );
        rig.t.deepEqual(chosen, expected);
      }
    },
    { flows: 8_192, backends: 1_024 },
  );
}

/** docs/packet-path.md: the hash, written down once more, from the page and not from the engines. */
function slotOf(sourcePort: number, size: number): number {
  const key = new Uint8Array(16);
  key.set(ipBytes(NET.client.address), 0);
  key.set(ipBytes(NET.service), 4);
  new DataView(key.buffer).setUint16(8, sourcePort);
  new DataView(key.buffer).setUint16(10, 53);
  key[12] = 17;
  return maglevSlot(crc32c(key), size);
}
