// SPDX-License-Identifier: Apache-2.0
import { ENGINE_DEFAULTS, type EngineOptions, type FlowTimeouts } from '../engine/engine.js';
import type { ErrorCode } from '../errors.js';
import { Fields } from './fields.js';

export const ENGINE_CHOICES = ['auto', 'dpdk', 'software'] as const;

/** Which engine to take; `auto` takes `dpdk` where it can run. */
export type EngineChoice = (typeof ENGINE_CHOICES)[number];

/** Engine limits as a user gives them: every one may be left out, timeouts one by one. */
export type EngineOptionsInput = Partial<Omit<EngineOptions, 'timeouts'>> & {
  timeouts?: Partial<FlowTimeouts>;
};

/** Options that have been checked, with every default filled in. */
export interface CheckedOptions {
  engine: EngineChoice;
  options: EngineOptions;
}

/** Smallest and largest value of every number among the options. */
const RANGES = {
  workers: [1, 64],
  flows: [16, 16_777_216],
  backends: [1, 1_048_576],
  interfaces: [1, 1_024],
  neighbours: [1, 1_048_576],
  mbufs: [1_024, 4_194_304],
  memory: [64, 1_048_576],
} as const;

const TIMEOUT_RANGE = [1, 31_536_000] as const;
const HUGEPAGES = ['auto', 'on', 'off'] as const;
const CLOCKS = ['real', 'manual'] as const;

/** The keys of {@link EngineOptions}. */
export const OPTION_KEYS: readonly string[] = Object.keys(ENGINE_DEFAULTS);

/**
 * Checks `{ engine, ...EngineOptions }` as `ServiceProxy.open` takes it.
 * @param passed - further keys that are none of this function's business
 * @throws SluiceError `ERR_OPTIONS`, path such as `timeouts.udpStream`
 */
export function checkOpenOptions(value: unknown, passed: readonly string[] = []): CheckedOptions {
  const fields = new Fields(value, '', 'ERR_OPTIONS', ['engine', ...OPTION_KEYS, ...passed]);
  return {
    engine: fields.has('engine') ? fields.oneOf('engine', ENGINE_CHOICES) : 'auto',
    options: readOptions(fields),
  };
}

/**
 * Checks engine limits and timeouts alone.
 * @param path - what the keys hang from in errors, such as `options`
 * @throws SluiceError of `code`
 */
export function checkEngineOptions(
  value: unknown,
  path: string,
  code: ErrorCode = 'ERR_OPTIONS',
): EngineOptions {
  return readOptions(new Fields(value, path, code, OPTION_KEYS));
}

function readOptions(fields: Fields): EngineOptions {
  const options: EngineOptions = { ...ENGINE_DEFAULTS, timeouts: readTimeouts(fields) };
  for (const [key, [min, max]] of Object.entries(RANGES)) {
    if (fields.has(key)) options[key as keyof typeof RANGES] = fields.integer(key, min, max);
  }
  if (fields.has('hugepages')) options.hugepages = fields.oneOf('hugepages', HUGEPAGES);
  if (fields.has('clock')) options.clock = fields.oneOf('clock', CLOCKS);
  return options;
}

function readTimeouts(fields: Fields): FlowTimeouts {
  const timeouts = { ...ENGINE_DEFAULTS.timeouts };
  if (!fields.has('timeouts')) return timeouts;
  const keys = Object.keys(timeouts) as (keyof FlowTimeouts)[];
  const path = fields.pathOf('timeouts');
  const given = new Fields(fields.value('timeouts'), path, fields.code, keys);
  for (const key of keys) {
    if (given.has(key)) timeouts[key] = given.integer(key, ...TIMEOUT_RANGE, 'seconds');
  }
  return timeouts;
}
