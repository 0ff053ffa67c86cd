// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../../errors.js';
import { ENGINE_DEFAULTS, type EngineOptions } from '../engine.js';

const MOST = 2 ** 24;

/** Smallest and largest value of every number that means something here; timeouts are apart. */
const RANGES = {
  flows: [1, MOST],
  flows6: [1, MOST],
  affinities: [1, MOST],
  backends: [1, MOST],
  interfaces: [1, 0xffff],
  neighbours: [1, MOST],
  routes: [1, MOST],
  heldPerNeighbour: [1, MOST],
  heldPackets: [1, MOST],
  fragments: [1, MOST],
  fragmentPackets: [1, MOST],
  icmpRate: [0, MOST],
  snatPortMin: [1, 0xffff],
  snatPortMax: [1, 0xffff],
} as const;

/**
 * Fills in what is missing. The software engine has one worker and no packet memory of its own, so
 * `workers`, `mbufs`, `hugepages` and `memory` mean nothing to it.
 *
 * @throws SluiceError `ERR_OPTIONS`
 */
export function completeOptions(options: Partial<EngineOptions>): EngineOptions {
  const complete: EngineOptions = {
    ...ENGINE_DEFAULTS,
    ...options,
    workers: 1,
    timeouts: { ...ENGINE_DEFAULTS.timeouts, ...options.timeouts },
  };
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    checkNumber(name, complete[name as keyof typeof RANGES], least, most);
  }
  checkNumber('snatPortMax', complete.snatPortMax, complete.snatPortMin, 0xffff);
  for (const [name, seconds] of Object.entries(complete.timeouts)) {
    checkNumber(`timeouts.${name}`, seconds, 1, 2 ** 32 - 1);
  }
  if (typeof complete.tcpPickup !== 'boolean') {
    throw new SluiceError('ERR_OPTIONS', 'must be true or false', { path: 'tcpPickup' });
  }
  if (complete.clock !== 'real' && complete.clock !== 'manual') {
    throw new SluiceError('ERR_OPTIONS', 'must be real or manual', { path: 'clock' });
  }
  return complete;
}

function checkNumber(path: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const message = `must be a whole number from ${least} to ${most}`;
  throw new SluiceError('ERR_OPTIONS', message, { path });
}
