// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../../errors.js';
import { ENGINE_DEFAULTS, type EngineOptions } from '../engine.js';

const COUNTS = ['flows', 'backends', 'interfaces', 'neighbours'] as const;

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
  for (const name of COUNTS) checkCount(name, complete[name], 2 ** 24);
  for (const [name, seconds] of Object.entries(complete.timeouts)) {
    checkCount(`timeouts.${name}`, seconds, 2 ** 32 - 1);
  }
  if (complete.interfaces > 0xffff) {
    throw new SluiceError('ERR_OPTIONS', 'must be at most 65535', { path: 'interfaces' });
  }
  if (complete.clock !== 'real' && complete.clock !== 'manual') {
    throw new SluiceError('ERR_OPTIONS', 'must be real or manual', { path: 'clock' });
  }
  return complete;
}

function checkCount(path: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new SluiceError('ERR_OPTIONS', `must be a whole number from 1 to ${most}`, { path });
}
