// SPDX-License-Identifier: Apache-2.0
import { fragment, fragments, type Piece } from '../support/packets.js';
import { FAMILIES, type Family, fromClient, memory } from './net.js';
import { contract } from './rig.js';

/** What does not fit together, comes too late or is too much. */

/** Two pieces of a datagram that cannot both be right. */
const OVERLAPS: readonly [title: string, one: Piece, two: Piece][] = [
  ['a byte twice', { from: 0, to: 32 }, { from: 24, to: 48 }],
  ['one within another', { from: 0, to: 64 }, { from: 16, to: 32 }],
  ['beyond the end', { from: 4_000, to: 4_008, more: false }, { from: 4_008, to: 4_016 }],
  ['a second end', { from: 4_000, to: 4_008, more: false }, { from: 64, to: 72, more: false }],
  ['an end before that of another', { from: 64, to: 128 }, { from: 8, to: 16, more: false }],
];

function query({ service }: Family, src = 40_000): Uint8Array {
  return fromClient(service)
    .udp({ src, dst: 53, payload: new Uint8Array(4_000) })
    .build();
}

for (const family of FAMILIES) {
  const { name, service } = family;

  contract(`duplicates are dropped, and what follows passes, ${name}`, (rig) => {
    const { t } = rig;
    const [first, second, third] = fragments(query(family), 1_500);
    t.is(rig.pass(0, 1, second, second).length, 0);
    t.deepEqual(rig.drops(), { fragment_overlap: 1 });
    t.is(rig.pass(0, 1, first, first, third).length, 3);
    t.deepEqual(rig.drops(), { fragment_overlap: 2 });
  });

  for (const [title, ...pieces] of OVERLAPS) {
    contract(`an overlap spoils the datagram: ${title}, ${name}`, (rig) => {
      const { t } = rig;
      const long = fromClient(service)
        .udp({ src: 40_000, dst: 53, payload: new Uint8Array(4_096) })
        .build();
      const [one, two] = pieces.map((piece) => fragment(long, piece));
      const passed = rig.pass(0, 1, one).length;
      rig.pass(0, 1, two);
      // The one that came first has passed if it could, and is dropped with the other if it waited.
      t.deepEqual(rig.drops(), { fragment_overlap: 2 - passed });
      const rest = fragments(long, [1_400, 2_800]);
      t.is(rig.pass(0, 1, ...rest).length, 0);
      t.deepEqual(rig.drops(), { fragment_overlap: 2 - passed + 3 });
      t.is(rig.counter('held'), 0);
      // The record is there until its time is up.
      t.is(rig.counter('fragments'), 1);
      rig.wait(30);
      t.is(rig.counter('fragments'), 0);
      t.is(rig.pass(0, 1, ...rest).length, 3);
    });
  }

  contract(`a datagram has its time, ${name}`, (rig) => {
    const { t } = rig;
    const [first, second, third] = fragments(query(family), 1_500);
    rig.pass(0, 1, second);
    rig.wait(29);
    rig.pass(0, 1, third);
    t.is(rig.counter('held'), 2);
    rig.wait(1, 1);
    t.deepEqual(rig.drops(), {});
    rig.step(1);
    t.deepEqual(rig.drops(), { fragment_timeout: 2 });
    t.is(rig.counter('fragments'), 0);
    t.is(rig.pass(0, 1, first).length, 1);
    t.is(rig.counter('fragments'), 1);
  });

  contract(`what is too old when a fragment of it comes makes way at once, ${name}`, (rig) => {
    const { t } = rig;
    const [first, second, third] = fragments(query(family), 1_500);
    rig.pass(0, 1, second);
    rig.send(0, first, third);
    rig.wait(30);
    t.deepEqual(rig.drops(), { fragment_timeout: 1 });
    t.is(rig.receive(1).length, 2);
  });

  contract(
    `the table of datagrams is limited, ${name}`,
    (rig) => {
      const { t } = rig;
      const datagrams = [1, 2, 3].map((id) => fragments(query(family, id), 1_500, id));
      for (const [first] of datagrams) rig.pass(0, 1, first);
      t.deepEqual(rig.drops(), { fragment_table_full: 1 });
      t.is(rig.counter('fragments'), 2);
      rig.pass(0, 1, ...datagrams[0].slice(1));
      t.is(rig.pass(0, 1, ...datagrams[2]).length, 3);
    },
    { fragments: 2 },
  );

  contract(
    `packets that wait for a first fragment are limited, ${name}`,
    (rig) => {
      const { t } = rig;
      const small = (src: number) =>
        fromClient(service)
          .udp({ src, dst: 53, payload: new Uint8Array(64) })
          .build();
      const [a, b] = [1, 2].map((id) => fragments(small(id), [16, 32, 48], id));
      rig.pass(0, 1, a[1], a[2], b[1], b[2]);
      t.is(rig.counter('fragmentPackets'), 3);
      t.deepEqual(rig.drops(), { fragment_queue_full: 1 });
      t.is(rig.pass(0, 1, a[0]).length, 3);
      // A range that was not noted may come again.
      t.is(rig.pass(0, 1, b[2]).length, 0);
      t.is(rig.pass(0, 1, b[0], b[3], a[3]).length, 5);
      t.is(rig.counter('fragments'), 0);
    },
    { fragmentPackets: 3 },
  );

  contract(`what waits goes with the interface that it came in by, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.engine.addInterface(memory(2));
    const [, second] = fragments(query(family), 1_500);
    const [, , third] = fragments(query(family), 1_500);
    const into2 = second.slice();
    into2.set([2, 0, 0, 0, 1, 2], 0);
    rig.send(2, into2);
    rig.send(0, third);
    rig.step();
    t.is(rig.counter('held'), 2);
    await rig.engine.removeInterface(2);
    rig.step();
    t.is(rig.counter('held'), 1);
    t.deepEqual(rig.drops(), { interface_removed: 1 });
    t.is(rig.pass(0, 1, fragments(query(family), 1_500)[0]).length, 2);
  });
}
