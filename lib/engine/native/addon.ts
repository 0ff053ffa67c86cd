// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import type { Addon } from '../../../typings/addon.js';
import { PROGRAM_COLUMNS } from '../../compile/program.js';
import { WORKER_COUNTERS } from '../engine.js';
import { DROP_REASONS } from '../reasons.js';

/** The addon, or why there is none. */
export type LoadedAddon = { addon: Addon } | { why: string };

let loaded: LoadedAddon | undefined;

/**
 * Finds and loads the native addon, once. `SLUICE_ADDON` names another build of it (a sanitizer's).
 * An addon that was built from other tables than this code is refused here, before it can do harm.
 */
export function loadAddon(): LoadedAddon {
  loaded ??= load();
  return loaded;
}

function load(): LoadedAddon {
  if (!isMainThread) return { why: 'DPDK runs in the main thread of a process only' };
  const require = createRequire(import.meta.url);
  let addon: Addon;
  try {
    const chosen = process.env['SLUICE_ADDON'];
    addon = chosen
      ? require(chosen)
      : require('bindings')({
          bindings: 'sluice',
          module_root: fileURLToPath(new URL('../../../', import.meta.url)),
        });
  } catch (error) {
    const message = (error as Error).message.split('\n')[0];
    return {
      why: message?.includes('Could not locate the bindings file')
        ? 'the native addon is not built (`npm rebuild sluice`, or `npm run build:native` in a clone, builds it; it needs a C++ compiler and libdpdk-dev)'
        : `the native addon does not load: ${message}`,
    };
  }
  const description = addon.describe();
  const tables: [string, readonly string[], readonly string[]][] = [
    ['drop reasons', description.reasons, DROP_REASONS],
    ['program columns', description.columns, PROGRAM_COLUMNS],
    ['worker counters', description.workerCounters, WORKER_COUNTERS],
  ];
  for (const [what, theirs, ours] of tables) {
    if (theirs.join() !== ours.join()) {
      return { why: `the native addon was built with other ${what}: run \`npm run build:native\`` };
    }
  }
  return { addon };
}
