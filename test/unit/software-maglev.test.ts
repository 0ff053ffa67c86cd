// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import {
  buildMaglev,
  type MaglevBackend,
  maglevSlot,
} from '../../lib/engine/software/table/maglev.js';
import { mapped } from '../support/program.js';

function backends(count: number, weight: (n: number) => number = () => 1): MaglevBackend[] {
  return Array.from({ length: count }, (_, n) => ({
    address: mapped(`10.1.${n >> 8}.${n & 255}`),
    port: 8080,
    weight: weight(n),
  }));
}

function shares(table: ArrayLike<number>, count: number): number[] {
  const taken = new Array<number>(count).fill(0);
  for (let slot = 0; slot < table.length; slot++) taken[table[slot]]++;
  return taken;
}

test('ten backends share within 2 % of even', (t) => {
  const table = buildMaglev(backends(10));
  for (const share of shares(table, 10)) t.true(Math.abs(share / (table.length / 10) - 1) < 0.02);
});

test('without one of 100, at most 3 % of the other slots move', (t) => {
  const all = backends(100);
  const before = buildMaglev(all);
  for (const gone of [0, 37, 99]) {
    const after = buildMaglev(all.filter((_, n) => n !== gone));
    t.is(after.length, before.length);
    let moved = 0;
    let others = 0;
    for (let slot = 0; slot < before.length; slot++) {
      if (before[slot] === gone) continue;
      others++;
      if (after[slot] !== before[slot] - (before[slot] > gone ? 1 : 0)) moved++;
    }
    t.true(moved / others <= 0.03, `${moved} of ${others} moved without ${gone}`);
  }
});

test('the order in which backends are given does not matter', (t) => {
  const all = backends(12, (n) => (n % 3) + 1);
  const straight = buildMaglev(all);
  const order = fc.shuffledSubarray([...all.keys()], { minLength: 12 });
  fc.assert(
    fc.property(order, (rows) => {
      const table = buildMaglev(rows.map((row) => all[row]));
      t.true(table.every((row, slot) => rows[row] === straight[slot]));
    }),
    { numRuns: 10 },
  );
});

test('shares follow the weights, and weight 0 has none', (t) => {
  const weights = [1, 2, 3, 4, 0];
  const table = buildMaglev(backends(5, (n) => weights[n]));
  shares(table, 5).forEach((share, n) => {
    t.true(Math.abs(share - (table.length * weights[n]) / 10) <= table.length * 0.01);
  });
});

test('table sizes', (t) => {
  const sizes = [0, 1, 2, 10, 11, 40, 41, 160, 161, 655].map(
    (count) => buildMaglev(backends(count)).length,
  );
  t.deepEqual(sizes, [0, 1, 1_021, 1_021, 4_099, 4_099, 16_381, 16_381, 65_537, 65_537]);
});

test('656 backends take the largest table', (t) => {
  t.is(buildMaglev(backends(656)).length, 655_373);
});

test('a backend alone has the one slot, by its row', (t) => {
  t.deepEqual([...buildMaglev(backends(3, (n) => (n === 2 ? 7 : 0)))], [2]);
});

test('weights far apart', (t) => {
  const [small, large] = shares(buildMaglev(backends(2, (n) => (n === 0 ? 1 : 65_535))), 2);
  t.deepEqual([small, large], [1, 1_020]);
});

test('the slot of a hash', (t) => {
  t.is(maglevSlot(0, 4_099), 0);
  t.is(maglevSlot(0xffffffff, 655_373), 655_372);
  t.is(maglevSlot(0x80000000, 4_099), 2_049);
});
