// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { DROP_REASONS } from '../../lib/engine/reasons.js';
import { Burst, CLASS, FRAGMENT, PASSED } from '../../lib/engine/software/packet/burst.js';
import type { WaitingFragment } from '../../lib/engine/software/table/datagrams.js';
import { FragmentTable, HOLD } from '../../lib/engine/software/table/fragments.js';

/** Bytes `[begin, end)` of a datagram. */
interface Piece {
  begin: number;
  end: number;
  more?: boolean;
  id?: number;
  family?: number;
  protocol?: number;
  ingress?: number;
}

class Bench {
  readonly released: WaitingFragment[] = [];
  readonly dropped: string[] = [];
  readonly burst = new Burst();
  readonly table: FragmentTable;

  constructor(limits: { datagrams?: number; packets?: number } = {}) {
    this.table = new FragmentTable(
      { datagrams: 8, packets: 8, timeout: 30, ...limits },
      {
        release: (fragment) => this.released.push(fragment),
        drop: (reason) => this.dropped.push(DROP_REASONS[reason]),
      },
    );
  }

  take(piece: Piece, now = 100): string {
    const verdict = this.table.take(this.#put(piece), 0, now);
    return verdict === PASSED ? 'passed' : verdict === HOLD ? 'held' : DROP_REASONS[verdict];
  }

  peek(piece: Piece, now = 100): string {
    const verdict = this.table.peek(this.#put(piece), 0, now);
    return verdict === PASSED ? 'passed' : verdict === HOLD ? 'held' : DROP_REASONS[verdict];
  }

  #put(piece: Piece): Burst {
    const { burst } = this;
    const isFirst = piece.begin === 0;
    burst.count = 1;
    burst.frame[0] = Uint8Array.of(piece.begin / 8);
    burst.family[0] = piece.family ?? 0;
    burst.ingress[0] = piece.ingress ?? 0;
    burst.protocol[0] = piece.protocol ?? 17;
    burst.class[0] = isFirst ? CLASS.udp : CLASS.other;
    burst.ports[0] = isFirst ? 0x00010002 : 0;
    burst.hash[0] = isFirst ? 77 : 0;
    burst.fragment[0] = isFirst ? FRAGMENT.first : FRAGMENT.later;
    burst.identification[0] = piece.id ?? 1;
    burst.fragmentOffset[0] = piece.begin;
    burst.fragmentLength[0] = piece.end - piece.begin;
    burst.moreFragments[0] = (piece.more ?? true) ? 1 : 0;
    return burst;
  }
}

test('in order: a later fragment learns from the first, and the last one ends the record', (t) => {
  const bench = new Bench();
  t.is(bench.take({ begin: 0, end: 8 }), 'passed');
  t.is(bench.take({ begin: 8, end: 16 }), 'passed');
  t.is(bench.burst.class[0], CLASS.udp);
  t.is(bench.burst.ports[0], 0x00010002);
  t.is(bench.burst.hash[0], 77);
  t.is(bench.table.size, 1);
  t.is(bench.take({ begin: 16, end: 19, more: false }), 'passed');
  t.is(bench.table.size, 0);
});

test('out of order: what waits is set free in the order of its coming', (t) => {
  const bench = new Bench();
  t.is(bench.take({ begin: 16, end: 24, more: false }), 'held');
  t.is(bench.take({ begin: 8, end: 16 }), 'held');
  t.is(bench.table.waiting, 2);
  t.is(bench.take({ begin: 0, end: 8 }), 'passed');
  t.deepEqual(
    bench.released.map(({ frame }) => frame[0]),
    [2, 1],
  );
  t.true(bench.released.every(({ ports, hash }) => ports === 0x00010002 && hash === 77));
  t.is(bench.table.waiting, 0);
  t.is(bench.table.size, 0);
});

test('the same range again is dropped and spoils nothing', (t) => {
  const bench = new Bench();
  bench.take({ begin: 0, end: 8 });
  t.is(bench.take({ begin: 0, end: 8 }), 'fragment_overlap');
  t.is(bench.take({ begin: 8, end: 16, more: false }), 'passed');
});

const SPOILING: readonly [title: string, before: readonly Piece[], piece: Piece][] = [
  ['overlap', [{ begin: 0, end: 16 }], { begin: 8, end: 24 }],
  ['within', [{ begin: 0, end: 24 }], { begin: 8, end: 16 }],
  ['around', [{ begin: 8, end: 16 }], { begin: 0, end: 24 }],
  ['beyond the end', [{ begin: 16, end: 24, more: false }], { begin: 24, end: 32 }],
  ['a second end', [{ begin: 16, end: 24, more: false }], { begin: 8, end: 16, more: false }],
  ['an end too early', [{ begin: 16, end: 24 }], { begin: 8, end: 16, more: false }],
];

for (const [title, before, piece] of SPOILING) {
  test(`spoilt for good: ${title}`, (t) => {
    const bench = new Bench();
    for (const each of before) bench.take(each);
    const { waiting } = bench.table;
    t.is(bench.peek(piece), 'fragment_overlap');
    t.is(bench.table.waiting, waiting, 'a look spoils nothing');
    t.is(bench.take(piece), 'fragment_overlap');
    t.is(bench.dropped.length, waiting);
    t.is(bench.table.waiting, 0);
    t.is(bench.take({ begin: 800, end: 808 }), 'fragment_overlap');
    t.is(bench.table.size, 1);
  });
}

test('datagrams are told apart, by the protocol in IPv4 alone', (t) => {
  const bench = new Bench();
  bench.take({ begin: 0, end: 8 });
  t.is(bench.take({ begin: 8, end: 16, id: 2 }), 'held');
  t.is(bench.take({ begin: 8, end: 16, protocol: 6 }), 'held');
  t.is(bench.take({ begin: 0, end: 8, family: 1, id: 3 }), 'passed');
  t.is(bench.take({ begin: 8, end: 16, family: 1, id: 3, protocol: 44 }), 'passed');
});

test('no more datagrams, packets and ranges than there is room for', (t) => {
  const bench = new Bench({ datagrams: 2, packets: 1 });
  t.is(bench.take({ begin: 8, end: 16, id: 1 }), 'held');
  t.is(bench.peek({ begin: 8, end: 16, id: 2 }), 'fragment_queue_full');
  t.is(bench.take({ begin: 8, end: 16, id: 2 }), 'fragment_queue_full');
  t.is(bench.table.size, 2, 'the record has been made');
  t.is(bench.peek({ begin: 0, end: 8, id: 3 }), 'fragment_table_full');
  t.is(bench.take({ begin: 0, end: 8, id: 3 }), 'fragment_table_full');
  for (let n = 0; n < 128; n++) {
    const verdict = bench.take({ begin: n * 8, end: n * 8 + 8, id: 2 });
    t.is(verdict, 'passed');
  }
  t.is(bench.take({ begin: 1_024, end: 1_032, id: 2 }), 'fragment_queue_full');
});

test('a datagram that is too old begins anew, or is removed', (t) => {
  const bench = new Bench();
  bench.take({ begin: 8, end: 16 }, 100);
  bench.take({ begin: 8, end: 16, id: 2 }, 101);
  t.is(bench.take({ begin: 8, end: 16 }, 130), 'held');
  t.deepEqual(bench.dropped, ['fragment_timeout']);
  bench.table.expire(130);
  t.is(bench.table.size, 2);
  bench.table.expire(131);
  t.is(bench.table.size, 1);
  t.deepEqual(bench.dropped, ['fragment_timeout', 'fragment_timeout']);
  t.is(bench.table.waiting, 1);
});

test('an interface takes what came in by it and waits', (t) => {
  const bench = new Bench();
  bench.take({ begin: 8, end: 16, ingress: 1 });
  bench.take({ begin: 16, end: 24, ingress: 2 });
  bench.table.removeInterface(1);
  t.deepEqual(bench.dropped, ['interface_removed']);
  t.is(bench.table.waiting, 1);
  bench.take({ begin: 0, end: 8 });
  t.deepEqual(
    bench.released.map(({ frame }) => frame[0]),
    [2],
  );
});

test('a look says what taking would, and changes nothing', (t) => {
  const piece = fc.record({
    begin: fc.nat({ max: 6 }).map((n) => n * 8),
    end: fc.integer({ min: 1, max: 3 }).map((n) => n * 8),
    more: fc.boolean(),
    id: fc.nat({ max: 2 }),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(piece, fc.nat({ max: 20 })), { maxLength: 60 }), (steps) => {
      const bench = new Bench({ datagrams: 2, packets: 3 });
      let now = 100;
      for (const [{ begin, end, ...rest }, later] of steps) {
        now += later;
        const at = { begin, end: begin + end, ...rest };
        const before = [bench.table.size, bench.table.waiting, bench.dropped.length];
        const expected = bench.peek(at, now);
        t.deepEqual([bench.table.size, bench.table.waiting, bench.dropped.length], before);
        t.is(bench.take(at, now), expected);
      }
    }),
  );
});
