// SPDX-License-Identifier: Apache-2.0
import type { Logger } from 'pino';
import { SluiceError } from '../errors.js';
import type { EffectiveConfiguration } from './effective.js';

/**
 * Runs the agent of a node until `stop` is aborted.
 * @throws SluiceError if it cannot start
 */
export async function runNodeAgent(
  _configuration: EffectiveConfiguration,
  _log: Logger,
  _stop: AbortSignal,
): Promise<void> {
  throw new SluiceError('ERR_AGENT', 'the agent of a node is not there yet');
}
