// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import {
  addressOfRow,
  holds,
  isIpv4,
  type Network,
  networkOf,
} from '../../lib/engine/software/base/address.js';
import { AddressMap } from '../../lib/engine/software/table/address-map.js';
import { BackendTable } from '../../lib/engine/software/table/backends.js';
import { GroupTable } from '../../lib/engine/software/table/groups.js';
import { NeighbourTable } from '../../lib/engine/software/table/neighbours.js';
import { NO_ROUTE, RouteTable } from '../../lib/engine/software/table/routes.js';
import { type Frontend, ServiceTable } from '../../lib/engine/software/table/service-table.js';
import { mapped } from '../support/program.js';

function address(text: string): Int32Array {
  return addressOfRow(mapped(text), 0);
}

/** A network whose host bits are cleared. */
function network(words: Int32Array, length: number): Network {
  const { bits, isIpv4: ofIpv4 } = networkOf(words, length);
  const cleared = words.map((word, i) => {
    const within = Math.max(0, Math.min(32, bits - i * 32));
    return within === 0 ? 0 : word & (-1 << (32 - within));
  });
  return { address: cleared, bits, isIpv4: ofIpv4 };
}

const words4 = fc
  .tuple(fc.constantFrom(0x0a000000, 0x0a010200, 0xc0a80000, 0xffffffff, 0), fc.nat(0x1ffff))
  .map(([bits, host]) => Int32Array.of(0, 0, 0xffff, bits ^ host));
const words6 = fc
  .array(fc.constantFrom(0, 1, 0xffff, 0xfd000000, 0x20010db8), { minLength: 4, maxLength: 4 })
  .map((words) => Int32Array.from(words));
const anyWords = fc.oneof(words4, words6);
const anyNetwork = fc
  .tuple(anyWords, fc.integer({ min: 0, max: 128 }))
  .map(([words, length]) => network(words, isIpv4(words) ? length % 33 : length));

test('a network holds what begins with its bits, and nothing of the other family', (t) => {
  const bitsOf = (words: Int32Array) =>
    [...words].map((word) => (word >>> 0).toString(2).padStart(32, '0')).join('');
  fc.assert(
    fc.property(anyNetwork, anyWords, (net, words) => {
      const isWithin =
        net.isIpv4 === isIpv4(words) &&
        bitsOf(words).startsWith(bitsOf(net.address).slice(0, net.bits));
      t.is(holds(net, Int32Array.from([7, ...words]), 1), isWithin);
    }),
  );
});

test('an address map is a map', (t) => {
  const few = fc.constantFrom(...['10.0.0.1', '10.0.0.2', 'fd00::1', '::'].map(address));
  const command = fc.tuple(few, fc.nat({ max: 2 }), fc.option(fc.nat()));
  fc.assert(
    fc.property(fc.array(command), (commands) => {
      const map = new AddressMap<number>();
      const model = new Map<string, number>();
      for (const [words, extra, value] of commands) {
        const key = `${words} ${extra}`;
        if (value === null) t.is(map.delete(words, 0, extra), model.delete(key));
        else {
          map.set(words, 0, extra, value);
          model.set(key, value);
        }
        t.is(map.get(words, 0, extra), model.get(key));
        t.is(map.size, model.size);
        t.deepEqual([...map.values()].sort(), [...model.values()].sort());
      }
    }),
  );
});

test('routes: the longest prefix wins, as a scan of all routes says', (t) => {
  const removed = fc.array(fc.nat({ max: 30 }), { maxLength: 10 });
  fc.assert(
    fc.property(
      fc.array(anyNetwork, { maxLength: 30 }),
      removed,
      fc.array(anyWords),
      (puts, gone, asked) => {
        const table = new RouteTable();
        const naive = new Map<string, { net: Network; group: number }>();
        const keyOf = (net: Network) => `${net.address}/${net.bits}`;
        for (const [n, net] of puts.entries()) {
          const group = n % 7;
          table.put(net, group);
          naive.set(keyOf(net), { net, group });
        }
        for (const n of gone) {
          if (puts[n] === undefined) continue;
          table.remove(puts[n]);
          naive.delete(keyOf(puts[n]));
        }
        const rows = [...naive.values()];
        t.is(table.size, rows.length);
        t.is(table.count(true), rows.filter(({ net }) => net.isIpv4).length);
        for (let group = 0; group < 7; group++) {
          const users = rows.filter((row) => row.group === group);
          t.is(table.usesOf(group, true), users.filter(({ net }) => net.isIpv4).length);
          t.is(table.usesOf(group, false), users.filter(({ net }) => !net.isIpv4).length);
        }
        for (const words of asked) {
          const best = rows
            .filter(({ net }) => holds(net, words, 0))
            .sort((a, b) => b.net.bits - a.net.bits)[0];
          t.is(table.lookup(words, 0), best?.group ?? NO_ROUTE);
        }
      },
    ),
  );
});

test('routes go with their group, and groups with the last interface of theirs', (t) => {
  const routes = new RouteTable();
  const groups = new GroupTable();
  const over = (slot: number, key: number) => {
    return { interface: slot, gateway: null, mac: null, key, weight: 1 };
  };
  groups.put(1, [over(1, 10)]);
  groups.put(2, [over(2, 20)]);
  groups.put(3, [over(2, 20), over(1, 10), over(2, 30)]);
  routes.put(network(address('10.0.0.0'), 8), 1);
  routes.put(network(address('10.1.0.0'), 16), 2);
  routes.put(network(address('fd00::'), 8), 2);
  routes.put(network(address('fd01::'), 16), 3);
  const gone = groups.removeInterface(2);
  t.deepEqual(gone, new Set([2]));
  routes.removeGroups(gone);
  t.is(routes.lookup(address('10.1.0.1'), 0), 1);
  t.is(routes.lookup(address('fd00::1'), 0), NO_ROUTE);
  t.is(routes.lookup(address('fd01::1'), 0), 3);
  t.is(routes.size, 2);
  t.false(groups.has(2));
  t.deepEqual(
    groups.hopsOf(3).map(({ key }) => key),
    [10],
  );
});

function frontend(slot: number, more: Partial<Frontend> = {}): Frontend {
  return {
    slot,
    address: address('10.96.0.1'),
    port: 53,
    protocol: 6,
    isCluster: true,
    service: slot,
    pools: [1, 1, 2],
    masquerade: 0,
    affinity: 0,
    ranges: [],
    ...more,
  };
}

test('services: TCP and UDP of one address and port are two; an address stays while one is left', (t) => {
  const table = new ServiceTable();
  const at = address('10.96.0.1');
  table.put(frontend(1));
  table.put(frontend(2, { protocol: 17 }));
  t.is(table.find(at, 0, 53, 6)?.slot, 1);
  t.is(table.find(at, 0, 53, 17)?.slot, 2);
  t.is(table.find(at, 0, 54, 6), undefined);
  t.is(table.usesOfPool(1), 4);
  table.remove(1);
  table.remove(1);
  t.is(table.find(at, 0, 53, 6), undefined);
  t.true(table.isClusterAddress(at, 0));
  table.remove(2);
  t.false(table.isClusterAddress(at, 0));
  t.is(table.usesOfPool(1), 0);
});

test('services: an address is the service’s in cluster frontends alone', (t) => {
  const table = new ServiceTable();
  table.put(frontend(1, { isCluster: false }));
  t.not(table.find(address('10.96.0.1'), 0, 53, 6), undefined);
  t.false(table.isClusterAddress(address('10.96.0.1'), 0));
});

test('backends: a slot has the serial of who made it what it is', (t) => {
  const table = new BackendTable(4);
  const [a, b] = [address('10.1.0.1'), address('10.1.0.2')];
  table.put(1, a, 80, 0, 0, 5);
  table.put(1, a, 80, 0, 1, 6);
  t.true(table.isThere(1, 5));
  t.is(table.flushed[1], 1);
  table.put(1, b, 80, 0, 0, 7);
  t.true(table.isThere(1, 7));
  table.put(1, b, 81, 0, 0, 8);
  table.put(1, b, 81, 1, 0, 9);
  t.true(table.isThere(1, 9));
  t.is(table.size, 1);
  table.remove(1);
  table.remove(1);
  table.remove(100);
  t.is(table.size, 0);
  t.false(table.has(1));
  table.put(1, b, 81, 1, 0, 10);
  t.true(table.isThere(1, 10));
});

test('neighbours: the capacity is over all interfaces, and an interface gives its share back', (t) => {
  const table = new NeighbourTable(2, { staleMs: 60_000, deadMs: 120_000 });
  const one = address('fd00::1');
  t.not(table.add(0, one, 0), undefined);
  t.not(table.add(1, one, 0), undefined);
  t.is(table.add(2, one, 0), undefined);
  table.removeInterface(1);
  t.is(table.find(1, one, 0), undefined);
  t.not(table.add(2, address('255.255.255.255'), 0), undefined);
  t.is(table.find(2, address('255.255.255.255'), 0)?.slot, 2);
  t.is(table.size, 2);
});

test('neighbours: ages, and who is forgotten', (t) => {
  const table = new NeighbourTable(2, { staleMs: 10, deadMs: 20 });
  const one = address('10.0.0.1');
  table.learn(0, one, 0, false, Uint8Array.of(9, 1, 2, 3, 4, 5, 6), 1, 100);
  t.is(table.find(0, one, 0), undefined, 'nobody has asked for it');
  table.learn(0, one, 0, true, Uint8Array.of(9, 1, 2, 3, 4, 5, 6), 1, 100);
  const found = table.find(0, one, 0);
  t.deepEqual([...(found?.mac ?? [])], [1, 2, 3, 4, 5, 6]);
  t.false(found?.stale(109));
  t.true(found?.stale(110));
  t.true(found?.usable(119));
  t.false(found?.usable(120));
  table.forgetInterface(0);
  t.false(found?.usable(101));
  t.true(found?.takeRequest(101));
  t.false(found?.takeRequest(1_100));
  t.true(found?.takeRequest(1_101));
});
