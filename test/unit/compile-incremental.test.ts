// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { Compiler } from '../../lib/compile/compile.js';
import { checkModel } from '../../lib/model/check.js';
import type { Model } from '../../lib/model/model.js';
import { ProgramState } from '../support/program-state.js';

const NAMES = ['eth0', 'eth1', 'eth2'];

/** A universe so small that names, ports and addresses meet again and again. */
const backends = fc.uniqueArray(
  fc.record({
    address: fc.integer({ min: 1, max: 5 }).map((low) => `10.1.0.${low}`),
    port: fc.constantFrom(80, 81),
    weight: fc.constantFrom(0, 1, 2),
  }),
  { selector: ({ address, port }) => `${address}:${port}`, maxLength: 6 },
);

const service = fc.integer({ min: 0, max: 3 }).chain((number) =>
  fc.record({
    name: fc.constant(`s${number}`),
    addresses: fc.subarray([`10.96.${number}.1`, `10.96.${number}.2`], { minLength: 1 }),
    ports: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c'),
        protocol: fc.constantFrom('TCP' as const, 'UDP' as const),
        port: fc.constantFrom(1, 2),
        backends,
      }),
      {
        minLength: 1,
        maxLength: 3,
        comparator: (a, b) => {
          return a.name === b.name || (a.port === b.port && a.protocol === b.protocol);
        },
      },
    ),
  }),
);

const services = fc.uniqueArray(service, { selector: ({ name }) => name, maxLength: 4 });

const interfaces = fc.subarray(NAMES).map((names) =>
  names.map((name) => ({
    kind: 'memory' as const,
    name,
    addresses: [`10.0.${NAMES.indexOf(name)}.1/24`],
  })),
);

/** Routes that every choice of interfaces allows: there are none, or eth0 is there. */
const model = fc
  .record({ services, interfaces, mac: fc.boolean() })
  .map(({ services, interfaces, mac }): Model => {
    const hasLink = interfaces.some(({ name }) => name === 'eth0');
    const route = { prefix: 'default', via: '10.0.0.9', ...(mac && { mac: '02:00:00:00:00:09' }) };
    return { services, interfaces, routes: hasLink ? [route] : [] };
  });

const slotsOf = (shift: number) => {
  return new Map(NAMES.map((name, index) => [name, { slot: (index + shift) % NAMES.length }]));
};

test('deltas one after the other make the program that the last model makes from nothing', (t) => {
  const steps = fc.array(
    fc.record({ model, accepted: fc.boolean(), shift: fc.integer({ min: 0, max: 2 }) }),
    { minLength: 1, maxLength: 8 },
  );
  fc.assert(
    fc.property(steps, (steps) => {
      const compiler = new Compiler({ backends: 10_000 });
      const state = new ProgramState();
      for (const { model, accepted, shift } of steps) {
        const checked = checkModel(model);
        const plan = compiler.plan(checked, slotsOf(shift));
        if (!accepted) continue;
        const before = state.backendSlots();
        state.apply(plan.delta);
        plan.accept();
        for (const [backend, slot] of state.backendSlots()) {
          const old = before.get(backend);
          if (old !== undefined && !plan.backends.added.some((row) => row.backend.slot === slot)) {
            t.is(slot, old, 'a backend that stays keeps its slot');
          }
        }
        const fresh = new ProgramState();
        fresh.apply(new Compiler({ backends: 10_000 }).plan(checked, slotsOf(shift)).delta);
        t.deepEqual(state.describe(), fresh.describe());
        t.true(compiler.plan(checked, slotsOf(shift)).empty, 'the same again changes nothing');
        checkView(compiler, state, t.is);
      }
    }),
    { numRuns: 300 },
  );
});

function checkView(
  compiler: Compiler,
  state: ProgramState,
  is: (actual: unknown, expected: unknown) => unknown,
): void {
  const slots = state.backendSlots();
  let count = 0;
  for (const port of compiler.view.ports()) {
    is(compiler.view.portOfPool(port.pool), port);
    for (const backend of port.backends) {
      count++;
      is(slots.get(`${port.pool} ${backend.address}:${backend.port}`), backend.slot);
      is(compiler.view.backend(backend.slot)?.backend, backend);
      is(compiler.view.backend(backend.slot)?.port, port);
    }
  }
  is(count, slots.size);
}
