// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { Compiler } from '../../lib/compile/compile.js';
import { checkModel } from '../../lib/model/check.js';
import type { Model } from '../../lib/model/model.js';
import { interfaces, NAMES, node, services } from '../support/model-random.js';
import { ProgramState } from '../support/program-state.js';

const LIMITS = { backends: 10_000, routes: 100 };
/** Routes that every choice of interfaces allows: there are none, or eth0 is there. */
const model = fc
  .record({ services, interfaces, node, mac: fc.boolean() })
  .map(({ services, interfaces, node, mac }): Model => {
    const hasLink = interfaces.some(({ name }) => name === 'eth0');
    const route = { prefix: 'default', via: '10.0.0.9', ...(mac && { mac: '02:00:00:00:00:09' }) };
    return { services, interfaces, node, routes: hasLink ? [route] : [] };
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
      const compiler = new Compiler(LIMITS);
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
        fresh.apply(new Compiler(LIMITS).plan(checked, slotsOf(shift)).delta);
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
    is(compiler.view.portOfService(port.number), port);
    for (const backend of port.backends) {
      count++;
      is(slots.get(`${port.number} ${backend.address} ${backend.port}`), backend.slot);
      is(compiler.view.backend(backend.slot)?.backend, backend);
      is(compiler.view.backend(backend.slot)?.port, port);
    }
    for (const frontend of port.frontends) {
      is(compiler.view.frontend(frontend.slot)?.frontend, frontend);
    }
    for (const choice of ['cluster', 'local'] as const) {
      const pool = port.pools[choice];
      if (pool !== null) is(compiler.view.pool(pool.slot)?.choice, choice);
    }
  }
  is(count, slots.size);
}
