// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { Compiler } from '../../lib/compile/compile.js';
import { NO_GROUP } from '../../lib/compile/program.js';
import { checkModel } from '../../lib/model/check.js';
import type { Model, Service, Through } from '../../lib/model/model.js';
import { ProgramState } from '../support/program-state.js';

/** Backends that packets go to as they came. */

const SLOTS = new Map([
  ['up', { slot: 0 }],
  ['down', { slot: 1 }],
]);
const INTERFACES: NonNullable<Model['interfaces']> = [
  { kind: 'memory', name: 'up', addresses: ['10.0.0.1/24'] },
  { kind: 'memory', name: 'down', addresses: ['10.1.0.1/24'] },
];

function service(...throughs: (Through | undefined)[]): Service {
  const backends = throughs.map((through, n) => ({
    address: `10.1.0.${n + 2}`,
    port: 80,
    ...(through && { through }),
  }));
  return { name: 'a', addresses: ['10.96.0.1'], ports: [{ protocol: 'TCP', port: 80, backends }] };
}

/** A compiler, and what an engine would have. */
class Bench {
  readonly compiler = new Compiler({ backends: 100, routes: 100 });
  readonly state = new ProgramState();

  apply(model: Model) {
    const plan = this.compiler.plan(checkModel(model), SLOTS);
    this.state.apply(plan.delta);
    plan.accept();
    return plan;
  }

  get backends(): string[] {
    return this.state.describe().backends;
  }
}

const onLink = 'via :: interface 1 mac 00:00:00:00:00:00';
const routed = 'via 10.0.0.9 interface 0 mac 00:00:00:00:00:00';

test('a next hop is found as that of a route is, and shared with it', (t) => {
  const bench = new Bench();
  const { delta } = bench.apply({
    interfaces: INTERFACES,
    routes: [{ prefix: '10.9.0.0/16', via: '10.0.0.9' }],
    services: [service({ dev: 'down' }, { via: '10.0.0.9' })],
  });
  t.deepEqual(bench.backends, [`10.1.0.2 80 ${onLink}`, `10.1.0.3 80 ${routed}`]);
  t.is(new Set(delta.backends.group).size, 2);
  t.is(delta.groups.slot.length, 3, 'the network of each interface, and the gateway');
});

test('another next hop puts its backend again; none takes its group away', (t) => {
  const bench = new Bench();
  bench.apply({ interfaces: INTERFACES, services: [service({ dev: 'down' }, { dev: 'up' })] });
  const moved = bench.apply({ services: [service({ dev: 'down' }, { via: '10.0.0.9' })] });
  t.is(moved.delta.backends.slot.length, 1);
  t.deepEqual(bench.backends, [`10.1.0.2 80 ${onLink}`, `10.1.0.3 80 ${routed}`]);
  const { delta } = bench.apply({ services: [service(undefined, undefined)] });
  t.deepEqual([...delta.backends.group], [NO_GROUP, NO_GROUP]);
  t.is(delta.removedGroups.length, 1);
  t.deepEqual(bench.backends, ['10.1.0.2 80', '10.1.0.3 80']);
  t.true(bench.apply({ services: [service(undefined, undefined)] }).empty);
});

test('where the way to the next hop changes, backends follow, though no service does', (t) => {
  const bench = new Bench();
  bench.apply({ interfaces: INTERFACES, services: [service({ via: '10.0.0.9' })] });
  const [up, down] = INTERFACES;
  bench.apply({
    interfaces: [
      { ...up!, addresses: ['10.7.0.1/24'] },
      { ...down!, addresses: ['10.0.0.1/24'] },
    ],
  });
  t.deepEqual(bench.backends, ['10.1.0.2 80 via 10.0.0.9 interface 1 mac 00:00:00:00:00:00']);
});

test('what the engine has forgotten with an interface is put again', (t) => {
  const bench = new Bench();
  const model = { interfaces: INTERFACES, services: [service({ dev: 'down' })] };
  bench.apply(model);
  bench.compiler.forgetInterface(1);
  const { delta } = bench.compiler.plan(checkModel(model), SLOTS);
  t.true(delta.groups.slot.length > 0);
  const named = delta.backends.group[0] ?? bench.compiler.view.backend(0)?.backend.group;
  t.true([...delta.groups.slot].includes(named!), 'the group that the backend names from now on');
});

test('a next hop that cannot be found', (t) => {
  const fails = (through: Through, path: string, message: RegExp) => {
    const { compiler } = new Bench();
    const model = checkModel({ interfaces: INTERFACES, services: [service(through)] });
    const at = `services[0].ports[0].backends.10.1.0.2:80.through.${path}`;
    t.like(
      t.throws(() => compiler.plan(model, SLOTS), { message }),
      {
        code: 'ERR_ROUTE_SPEC',
        path: at,
      },
    );
  };
  fails({ dev: 'dwn' }, 'dev', /did you mean down/);
  fails({ via: '192.0.2.1' }, 'via', /on the link of no interface/);
  fails({ via: '10.1.0.1' }, 'via', /our own address/);
});
