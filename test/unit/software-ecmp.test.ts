// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { type EcmpMember, EcmpTable, ecmpBucket } from '../../lib/engine/software/table/ecmp.js';
import { GroupTable } from '../../lib/engine/software/table/groups.js';

const BUCKETS = Array.from({ length: 4_096 }, (_, bucket) => bucket);

/** Keys of the owners, by bucket. */
function ownersOf(members: readonly EcmpMember[]): number[] {
  const table = new EcmpTable(members);
  return BUCKETS.map((bucket) => members[table.owner(bucket)].key);
}

const equal = (...keys: number[]) => keys.map((key) => ({ key, weight: 1 }));
const countOf = (owners: readonly number[], key: number) =>
  owners.filter((owner) => owner === key).length;

test('shares go by weight', (t) => {
  const owners = ownersOf([
    { key: 1, weight: 1 },
    { key: 2, weight: 3 },
    { key: 3, weight: 4 },
  ]);
  for (const [key, share] of [
    [1, 512],
    [2, 1_536],
    [3, 2_048],
  ]) {
    t.true(Math.abs(countOf(owners, key) / share - 1) < 0.12, `${key}`);
  }
});

test('of a member that goes its own buckets move, and no others', (t) => {
  const before = ownersOf(equal(10, 20, 30, 40));
  const after = ownersOf(equal(10, 20, 40));
  const moved = BUCKETS.filter((bucket) => before[bucket] !== after[bucket]);
  t.deepEqual(
    moved,
    BUCKETS.filter((bucket) => before[bucket] === 30),
  );
});

test('a member that comes takes its share, and nothing moves between the others', (t) => {
  const before = ownersOf(equal(10, 20, 30));
  const after = ownersOf(equal(10, 20, 30, 40));
  const moved = BUCKETS.filter((bucket) => before[bucket] !== after[bucket]);
  t.true(moved.every((bucket) => after[bucket] === 40));
  t.true(Math.abs(moved.length / 1_024 - 1) < 0.1, `${moved.length}`);
});

test('of equal keys the lower row has all', (t) => {
  const table = new EcmpTable(equal(7, 7));
  t.true(BUCKETS.every((bucket) => table.owner(bucket) === 0));
});

// native/table/ecmp_test.cc has the same numbers.
test('known owners', (t) => {
  const table = new EcmpTable([
    { key: 0x11111111, weight: 1 },
    { key: 0x22222222, weight: 2 },
    { key: 0xffffffff, weight: 1 },
  ]);
  const sum = BUCKETS.reduce((all, bucket) => (Math.imul(all, 31) + table.owner(bucket)) | 0, 0);
  t.is(sum >>> 0, 3_014_020_625);
  t.deepEqual([ecmpBucket(0), ecmpBucket(1)], [0, 1_300]);
});

test('whose link is down has no flows meanwhile; the others keep theirs', (t) => {
  const groups = new GroupTable();
  const hop = (slot: number) => {
    return { interface: slot, gateway: null, mac: null, key: slot * 1_000 + 1, weight: 1 };
  };
  groups.put(5, [hop(0), hop(1), hop(2)]);
  const up = { up: true };
  const hashes = Array.from({ length: 300 }, (_, n) => Math.imul(n, 0x9e3779b9));
  const ways = (links: ({ up: boolean } | null)[]) =>
    hashes.map((hash) => groups.choose(5, hash, links)?.interface);
  const all = ways([up, up, up]);
  const without1 = ways([up, { up: false }, up]);
  t.false(without1.includes(1));
  t.true(all.every((way, n) => way === 1 || way === without1[n]));
  t.deepEqual(ways([up, null, up]), without1);
  // Nobody is left: each stays with its owner.
  t.deepEqual(ways([{ up: false }, { up: false }, null]), all);
});
