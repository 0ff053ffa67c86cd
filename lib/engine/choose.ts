// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import type { Engine, EngineDescription, EngineKind, EngineOptions } from './engine.js';
import { NativeEngine, nativeAvailability } from './native/native.js';
import { SoftwareEngine } from './software/engine.js';

/** An engine that runs, and one sentence on why it is this one. */
export interface ChosenEngine {
  engine: Engine;
  why: string;
}

/** How engines are started; tests put their own in. */
export interface EngineStarters {
  /** Whether the native engine could run at all. Does not start DPDK. */
  availability(): NativeAvailability;
  native(options: EngineOptions): Promise<Engine>;
  software(options: EngineOptions): Promise<Engine> | Engine;
}

export type NativeAvailability =
  | { available: true; description: { dpdk: string; cpu: readonly string[] } }
  | { available: false; why: string };

const STARTERS: EngineStarters = {
  availability: nativeAvailability,
  native: (options) => NativeEngine.open(options),
  software: (options) => SoftwareEngine.open(options),
};

/** Errors that another engine would not cure, or that tell more than "unavailable". */
const OWN_ERRORS: readonly string[] = ['ERR_OPTIONS', 'ERR_ENGINE_BUSY'];

/**
 * Opens an engine. `auto` takes `dpdk` where the native addon loads and DPDK starts, else
 * `software`; the environment variable `SLUICE_ENGINE` (`dpdk` or `software`) decides for `auto`.
 *
 * @throws SluiceError `ERR_ENGINE_UNAVAILABLE` if `dpdk` was asked for and cannot run;
 * `ERR_ENGINE_BUSY` if `dpdk` was asked for and runs in this process already; `ERR_OPTIONS`
 */
export async function openEngine(
  choice: 'auto' | EngineKind,
  options: EngineOptions,
  environment: NodeJS.ProcessEnv = process.env,
  starters: EngineStarters = STARTERS,
): Promise<ChosenEngine> {
  const { kind, asked } = decide(choice, environment);
  if (kind === 'software')
    return { engine: await starters.software(options), why: wish(kind, asked) };
  const native = await tryNative(options, starters);
  if ('engine' in native) return native;
  if (kind === 'auto') {
    if (native.error?.code === 'ERR_OPTIONS') throw native.error;
    return { engine: await starters.software(options), why: native.why };
  }
  if (native.error !== null && OWN_ERRORS.includes(native.error.code)) throw native.error;
  throw new SluiceError('ERR_ENGINE_UNAVAILABLE', `dpdk cannot run: ${native.why}`, {
    path: asked,
    cause: native.error,
  });
}

/**
 * What {@link openEngine} would try first, without starting anything: that DPDK starts is known
 * only when it has.
 */
export function preferredEngine(
  environment: NodeJS.ProcessEnv = process.env,
  starters: EngineStarters = STARTERS,
): { kind: EngineKind; why: string } {
  const { kind, asked } = decide('auto', environment);
  if (kind !== 'auto') return { kind, why: wish(kind, asked) };
  const availability = starters.availability();
  return availability.available
    ? { kind: 'dpdk', why: `the native addon loads, with ${versionOf(availability.description)}` }
    : { kind: 'software', why: availability.why };
}

function wish(kind: EngineKind, asked: string): string {
  return asked === 'engine' ? `${kind} was asked for` : `${asked}=${kind} asks for it`;
}

function decide(
  choice: 'auto' | EngineKind,
  environment: NodeJS.ProcessEnv,
): { kind: 'auto' | EngineKind; asked: string } {
  if (choice !== 'auto') return { kind: choice, asked: 'engine' };
  const asked = 'SLUICE_ENGINE';
  const value = environment[asked];
  if (value === undefined || value === '' || value === 'auto') return { kind: 'auto', asked };
  if (value === 'dpdk' || value === 'software') return { kind: value, asked };
  throw new SluiceError(
    'ERR_OPTIONS',
    `expected auto, dpdk or software, found ${JSON.stringify(value)}`,
    { path: asked },
  );
}

async function tryNative(
  options: EngineOptions,
  starters: EngineStarters,
): Promise<ChosenEngine | { why: string; error: SluiceError | null }> {
  const availability = starters.availability();
  if (!availability.available) return { why: availability.why, error: null };
  try {
    const engine = await starters.native(options);
    return { engine, why: started(engine.description) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      why: `DPDK did not start: ${reason}`,
      error: error instanceof SluiceError ? error : null,
    };
  }
}

function started(description: EngineDescription): string {
  const workers = description.workers === 1 ? '1 worker' : `${description.workers} workers`;
  const memory = description.hugepages ? 'with hugepages' : 'without hugepages';
  return `${versionOf(description)} started on ${workers} ${memory}`;
}

function versionOf({ dpdk }: { dpdk: string | null }): string {
  if (dpdk === null) return 'DPDK';
  return dpdk.startsWith('DPDK') ? dpdk : `DPDK ${dpdk}`;
}
