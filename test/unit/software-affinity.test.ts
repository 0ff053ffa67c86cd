// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { AffinityTable, NO_AFFINITY } from '../../lib/engine/software/table/affinity.js';

function client(n: number): Int32Array {
  return Int32Array.of(0, 0, 0xffff, 0x0a000000 + n);
}

function remember(table: AffinityTable, n: number, backend: number, expiry: number, now = 0) {
  table.remember(client(n), 0, 1, backend, 1, expiry, now);
}

/** Slot of the backend that is remembered, or `null`. */
function recall(table: AffinityTable, n: number, now = 0, service = 1): number | null {
  const place = table.find(client(n), 0, service, now);
  return place === NO_AFFINITY ? null : table.backend[place];
}

test('a memory is there until its second has come', (t) => {
  const table = new AffinityTable(64);
  table.remember(client(1), 0, 1, 7, 3, 100, 0);
  t.is(recall(table, 1, 99), 7);
  t.is(table.serial[table.find(client(1), 0, 1, 99)], 3);
  t.is(recall(table, 1, 100), null);
  t.is(table.used, 1, 'the sweep has not come by');
});

test('clients and services are told apart', (t) => {
  const table = new AffinityTable(64);
  remember(table, 1, 7, 100);
  t.is(recall(table, 2), null);
  t.is(recall(table, 1, 0, 2), null);
  table.remember(client(1), 0, 2, 8, 1, 100, 0);
  t.is(recall(table, 1), 7);
  t.is(recall(table, 1, 0, 2), 8);
});

test('remembering again takes the same place, even of what has run out', (t) => {
  const table = new AffinityTable(8);
  for (let n = 0; n < 8; n++) remember(table, n, n, 10 + n);
  const place = table.find(client(5), 0, 1, 0);
  remember(table, 5, 50, 200, 100);
  t.is(table.find(client(5), 0, 1, 100), place);
  t.is(recall(table, 5, 100), 50);
  t.is(table.used, 8);
});

test('a full bucket gives up what runs out first, the lowest of equals', (t) => {
  const table = new AffinityTable(8);
  for (let n = 0; n < 8; n++) remember(table, n, n, n === 3 || n === 6 ? 50 : 100);
  remember(table, 8, 8, 100);
  t.is(recall(table, 3), null);
  t.is(recall(table, 6), 6);
  t.is(recall(table, 8), 8);
  remember(table, 9, 9, 100, 60);
  t.is(recall(table, 6, 40), null, 'what has run out is taken before anything else');
  t.is(table.used, 8);
});

test('the sweep goes round in 256s and empties what has run out', (t) => {
  const table = new AffinityTable(512);
  for (let n = 0; n < 160; n++) remember(table, n, n, n < 80 ? 10 : 1_000);
  const used = table.used;
  table.sweep(9);
  table.sweep(9);
  t.is(table.used, used);
  table.sweep(10);
  table.sweep(10);
  t.true(table.used <= 80);
  for (let n = 0; n < 80; n++) t.is(recall(table, n, 0), null);
});
