// SPDX-License-Identifier: Apache-2.0
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench } from './bench.js';

/** Where the set-up builds the programs beside the native code. */
const FOLDER = fileURLToPath(new URL('../../build-bench/', import.meta.url));
const TIMEOUT_MS = 1_200_000;

/**
 * Runs one of the programs beside the native code to its end, and reads the JSON that it prints.
 * @throws Error if it fails, prints no JSON, or does not end
 */
export async function runProgram(
  bench: Bench,
  name: string,
  args: readonly string[],
): Promise<unknown> {
  bench.freezeSluices();
  bench.commands.set(name, [`build-bench/${name}`, ...args].join(' '));
  const options = { timeoutMs: TIMEOUT_MS };
  const { stdout } = await bench.children.run(join(FOLDER, basename(name)), args, options);
  return JSON.parse(stdout);
}
