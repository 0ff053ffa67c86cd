// SPDX-License-Identifier: Apache-2.0
import type { ErrorCode } from '../errors.js';
import { Fields } from './fields.js';

export const ENGINE_CHOICES = ['auto', 'dpdk', 'software'] as const;

/** Which engine to take; `auto` takes `dpdk` where it can run. */
export type EngineChoice = (typeof ENGINE_CHOICES)[number];

/**
 * Engine limits and timeouts as a user gives them; every one may be left out. The engine's
 * `EngineOptions` say what each means, and a test holds the two together.
 */
export interface EngineOptionsInput {
  workers?: number;
  flows?: number;
  backends?: number;
  interfaces?: number;
  neighbours?: number;
  mbufs?: number;
  /** MiB. */
  memory?: number;
  hugepages?: 'auto' | 'on' | 'off';
  clock?: 'real' | 'manual';
  /** Seconds. */
  timeouts?: FlowTimeoutsInput;
}

/** Idle timeouts of flows, in seconds. */
export interface FlowTimeoutsInput {
  tcpUnreplied?: number;
  tcpEstablished?: number;
  tcpCloseWait?: number;
  tcpClosed?: number;
  udpUnreplied?: number;
  udpStream?: number;
}

/** Options that have been checked. What was left out is left out. */
export interface CheckedOptions {
  engine: EngineChoice;
  options: EngineOptionsInput;
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

/** The keys of {@link FlowTimeoutsInput}. */
export const TIMEOUT_KEYS = [
  'tcpUnreplied',
  'tcpEstablished',
  'tcpCloseWait',
  'tcpClosed',
  'udpUnreplied',
  'udpStream',
] as const;

/** The keys of {@link EngineOptionsInput}. */
export const OPTION_KEYS: readonly string[] = [
  ...Object.keys(RANGES),
  'hugepages',
  'clock',
  'timeouts',
];

/**
 * Checks `{ engine, ...options }` as `ServiceProxy.open` takes it.
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
): EngineOptionsInput {
  return readOptions(new Fields(value, path, code, OPTION_KEYS));
}

/** Takes from `defaults` what was left out, timeouts one by one. */
export function fillOptions<Timeouts extends object, T extends { timeouts: Timeouts }>(
  given: EngineOptionsInput,
  defaults: T,
): T {
  return { ...defaults, ...given, timeouts: { ...defaults.timeouts, ...given.timeouts } };
}

function readOptions(fields: Fields): EngineOptionsInput {
  const options: EngineOptionsInput = {};
  for (const key of Object.keys(RANGES) as (keyof typeof RANGES)[]) {
    const [min, max] = RANGES[key];
    if (fields.has(key)) options[key] = fields.integer(key, min, max);
  }
  if (fields.has('hugepages')) options.hugepages = fields.oneOf('hugepages', HUGEPAGES);
  if (fields.has('clock')) options.clock = fields.oneOf('clock', CLOCKS);
  if (fields.has('timeouts')) options.timeouts = readTimeouts(fields);
  return options;
}

function readTimeouts(fields: Fields): FlowTimeoutsInput {
  const path = fields.pathOf('timeouts');
  const given = new Fields(fields.value('timeouts'), path, fields.code, TIMEOUT_KEYS);
  const timeouts: FlowTimeoutsInput = {};
  for (const key of TIMEOUT_KEYS) {
    if (given.has(key)) timeouts[key] = given.integer(key, ...TIMEOUT_RANGE, 'seconds');
  }
  return timeouts;
}
