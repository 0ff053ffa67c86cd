// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { ENGINE_DEFAULTS } from '../../lib/engine/engine.js';
import { hashTuple } from '../../lib/engine/software/base/crc32c.js';
import { FlowTable, type NewFlow, NO_FLOW } from '../../lib/engine/software/table/flow-table.js';
import { NeighbourTable } from '../../lib/engine/software/table/neighbours.js';
import { networkOf, type Route, RouteTable } from '../../lib/engine/software/table/routes.js';
import { ServiceTable } from '../../lib/engine/software/table/service-table.js';

const { timeouts } = ENGINE_DEFAULTS;

function newFlow(n: number): NewFlow {
  const ends = { client: 0x0a000000 + n, service: 0x0a600001, backend: 0xc0a80001 };
  const forward = ((1_000 << 16) | 80) >>> 0;
  const reply = ((8_080 << 16) | 1_000) >>> 0;
  return {
    ...ends,
    protocol: 6,
    clientPort: 1_000,
    servicePort: 80,
    backendPort: 8_080,
    forwardHash: hashTuple(ends.client, ends.service, forward, 6),
    replyHash: hashTuple(ends.backend, ends.client, reply, 6),
    backendSlot: 3,
    pool: 4,
  };
}

function findForward(table: FlowTable, flow: NewFlow): number {
  return table.find(flow.client, flow.service, (1_000 << 16) | 80, 6, flow.forwardHash);
}

function findReply(table: FlowTable, flow: NewFlow): number {
  return table.find(flow.backend, flow.client, (8_080 << 16) | 1_000, 6, flow.replyHash);
}

test('flow table: both directions are found, and gone after removal', (t) => {
  const table = new FlowTable(16, timeouts);
  const flow = newFlow(1);
  const pair = table.insert(flow);
  t.is(pair, 0);
  t.is(findForward(table, flow), 0);
  t.is(findReply(table, flow), 1);
  t.is(table.used, 1);
  table.remove(pair);
  t.is(findForward(table, flow), NO_FLOW);
  t.is(findReply(table, flow), NO_FLOW);
  t.is(table.used, 0);
  t.is(table.insert(newFlow(2)), 1, 'the freed pair is not free yet');
  table.reclaim();
  t.is(table.insert(newFlow(3)), 0);
});

test('flow table: holds nearly all of its capacity, and keeps what it holds when full', (t) => {
  const capacity = 6_000;
  const table = new FlowTable(capacity, timeouts);
  const kept: NewFlow[] = [];
  for (let n = 0; n < capacity + 10; n++) {
    const flow = newFlow(n);
    if (table.insert(flow) !== NO_FLOW) kept.push(flow);
  }
  t.true(kept.length >= capacity * 0.95, `${kept.length}`);
  t.is(table.used, kept.length);
  t.true(kept.every((flow) => findForward(table, flow) >>> 1 === findReply(table, flow) >>> 1));
});

test('flow table: a model of insertions and removals', (t) => {
  const command = fc.tuple(fc.nat({ max: 40 }), fc.boolean());
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
      const table = new FlowTable(64, timeouts);
      const model = new Map<number, number>();
      for (const [n, isInsert] of commands) {
        table.reclaim();
        const known = model.get(n);
        if (isInsert && known === undefined) model.set(n, table.insert(newFlow(n)));
        if (!isInsert && known !== undefined) {
          table.remove(known);
          model.delete(n);
        }
      }
      t.is(table.used, model.size);
      for (let n = 0; n <= 40; n++) {
        const pair = model.get(n);
        t.is(findForward(table, newFlow(n)), pair === undefined ? NO_FLOW : pair * 2);
        t.is(findReply(table, newFlow(n)), pair === undefined ? NO_FLOW : pair * 2 + 1);
      }
    }),
    { numRuns: 50 },
  );
});

test('flow table: the sweep goes round in 64s', (t) => {
  const table = new FlowTable(100, timeouts);
  for (let n = 0; n < 100; n++) {
    const pair = table.insert(newFlow(n));
    if (pair !== NO_FLOW) table.touch(pair * 2, 10, 40, 0);
  }
  const used = table.used;
  t.is(table.sweep(10), 0);
  const removed = [table.sweep(1_000), table.sweep(1_000)];
  t.is(removed[0] + removed[1], used);
  t.true(removed[0] <= 64);
  t.is(table.used, 0);
});

test('routes: the longest prefix wins, as a scan of all routes says', (t) => {
  const octets = fc.constantFrom(0x0a000000, 0x0a010000, 0x0a010200, 0xc0a80000, 0xffffffff, 0);
  const length = fc.integer({ min: 0, max: 32 });
  const prefixes = fc.array(fc.tuple(octets, length), { maxLength: 30 });
  const removed = fc.array(fc.nat({ max: 30 }), { maxLength: 10 });
  const address = fc.tuple(octets, fc.nat({ max: 0x1ffff }));
  fc.assert(
    fc.property(prefixes, removed, fc.array(address), (puts, gone, asked) => {
      const table = new RouteTable();
      const naive = new Map<string, { prefix: number; length: number; route: Route }>();
      puts.forEach(([bits, of], n) => {
        const prefix = networkOf(bits, of);
        const route = { interface: n, gateway: 0, mac: null };
        table.put(prefix, of, route);
        naive.set(`${prefix}/${of}`, { prefix, length: of, route });
      });
      for (const n of gone) {
        if (puts[n] === undefined) continue;
        const prefix = networkOf(...puts[n]);
        table.remove(prefix, puts[n][1]);
        naive.delete(`${prefix}/${puts[n][1]}`);
      }
      for (const [bits, host] of asked) {
        const destination = (bits ^ host) >>> 0;
        const best = [...naive.values()]
          .filter((row) => networkOf(destination, row.length) === row.prefix)
          .sort((a, b) => b.length - a.length)[0];
        t.is(table.lookup(destination), best?.route ?? null);
      }
    }),
  );
});

test('services: TCP and UDP of one address and port are two; an address stays while one is left', (t) => {
  const table = new ServiceTable();
  const at = { address: 0xfffffffe, port: 53, pool: 1 };
  table.put({ ...at, slot: 1, protocol: 6 });
  table.put({ ...at, slot: 2, protocol: 17 });
  t.is(table.find(0xfffffffe, 53, 6)?.slot, 1);
  t.is(table.find(0xfffffffe, 53, 17)?.slot, 2);
  t.is(table.find(0xfffffffe, 54, 6), undefined);
  table.remove(1);
  table.remove(1);
  t.is(table.find(0xfffffffe, 53, 6), undefined);
  t.true(table.hasAddress(0xfffffffe));
  table.remove(2);
  t.false(table.hasAddress(0xfffffffe));
});

test('neighbours: the capacity is over all interfaces, and an interface gives its share back', (t) => {
  const table = new NeighbourTable(2, 4);
  t.not(table.add(0, 1), null);
  t.not(table.add(1, 1), null);
  t.is(table.add(2, 1), null);
  table.removeInterface(1);
  t.is(table.find(1, 1), undefined);
  t.not(table.add(2, 0xffffffff), null);
  t.not(table.find(2, 0xffffffff), undefined);
});
