// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { ENGINE_DEFAULTS, FLOW_STATES } from '../../lib/engine/engine.js';
import { addressOfRow } from '../../lib/engine/software/base/address.js';
import { WORKER } from '../../lib/engine/software/base/counters.js';
import { hashTuple } from '../../lib/engine/software/base/crc32c.js';
import { BackendTable } from '../../lib/engine/software/table/backends.js';
import {
  type Direction,
  FlowTable,
  NO_BACKEND,
  NO_FLOW,
} from '../../lib/engine/software/table/flow-table.js';
import { mapped } from '../support/program.js';

const { timeouts } = ENGINE_DEFAULTS;
const [FIN, SYN, RST, ACK] = [0x01, 0x02, 0x04, 0x10];
const [TCP, UDP, SCTP, ICMP] = [6, 17, 132, 1];

function address(text: string): Int32Array {
  return addressOfRow(mapped(text), 0);
}

/** A table, and what it has counted. */
function tableOf(capacity: number) {
  const counts = new Map<number, number>();
  const add = (counter: number, count: number) =>
    counts.set(counter, (counts.get(counter) ?? 0) + count);
  return { table: new FlowTable(capacity, timeouts, { add }), counts };
}

function direction(source: Int32Array, destination: Int32Array, ports: number): Direction {
  const hash = hashTuple(source, 0, destination, 0, ports, TCP, 3);
  return { source, sourceAt: 0, destination, destinationAt: 0, ports, hash };
}

/** Connection `n`: clients differ, the rest does not. */
function connection(n: number): { forward: Direction; reply: Direction } {
  const client = address('10.0.0.0');
  client[3] += n;
  return {
    forward: direction(client, address('10.96.0.1'), (1_000 << 16) | 80),
    reply: direction(address('192.168.0.1'), client, (8_080 << 16) | 1_000),
  };
}

function insert(table: FlowTable, n: number, protocol = TCP, now = 0): number {
  const { forward, reply } = connection(n);
  return table.insert(protocol, forward, reply, 3, 7, now);
}

function find(table: FlowTable, { source, destination, ports, hash }: Direction): number {
  return table.find(source, 0, destination, 0, ports, TCP, hash);
}

test('both directions are found, and gone after removal', (t) => {
  const { table } = tableOf(16);
  const { forward, reply } = connection(1);
  t.is(insert(table, 1), 0);
  t.is(find(table, forward), 0);
  t.is(find(table, reply), 1);
  t.is(table.used, 1);
  t.is(table.backend[0], 3);
  t.is(table.serial[0], 7);
  table.remove(0, null);
  t.is(find(table, forward), NO_FLOW);
  t.is(find(table, reply), NO_FLOW);
  t.is(table.used, 0);
  t.is(insert(table, 2), 1, 'the freed pair is not free yet');
  table.reclaim();
  t.is(insert(table, 3), 0);
});

test('every part of the key counts', (t) => {
  const { table } = tableOf(16);
  const { forward } = connection(1);
  const { source, destination, ports, hash } = forward;
  insert(table, 1);
  t.is(table.find(source, 0, destination, 0, ports, UDP, hash), NO_FLOW);
  t.is(table.find(source, 0, destination, 0, ports ^ 1, TCP, hash), NO_FLOW);
  for (let word = 0; word < 4; word++) {
    const other = source.slice();
    other[word] ^= 1;
    t.is(table.find(other, 0, destination, 0, ports, TCP, hash), NO_FLOW);
    const elsewhere = destination.slice();
    elsewhere[word] ^= 1;
    t.is(table.find(source, 0, elsewhere, 0, ports, TCP, hash), NO_FLOW);
  }
});

/** An established connection: it is never given up. */
function establish(table: FlowTable, n: number): number {
  const pair = insert(table, n);
  if (pair === NO_FLOW) return pair;
  table.touch(pair * 2, 0, 40, ACK);
  table.touch(pair * 2 + 1, 0, 40, ACK);
  return pair;
}

test('holds nearly all of its capacity, and keeps what it holds when full', (t) => {
  const capacity = 6_000;
  const { table, counts } = tableOf(capacity);
  const kept: number[] = [];
  for (let n = 0; n < capacity + 10; n++) if (establish(table, n) !== NO_FLOW) kept.push(n);
  t.true(kept.length >= capacity * 0.95, `${kept.length}`);
  t.is(table.used, kept.length);
  t.is(counts.size, 0);
  for (const n of kept) {
    const { forward, reply } = connection(n);
    t.is(find(table, forward) ^ 1, find(table, reply));
  }
});

test('a model of insertions and removals', (t) => {
  const command = fc.tuple(fc.nat({ max: 40 }), fc.boolean());
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
      const { table } = tableOf(64);
      const model = new Map<number, number>();
      for (const [n, isInsert] of commands) {
        table.reclaim();
        const known = model.get(n);
        if (isInsert && known === undefined) model.set(n, establish(table, n));
        if (!isInsert && known !== undefined) {
          table.remove(known, null);
          model.delete(n);
        }
      }
      t.is(table.used, model.size);
      for (let n = 0; n <= 40; n++) {
        const pair = model.get(n);
        const { forward, reply } = connection(n);
        t.is(find(table, forward), pair === undefined ? NO_FLOW : pair * 2);
        t.is(find(table, reply), pair === undefined ? NO_FLOW : pair * 2 + 1);
      }
    }),
    { numRuns: 50 },
  );
});

const STATES: readonly [
  protocol: number,
  client: readonly number[],
  backend: readonly number[],
  state: (typeof FLOW_STATES)[number],
][] = [
  [TCP, [SYN], [], 'unreplied'],
  [TCP, [], [SYN | ACK], 'unreplied'],
  [TCP, [SYN], [SYN | ACK], 'syn-received'],
  [TCP, [SYN, ACK], [SYN | ACK], 'established'],
  [TCP, [SYN, ACK, FIN | ACK], [SYN | ACK], 'close-wait'],
  [TCP, [SYN, ACK], [SYN | ACK, FIN | ACK], 'close-wait'],
  [TCP, [SYN, ACK, FIN | ACK], [SYN | ACK, FIN | ACK], 'time-wait'],
  [TCP, [SYN], [RST | ACK], 'closed'],
  [TCP, [SYN, ACK, RST], [SYN | ACK], 'closed'],
  [TCP, [SYN, ACK, RST, ACK], [SYN | ACK], 'established'],
  [TCP, [SYN, ACK, RST, SYN], [SYN | ACK], 'closed'],
  [SCTP, [SYN], [SYN | ACK], 'syn-received'],
  [SCTP, [SYN, ACK, RST], [SYN | ACK], 'closed'],
  [UDP, [0], [], 'unreplied'],
  [UDP, [0], [0], 'established'],
  [ICMP, [0], [], 'unreplied'],
  [ICMP, [0], [0], 'established'],
];

for (const [protocol, client, backend, state] of STATES) {
  test(`protocol ${protocol}: ${client} and ${backend} is ${state}`, (t) => {
    const { table } = tableOf(16);
    const pair = insert(table, 1, protocol);
    for (const flags of client) table.touch(pair * 2, 0, 40, flags);
    for (const flags of backend) table.touch(pair * 2 + 1, 0, 40, flags);
    t.is(FLOW_STATES[table.state(pair)], state);
  });
}

const LIVES: readonly [protocol: number, flags: readonly [number, number][], seconds: number][] = [
  [TCP, [[0, SYN]], timeouts.tcpUnreplied],
  [
    TCP,
    [
      [0, SYN],
      [1, SYN | ACK],
    ],
    timeouts.tcpSynReceived,
  ],
  [
    TCP,
    [
      [0, ACK],
      [1, ACK],
    ],
    timeouts.tcpEstablished,
  ],
  [
    TCP,
    [
      [0, ACK],
      [1, FIN],
    ],
    timeouts.tcpCloseWait,
  ],
  [
    TCP,
    [
      [0, FIN],
      [1, FIN],
    ],
    timeouts.tcpTimeWait,
  ],
  [TCP, [[0, RST]], timeouts.tcpClosed],
  [
    SCTP,
    [
      [0, SYN],
      [1, SYN | ACK],
    ],
    timeouts.sctpUnreplied,
  ],
  [
    SCTP,
    [
      [0, ACK],
      [1, ACK],
    ],
    timeouts.sctpEstablished,
  ],
  [
    SCTP,
    [
      [0, FIN | ACK],
      [1, ACK],
    ],
    timeouts.sctpClosed,
  ],
  [SCTP, [[0, RST]], timeouts.sctpClosed],
  [UDP, [[0, 0]], timeouts.udpUnreplied],
  [
    UDP,
    [
      [0, 0],
      [1, 0],
    ],
    timeouts.udpStream,
  ],
  [
    ICMP,
    [
      [0, 0],
      [1, 0],
    ],
    timeouts.icmp,
  ],
];

for (const [protocol, flags, seconds] of LIVES) {
  test(`protocol ${protocol}: ${JSON.stringify(flags)} lives ${seconds} s`, (t) => {
    const { table } = tableOf(16);
    const pair = insert(table, 1, protocol);
    for (const [side, each] of flags) table.touch(pair * 2 + side, 100, 40, each);
    t.false(table.expired(pair, 100 + seconds - 1));
    t.true(table.expired(pair, 100 + seconds));
  });
}

test('the sweep goes round in 256s', (t) => {
  const { table, counts } = tableOf(400);
  for (let n = 0; n < 400; n++) establish(table, n);
  const used = table.used;
  const backends = new BackendTable(8);
  table.sweep(10, backends);
  t.is(table.used, used);
  table.sweep(timeouts.tcpEstablished, backends);
  t.true(used - table.used <= 256);
  table.sweep(timeouts.tcpEstablished, backends);
  t.is(table.used, 0);
  t.is(counts.get(WORKER.flowsExpired), used);
});

test('the sweep clears UDP whose backend is gone or flushed, and leaves TCP alone', (t) => {
  for (const isFlushed of [false, true]) {
    const { table, counts } = tableOf(16);
    const backends = new BackendTable(8);
    backends.put(3, address('192.168.0.1'), 8_080, 0, 0, 7);
    table.touch(insert(table, 1, UDP) * 2, 0, 40, 0);
    table.touch(insert(table, 2, TCP) * 2, 0, 40, ACK);
    table.sweep(0, backends);
    t.is(table.used, 2);
    if (isFlushed) backends.put(3, address('192.168.0.1'), 8_080, 0, 1, 8);
    else backends.remove(3);
    table.sweep(0, backends);
    t.is(table.used, 1);
    t.is(counts.get(WORKER.flowsCleared), 1);
  }
});

test('a pair without a backend stays until it expires, and its verdict goes with it', (t) => {
  const { table, counts } = tableOf(16);
  const { forward, reply } = connection(1);
  const insertTracked = () => table.insert(UDP, forward, reply, NO_BACKEND, 0, 0);
  const pair = insertTracked();
  table.touch(pair * 2, 0, 40, 0);
  table.judge(pair, 5, 3);
  t.deepEqual([table.judged[pair], table.verdict[pair]], [5, 3]);
  table.sweep(0, new BackendTable(8));
  t.is(table.used, 1);
  table.sweep(timeouts.udpUnreplied, new BackendTable(8));
  t.is(table.used, 0);
  t.is(counts.get(WORKER.flowsCleared), undefined);
  table.reclaim();
  t.is(insertTracked(), pair);
  t.is(table.judged[pair], 0, 'nobody has been asked about the new one');
});

test('under pressure an embryonic connection goes for each new one, never an established one', (t) => {
  const { table, counts } = tableOf(16);
  for (let n = 0; n < 8; n++) t.not(establish(table, n), NO_FLOW);
  for (let n = 8; n < 13; n++) table.touch(insert(table, n) * 2, 0, 40, SYN);
  t.is(counts.get(WORKER.flowsEvicted), undefined, 'a quarter was still free');
  for (let n = 13; n < 100; n++) {
    table.reclaim();
    const pair = insert(table, n);
    t.not(pair, NO_FLOW);
    table.touch(pair * 2, 0, 40, SYN);
  }
  t.is(counts.get(WORKER.flowsEvicted), 87);
  for (let n = 0; n < 8; n++) t.not(find(table, connection(n).forward), NO_FLOW);
});

test('what has expired goes before it is asked whether it is embryonic', (t) => {
  const { table, counts } = tableOf(16);
  for (let n = 0; n < 13; n++) table.touch(insert(table, n) * 2, 0, 40, SYN);
  insert(table, 13, TCP, timeouts.tcpUnreplied);
  t.is(counts.get(WORKER.flowsExpired), 1);
  t.is(counts.get(WORKER.flowsEvicted), undefined);
});

test('a full bucket gives up its embryonic connection that was seen least recently', (t) => {
  // All entries that a hash finds: 16 places, and each connection has its own client.
  const { table, counts } = tableOf(1_024);
  const alike = (n: number): { forward: Direction; reply: Direction } => {
    const { forward, reply } = connection(n);
    return { forward: { ...forward, hash: 5 }, reply };
  };
  for (let n = 0; n < 16; n++) {
    const { forward, reply } = alike(n);
    const pair = table.insert(TCP, forward, reply, 3, 7, 0);
    t.not(pair, NO_FLOW);
    table.touch(pair * 2, n === 4 ? 1 : 10 + n, 40, SYN);
  }
  const { forward, reply } = alike(16);
  t.not(table.insert(TCP, forward, reply, 3, 7, 30), NO_FLOW);
  t.is(counts.get(WORKER.flowsEvicted), 1);
  t.is(find(table, alike(4).forward), NO_FLOW);
  t.not(find(table, alike(5).forward), NO_FLOW);
});

test('a bucket full of established connections keeps them', (t) => {
  const { table, counts } = tableOf(1_024);
  for (let n = 0; n <= 16; n++) {
    const { forward, reply } = connection(n);
    const pair = table.insert(TCP, { ...forward, hash: 5 }, reply, 3, 7, 0);
    t.is(pair === NO_FLOW, n === 16);
    if (pair === NO_FLOW) continue;
    table.touch(pair * 2, 0, 40, ACK);
    table.touch(pair * 2 + 1, 0, 40, ACK);
  }
  t.is(table.used, 16);
  t.is(counts.size, 0);
  t.is(find(table, connection(16).reply), NO_FLOW);
});
