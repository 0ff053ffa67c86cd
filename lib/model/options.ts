// SPDX-License-Identifier: Apache-2.0
import { type ErrorCode, SluiceError } from '../errors.js';
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
  flows6?: number;
  affinities?: number;
  backends?: number;
  interfaces?: number;
  neighbours?: number;
  routes?: number;
  heldPerNeighbour?: number;
  heldPackets?: number;
  fragments?: number;
  fragmentPackets?: number;
  icmpRate?: number;
  snatPortMin?: number;
  snatPortMax?: number;
  tcpPickup?: boolean;
  mbufs?: number;
  /** MiB. */
  memory?: number;
  hugepages?: 'auto' | 'on' | 'off';
  clock?: 'real' | 'manual';
  timeouts?: TimeoutsInput;
}

/** Seconds, each of them. */
export type TimeoutsInput = { [Key in (typeof TIMEOUT_KEYS)[number]]?: number };

/** Options that have been checked. What was left out is left out. */
export interface CheckedOptions {
  engine: EngineChoice;
  options: EngineOptionsInput;
}

/** Smallest and largest value of every number among the options. */
export const OPTION_RANGES = {
  workers: [1, 64],
  flows: [16, 16_777_216],
  flows6: [16, 16_777_216],
  affinities: [1, 16_777_216],
  backends: [1, 1_048_576],
  interfaces: [1, 1_024],
  neighbours: [1, 1_048_576],
  routes: [1, 1_048_576],
  heldPerNeighbour: [1, 65_536],
  heldPackets: [1, 65_536],
  fragments: [1, 65_536],
  fragmentPackets: [1, 65_536],
  icmpRate: [0, 1_000_000],
  snatPortMin: [1, 65_535],
  snatPortMax: [1, 65_535],
  mbufs: [1_024, 4_194_304],
  memory: [64, 1_048_576],
} as const;

/** Smallest and largest timeout, seconds. */
export const TIMEOUT_RANGE = [1, 31_536_000] as const;
export const HUGEPAGES = ['auto', 'on', 'off'] as const;
export const CLOCKS = ['real', 'manual'] as const;

/** What there are timeouts for; the engine's `Timeouts` say what each means. */
export const TIMEOUT_KEYS = [
  'tcpUnreplied',
  'tcpSynReceived',
  'tcpEstablished',
  'tcpCloseWait',
  'tcpTimeWait',
  'tcpClosed',
  'udpUnreplied',
  'udpStream',
  'sctpUnreplied',
  'sctpEstablished',
  'sctpClosed',
  'icmp',
  'fragment',
  'hold',
  'neighbourStale',
  'neighbourDead',
] as const;

/** The keys of {@link EngineOptionsInput}. */
export const OPTION_KEYS: readonly string[] = [
  ...Object.keys(OPTION_RANGES),
  'tcpPickup',
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

/**
 * Takes from `defaults` what was left out, timeouts one by one.
 * @throws SluiceError `ERR_OPTIONS` where snatPortMin is above snatPortMax
 */
export function fillOptions<Filled extends SnatPorts & { timeouts: object }>(
  given: EngineOptionsInput,
  defaults: Filled,
): Filled {
  const filled = { ...defaults, ...given, timeouts: { ...defaults.timeouts, ...given.timeouts } };
  const { snatPortMin, snatPortMax } = filled;
  if (snatPortMin <= snatPortMax) return filled;
  const message = `expected at most snatPortMax, which is ${snatPortMax}, found ${snatPortMin}`;
  throw new SluiceError('ERR_OPTIONS', message, { path: 'snatPortMin' });
}

interface SnatPorts {
  snatPortMin: number;
  snatPortMax: number;
}

function readOptions(fields: Fields): EngineOptionsInput {
  const options: EngineOptionsInput = {};
  for (const key of Object.keys(OPTION_RANGES) as (keyof typeof OPTION_RANGES)[]) {
    const [min, max] = OPTION_RANGES[key];
    if (fields.has(key)) options[key] = fields.integer(key, min, max);
  }
  if (fields.has('tcpPickup')) options.tcpPickup = fields.boolean('tcpPickup');
  if (fields.has('hugepages')) options.hugepages = fields.oneOf('hugepages', HUGEPAGES);
  if (fields.has('clock')) options.clock = fields.oneOf('clock', CLOCKS);
  if (fields.has('timeouts')) options.timeouts = readTimeouts(fields);
  return options;
}

function readTimeouts(fields: Fields): TimeoutsInput {
  const path = fields.pathOf('timeouts');
  const given = new Fields(fields.value('timeouts'), path, fields.code, TIMEOUT_KEYS);
  const timeouts: TimeoutsInput = {};
  for (const key of TIMEOUT_KEYS) {
    if (given.has(key)) timeouts[key] = given.integer(key, ...TIMEOUT_RANGE, 'seconds');
  }
  return timeouts;
}
