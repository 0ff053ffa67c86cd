// SPDX-License-Identifier: Apache-2.0
// Progress of the set-up, on stderr: stdout belongs to what is started afterwards.
import { tail } from './processes.js';

const HEARTBEAT_MS = 5_000;

/** A step was needed and has been taken. */
export const done = (why = '') => ({ outcome: 'done', why });
/** A step was not needed, or cannot be taken here; the rest goes on. */
export const skipped = (why) => ({ outcome: 'skipped', why });
/** A step was tried and went wrong. `log` is what its program said. */
export const failed = (why, log = '') => ({ outcome: 'failed', why, log });

/**
 * Takes a step and reports it in one line. `action` gets a function `starting(what)` that it calls
 * once if there is work to do; it answers with {@link done}, {@link skipped} or {@link failed}.
 */
export async function step(name, action, stream = process.stderr) {
  const begin = Date.now();
  let heartbeat;
  const starting = (what) => {
    stream.write(`[sluice] ${name}: ${what} ...`);
    heartbeat = setInterval(() => stream.write('.'), HEARTBEAT_MS);
  };
  let result;
  try {
    result = await action(starting);
  } catch (error) {
    result = failed(error.message, error.stack);
  }
  clearInterval(heartbeat);
  const seconds = Math.round((Date.now() - begin) / 1000);
  const prefix = heartbeat ? ' ' : `[sluice] ${name}: `;
  const why = result.why ? `: ${result.why}` : '';
  if (result.outcome === 'done') stream.write(`${prefix}done (${seconds} s)${why}\n`);
  else if (result.outcome === 'skipped') stream.write(`${prefix}skipped${why}\n`);
  else {
    stream.write(`${prefix}failed (${seconds} s)${why}\n`);
    if (result.log) stream.write(`${tail(result.log).replace(/^/gm, '  | ')}\n`);
  }
  return result;
}
