// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { Compiler } from '../../lib/compile/compile.js';
import type { ModelChange } from '../../lib/model/changes.js';
import { checkChange } from '../../lib/model/check-change.js';
import type { Service } from '../../lib/model/model.js';
import type { Pod, Policy } from '../../lib/model/policy.js';

const SLOTS = new Map<string, { slot: number }>();
const ROUNDS = 201;
/** What costs what there is costs fifty times as much of fifty times as many. */
const FEW = 200;
const MANY = 10_000;
const AT_MOST = 3;

const addressOf = (network: number, n: number) =>
  `10.${network + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;

function service(n: number, turn = 0): Service {
  const backends = Array.from({ length: 10 }, (_, index) => ({
    address: addressOf(100, n * 10 + index),
    port: index === 9 ? 8_000 + turn : 8_080,
  }));
  return {
    name: `s${n}`,
    addresses: [addressOf(60, n)],
    ports: [{ protocol: 'TCP', port: 80, backends }],
  };
}

function pod(n: number, turn = 0): Pod {
  return {
    name: `p${n}`,
    namespace: `ns${n % 100}`,
    labels: { app: `a${n % 50}`, turn: `${turn % 2}` },
    addresses: [addressOf(100, n)],
    node: n % 100 === 0 ? 'here' : 'there',
  };
}

function policy(n: number): Policy {
  const app = (number: number) => ({ pods: { matchLabels: { app: `a${number % 50}` } } });
  return {
    ...{ name: `n${n}`, namespace: `ns${n % 100}`, tier: 'network' },
    ...{ subject: app(n), ingress: [{ action: 'accept', peers: [app(n + 1)] }] },
  };
}

/** A compiler that has been given so many services or pods, and how long one more change takes it. */
class Loaded {
  readonly #compiler = new Compiler({ backends: 1 << 20, routes: 10 });
  readonly #times: number[] = [];

  constructor(changes: Iterable<ModelChange>) {
    this.#change({ node: { name: 'here' } });
    for (const change of changes) this.#change(change);
  }

  time(change: ModelChange): void {
    const start = process.hrtime.bigint();
    this.#change(change);
    this.#times.push(Number(process.hrtime.bigint() - start));
  }

  get median(): number {
    return this.#times.sort((a, b) => a - b)[this.#times.length >> 1]!;
  }

  #change(change: ModelChange): void {
    this.#compiler.plan(checkChange(change), SLOTS).accept();
  }
}

/** Batches of `member`s in front of what else there is. */
function batches<T>(count: number, member: (n: number) => T): T[][] {
  return Array.from({ length: Math.ceil(count / 100) }, (_, batch) =>
    Array.from({ length: Math.min(100, count - batch * 100) }, (_, n) => member(batch * 100 + n)),
  );
}

/** How many times as long a change takes where there are many. They take turns, so that both wait for the same others. */
function ratioOf(load: (count: number) => Loaded, change: (turn: number) => ModelChange): number {
  const [few, many] = [load(FEW), load(MANY)];
  for (let turn = 0; turn < ROUNDS; turn++) {
    few.time(change(turn));
    many.time(change(turn));
  }
  return many.median / few.median;
}

test('a service that changes costs as much among many as among few', (t) => {
  t.timeout(120_000);
  const load = (count: number) =>
    new Loaded(batches(count, service).map((put) => ({ services: { put } })));
  const ratio = ratioOf(load, (turn) => ({ services: { put: [service(turn % FEW, turn)] } }));
  t.log(`${ratio.toFixed(2)} times`);
  t.true(ratio < AT_MOST, `${ratio}`);
});

test('a pod that changes costs as much among many as among few', (t) => {
  t.timeout(120_000);
  const load = (count: number) =>
    new Loaded([
      ...batches(count, pod).map((put) => ({ pods: { put } })),
      ...batches(count / 20, policy).map((put) => ({ policies: { put } })),
    ]);
  const ratio = ratioOf(load, (turn) => ({ pods: { put: [pod(turn % FEW, turn)] } }));
  t.log(`${ratio.toFixed(2)} times`);
  t.true(ratio < AT_MOST, `${ratio}`);
});
