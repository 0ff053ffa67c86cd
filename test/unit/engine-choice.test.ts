// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { type EngineStarters, openEngine, preferredEngine } from '../../lib/engine/choose.js';
import { ENGINE_DEFAULTS, type Engine, type EngineDescription } from '../../lib/engine/engine.js';
import { SoftwareEngine } from '../../lib/engine/software/engine.js';
import { SluiceError } from '../../lib/errors.js';

const BUILD = { dpdk: 'DPDK 22.11.11', cpu: ['sse4.2'] };
const AVAILABLE = { available: true, description: BUILD } as const;
const MISSING = { available: false, why: 'the native addon is not built: no compiler' } as const;

/** An engine that is only looked at. */
function fake(description: Partial<EngineDescription>): Engine {
  const whole = { ...BUILD, kind: 'dpdk', hugepages: true, workers: 1, ...description };
  return { description: whole } as unknown as Engine;
}

function starters(more: Partial<EngineStarters>): EngineStarters {
  return {
    availability: () => AVAILABLE,
    native: async () => fake({}),
    software: () => fake({ kind: 'software', dpdk: null, hugepages: false }),
    ...more,
  };
}

function failing(error: Error): EngineStarters {
  return starters({ native: () => Promise.reject(error) });
}

const NO_MEMORY = new SluiceError('ERR_HUGEPAGES', 'hugepages are needed and there are none');
const BUSY = new SluiceError('ERR_ENGINE_BUSY', 'this process runs a native engine already');

test('auto takes dpdk where it starts, and says so', async (t) => {
  const chosen = await openEngine('auto', ENGINE_DEFAULTS, {}, starters({}));
  t.is(chosen.engine.description.kind, 'dpdk');
  t.is(chosen.why, 'DPDK 22.11.11 started on 1 worker with hugepages');
  const two = starters({ native: async () => fake({ workers: 2, hugepages: false }) });
  t.is(
    (await openEngine('auto', ENGINE_DEFAULTS, {}, two)).why,
    'DPDK 22.11.11 started on 2 workers without hugepages',
  );
});

test('auto takes software where there is no addon, DPDK does not start, or is busy', async (t) => {
  const cases: [EngineStarters, string][] = [
    [starters({ availability: () => MISSING }), MISSING.why],
    [failing(NO_MEMORY), `DPDK did not start: ${NO_MEMORY.message}`],
    [failing(BUSY), `DPDK did not start: ${BUSY.message}`],
    [failing(new Error('boom')), 'DPDK did not start: boom'],
  ];
  for (const [engines, why] of cases) {
    const chosen = await openEngine('auto', ENGINE_DEFAULTS, {}, engines);
    t.is(chosen.engine.description.kind, 'software');
    t.is(chosen.why, why);
  }
});

test('a wrong option is no reason to take another engine', async (t) => {
  const wrong = new SluiceError('ERR_OPTIONS', 'must be 1', { path: 'workers' });
  await t.throwsAsync(openEngine('auto', ENGINE_DEFAULTS, {}, failing(wrong)), { is: wrong });
  await t.throwsAsync(openEngine('dpdk', ENGINE_DEFAULTS, {}, failing(wrong)), { is: wrong });
});

test('dpdk that cannot run is an error with the reason', async (t) => {
  const missing = starters({ availability: () => MISSING });
  await t.throwsAsync(openEngine('dpdk', ENGINE_DEFAULTS, {}, missing), {
    instanceOf: SluiceError,
    code: 'ERR_ENGINE_UNAVAILABLE',
    message: `engine: dpdk cannot run: ${MISSING.why}`,
  });
  await t.throwsAsync(openEngine('dpdk', ENGINE_DEFAULTS, {}, failing(NO_MEMORY)), {
    code: 'ERR_ENGINE_UNAVAILABLE',
    message: /hugepages are needed/,
  });
  await t.throwsAsync(openEngine('dpdk', ENGINE_DEFAULTS, {}, failing(BUSY)), { is: BUSY });
});

test('SLUICE_ENGINE decides for auto and for nothing else', async (t) => {
  const software = { SLUICE_ENGINE: 'software' };
  const chosen = await openEngine('auto', ENGINE_DEFAULTS, software, starters({}));
  t.is(chosen.engine.description.kind, 'software');
  t.is(chosen.why, 'SLUICE_ENGINE=software asks for it');
  const asked = await openEngine('dpdk', ENGINE_DEFAULTS, software, starters({}));
  t.is(asked.engine.description.kind, 'dpdk');
  const missing = starters({ availability: () => MISSING });
  await t.throwsAsync(openEngine('auto', ENGINE_DEFAULTS, { SLUICE_ENGINE: 'dpdk' }, missing), {
    code: 'ERR_ENGINE_UNAVAILABLE',
    message: /^SLUICE_ENGINE: /,
  });
  await t.throwsAsync(openEngine('auto', ENGINE_DEFAULTS, { SLUICE_ENGINE: 'vpp' }, missing), {
    code: 'ERR_OPTIONS',
    message: /^SLUICE_ENGINE: expected auto, dpdk or software, found "vpp"/,
  });
  const empty = await openEngine('auto', ENGINE_DEFAULTS, { SLUICE_ENGINE: '' }, starters({}));
  t.is(empty.engine.description.kind, 'dpdk');
});

test('what auto would choose is known without starting anything', (t) => {
  t.deepEqual(preferredEngine({}, starters({})), {
    kind: 'dpdk',
    why: 'the native addon loads, with DPDK 22.11.11',
  });
  t.deepEqual(preferredEngine({}, starters({ availability: () => MISSING })), {
    kind: 'software',
    why: MISSING.why,
  });
  t.is(preferredEngine({ SLUICE_ENGINE: 'dpdk' }, starters({})).kind, 'dpdk');
});

test('the software engine is a real one', async (t) => {
  const { engine } = await openEngine('software', ENGINE_DEFAULTS);
  t.true(engine instanceof SoftwareEngine);
  await engine.close();
});
