// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { Compiler } from '../../lib/compile/compile.js';
import { SluiceError } from '../../lib/errors.js';
import type { Changes, ModelChange } from '../../lib/model/changes.js';
import { checkModel } from '../../lib/model/check.js';
import { checkChange } from '../../lib/model/check-change.js';
import type { Model, Service } from '../../lib/model/model.js';
import type { Namespace, Pod, Policy } from '../../lib/model/policy.js';
import { interfaces, NAMES, node, service } from '../support/model-random.js';
import { PolicyProgram } from '../support/policy-program.js';
import { ProgramState } from '../support/program-state.js';

const LIMITS = { backends: 10_000, routes: 100 };
const SLOTS = new Map(NAMES.map((name, slot) => [name, { slot }]));

/** Services that take destinations from each other, some of them addresses of ours. */
const rival: fc.Arbitrary<Service> = fc.record({
  name: fc.constantFrom('r0', 'r1', 'r2'),
  addresses: fc.subarray(['10.96.9.1', '10.96.9.2']),
  externalIPs: fc.subarray(['10.0.0.1', '192.0.2.77']),
  loadBalancer: fc.record({ addresses: fc.subarray(['10.0.1.1']) }),
  ports: fc.tuple(
    fc.record({
      protocol: fc.constantFrom('TCP' as const, 'UDP' as const),
      port: fc.constantFrom(80, 30_000),
      nodePort: fc.constantFrom(30_000, 30_001),
      backends: fc.constantFrom([], [{ address: '10.1.0.9', port: 80 }]),
    }),
  ),
});

/** Backends that packets go to as they came; some ways lead nowhere where eth0 is not there. */
const through: fc.Arbitrary<Service> = fc.record({
  name: fc.constantFrom('t0', 't1'),
  addresses: fc.constantFrom(['10.96.8.1'], ['10.96.8.2']),
  ports: fc.tuple(
    fc.record({
      protocol: fc.constant('TCP' as const),
      port: fc.constantFrom(80, 81),
      backends: fc
        .uniqueArray(fc.constantFrom('10.0.0.5', '10.0.0.6', '10.0.1.7'), { maxLength: 3 })
        .map((list) => list.map((address) => ({ address, port: 80, through: { via: address } }))),
    }),
  ),
});

/** What there is from the start, so that services have addresses of ours to share. */
const GROUND: Model = {
  interfaces: [
    { kind: 'memory', name: 'eth0', addresses: ['10.0.0.1/24'] },
    { kind: 'memory', name: 'eth1', addresses: ['10.0.1.1/24'] },
  ],
  node: { name: 'a' },
};

const NAMESPACES = ['a', 'b', 'default'];
const labels = fc.dictionary(fc.constantFrom('app', 'tier'), fc.constantFrom('x', 'y'));
const selector = fc.record(
  { matchLabels: fc.dictionary(fc.constantFrom('app', 'tier'), fc.constantFrom('x', 'y')) },
  { requiredKeys: [] },
);
const namespace: fc.Arbitrary<Namespace> = fc.record({
  name: fc.constantFrom(...NAMESPACES),
  labels,
});
const POD_ADDRESSES = ['10.2.0.1', '10.2.0.2', '10.2.1.3', '10.2.1.4', 'fd00:2::1'];
const pod = fc.record(
  {
    name: fc.constantFrom('p', 'q'),
    namespace: fc.constantFrom(...NAMESPACES),
    labels,
    addresses: fc.subarray(POD_ADDRESSES, { minLength: 1, maxLength: 2 }),
    ports: fc.subarray([
      { name: 'web', port: 80 },
      { name: 'dns', protocol: 'UDP' as const, port: 53 },
    ]),
    node: fc.constantFrom('a', 'b'),
    hostNetwork: fc.constantFrom(false, false, false, true),
  },
  { requiredKeys: ['name', 'namespace', 'addresses'] },
) as fc.Arbitrary<Pod>;
const peer = fc.oneof(
  fc.record({ namespaces: selector, pods: selector }),
  fc.record({ pods: selector }),
  fc.constantFrom(
    { network: '10.2.0.0/16', except: ['10.2.1.0/24'] },
    { network: '10.2.1.3/32' },
    { network: '0.0.0.0/0' },
  ),
);
const port = fc.constantFrom<object[]>({ port: 80 }, { port: 'web' }, { protocol: 'UDP' });
const rules = (action: fc.Arbitrary<'accept' | 'deny' | 'pass'>) =>
  fc.array(
    fc.record(
      {
        action,
        peers: fc.array(peer, { maxLength: 2 }),
        ports: fc.array(port, { maxLength: 2 }),
      },
      { requiredKeys: ['action'] },
    ),
    { maxLength: 2 },
  );
const policy = fc.oneof(
  fc.record({
    name: fc.constantFrom('n0', 'n1'),
    namespace: fc.constantFrom(...NAMESPACES),
    tier: fc.constant('network'),
    subject: fc.record({ pods: selector }),
    ingress: rules(fc.constant('accept')),
  }),
  fc.record({
    name: fc.constantFrom('c0', 'c1'),
    tier: fc.constantFrom('admin', 'baseline'),
    priority: fc.constantFrom(0, 1),
    subject: fc.record({ namespaces: selector, pods: selector }),
    ingress: rules(fc.constantFrom('accept', 'deny', 'pass')),
    egress: rules(fc.constantFrom('accept', 'deny', 'pass')),
  }),
) as fc.Arbitrary<Policy>;

interface Keyed {
  name: string;
  namespace?: string;
}
const inNamespace = ({ namespace: of = 'default', name }: Keyed) => `${of}/${name}`;
const KEYS = {
  services: inNamespace,
  pods: inNamespace,
  namespaces: ({ name }: Keyed) => name,
  policies: (each: Keyed & { tier?: string }) =>
    each.tier === 'network' ? inNamespace(each) : each.name,
} as const;
type Section = keyof typeof KEYS;
const SECTIONS = Object.keys(KEYS) as Section[];

function changes<T extends Keyed>(section: Section, member: fc.Arbitrary<T>) {
  const put = fc.uniqueArray(member, { selector: KEYS[section], maxLength: 3 });
  const gone = fc.array(member.map(KEYS[section]), { maxLength: 2 });
  return fc.tuple(put, gone).map(([list, keys]): Changes<T> => {
    const taken = new Set(list.map(KEYS[section]));
    return { put: list, removed: keys.filter((key) => !taken.has(key)) };
  });
}

/** A changed section is the rule, a changed ground the exception. */
const change = fc.record(
  {
    services: changes('services', fc.oneof(service, rival, rival, through)),
    namespaces: changes('namespaces', namespace),
    pods: changes('pods', pod),
    policies: changes('policies', policy),
    ground: fc.option(fc.record({ interfaces, node }, { requiredKeys: [] }), { freq: 2 }),
  },
  { requiredKeys: [] },
);

const step = fc.record({ change, whole: fc.boolean(), accepted: fc.boolean() });

/** The model after a change: the slow way. */
function merged(before: Model, { ground: _, ...given }: Record<string, unknown>): Model {
  const after: Record<string, unknown> = { ...before, ...given };
  for (const section of SECTIONS) {
    const { put = [], removed = [] } = (given[section] ?? {}) as Changes<Keyed>;
    const gone = new Set([...put.map(KEYS[section]), ...removed]);
    const kept = ((before[section] ?? []) as Keyed[]).filter((each) => {
      return !gone.has(KEYS[section](each));
    });
    after[section] = [...kept, ...put];
  }
  return after as Model;
}

/** What a program does with packets, and why. */
class Program {
  readonly compiler = new Compiler(LIMITS);
  readonly #state = new ProgramState();
  readonly #policy = new PolicyProgram();

  plan(checked: Parameters<Compiler['plan']>[0]) {
    const plan = this.compiler.plan(checked, SLOTS);
    return { empty: plan.empty, accept: () => this.#accept(plan) };
  }

  #accept(plan: ReturnType<Compiler['plan']>): void {
    this.#state.apply(plan.delta);
    this.#policy.apply(plan.delta);
    plan.accept();
  }

  describe() {
    const addresses = [...POD_ADDRESSES, '10.2.1.9', '10.9.9.9'];
    const answers = addresses.flatMap((source) =>
      addresses.flatMap((destination) => {
        if (source.includes(':') !== destination.includes(':')) return [];
        return [80, 53].map((number) => {
          const protocol = number === 80 ? 6 : 17;
          const question = { source, destination, protocol, port: number };
          const { allowed, reason, rule } = this.#policy.ask(question);
          const by = rule === null ? null : this.compiler.view.rule(rule);
          return { ...question, allowed, reason, by };
        });
      }),
    );
    return { program: this.#state.describe(), answers, counts: this.compiler.view.counts() };
  }
}

/** Returns what `work` throws of the model's mistakes. */
function refusal(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return error.code;
  }
}

test('changes one after the other make the program that the whole model makes from nothing', (t) => {
  let refused = 0;
  let made = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      const program = new Program();
      let model: Model = GROUND;
      program.plan(checkModel(GROUND)).accept();
      for (const { change: given, whole, accepted } of steps) {
        const { ground, ...sections } = given;
        const asked = { ...sections, ...ground };
        const after = merged(model, asked);
        const fresh = new Program();
        const expected = refusal(() => fresh.plan(checkModel(after)).accept());
        let plan: ReturnType<Program['plan']> | undefined;
        const actual = refusal(() => {
          plan = program.plan(whole ? checkModel(after) : checkChange(asked as ModelChange));
        });
        // Of two mistakes either may be told.
        t.is(actual === null, expected === null, `${actual} for ${expected}`);
        if (plan === undefined || !accepted) {
          refused++;
          continue;
        }
        plan.accept();
        made++;
        model = after;
        t.deepEqual(program.describe(), fresh.describe());
        t.true(program.plan(checkModel(model)).empty, 'the same again changes nothing');
      }
    }),
    { numRuns: 150 },
  );
  t.true(made > 250 && refused > 100, `${made} made, ${refused} refused or dropped`);
});
