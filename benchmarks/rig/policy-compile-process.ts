// SPDX-License-Identifier: Apache-2.0
// The policy compiler by itself, in a process of its own so that its heap is its own:
// node --expose-gc --import=tsx benchmarks/rig/policy-compile-process.ts RULES RULES_OF_EACH_POLICY
// Prints a CompileReading as JSON.
import { Compiler } from '../../lib/compile/compile.js';
import type { Model } from '../../lib/index.js';
import { checkModel } from '../../lib/model/check.js';
import type { Services } from './network.js';
import { podAt, podsOf, policiesOf } from './policies.js';

/** Milliseconds, and what the compiler keeps in MB. */
export interface CompileReading {
  /** From the model as given to the checked one. */
  check: number;
  /** Everything, from nothing. */
  plan: number;
  pod: number;
  label: number;
  policy: number;
  memory: number;
}

const SERVICES: Services = { count: 333, each: 3, families: [4], protocols: ['udp'] };
const NO_INTERFACES = new Map<string, { slot: number }>();

const [rules = 10_000, each = 100] = process.argv.slice(2).map(Number);
const compiler = new Compiler({ backends: 1, routes: 1 });
const pods = podsOf(SERVICES);
const policies = policiesOf({ rules, each });

const [check, checked] = timed(() => checkModel({ pods, policies } satisfies Model));
const before = heap();
const plan = accepted(checked);
const memory = (heap() - before) / 1e6;
const one = podAt(pods.length, '172.31.0.1');
const pod = accepted(checkModel({ pods: [...pods, one] }));
const other = { ...one, labels: { app: 'app-0', other: 'label' } };
const label = accepted(checkModel({ pods: [...pods, other] }));
const extra = policiesOf({ rules: each, each }).map((each) => ({ ...each, name: 'one-more' }));
const policy = accepted(checkModel({ policies: [...policies, ...extra] }));
const reading: CompileReading = { check, plan, pod, label, policy, memory };
console.log(JSON.stringify(reading));

/** Plans and accepts. @returns milliseconds */
function accepted(model: ReturnType<typeof checkModel>): number {
  const [taken, plan] = timed(() => compiler.plan(model, NO_INTERFACES));
  if (plan.empty) throw new Error('nothing has changed');
  const [accepting] = timed(() => plan.accept());
  return taken + accepting;
}

function timed<T>(work: () => T): [number, T] {
  const begin = performance.now();
  const result = work();
  return [performance.now() - begin, result];
}

function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
