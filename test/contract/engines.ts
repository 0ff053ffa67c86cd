// SPDX-License-Identifier: Apache-2.0
import anyTest, { type ExecutionContext } from 'ava';
import type { Engine, EngineOptions } from '../../lib/engine/engine.js';
import { SoftwareEngine } from '../../lib/engine/software/engine.js';

/** An engine that the contract suite runs on. */
export interface EngineUnderTest {
  name: 'software' | 'dpdk';
  open(options: Partial<EngineOptions>): Promise<Engine>;
  /** Registers a test of this engine; one that cannot run here says so in its title. */
  test(title: string, body: (t: ExecutionContext) => Promise<void> | void): void;
}

const native = await findNative();

/** The engines: every case runs on each of them. */
export const ENGINES: readonly EngineUnderTest[] = [
  {
    name: 'software',
    open: (options) => SoftwareEngine.open(options),
    test: (title, body) => anyTest.serial(`software: ${title}`, body),
  },
  {
    name: 'dpdk',
    open: (options) => native!(options),
    test: (title, body) => {
      const register = native === null ? anyTest.skip : anyTest.serial;
      register(`dpdk: ${title}${native === null ? ' (needs the native addon)' : ''}`, body);
    },
  },
];

async function findNative(): Promise<EngineUnderTest['open'] | null> {
  if (process.env['SLUICE_ENGINE'] === 'software') return null;
  const { NativeEngine, nativeAvailability } = await import('../../lib/engine/native/native.js');
  return nativeAvailability().available ? (options) => NativeEngine.open(options) : null;
}
