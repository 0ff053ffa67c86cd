// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { Outcome } from '../../lib/cli/demo/outcome.js';

const MAIN = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url));
const LIMIT_MS = 150_000;

/** A `sluice demo` in a process. */
export interface Demo {
  child: ChildProcess;
  stdout: () => string;
  stderr: () => string;
  code: Promise<number | null>;
}

/** Ended when the test ends, whatever happens. */
export function startDemo(t: ExecutionContext, words: readonly string[]): Demo {
  t.timeout(LIMIT_MS);
  const child = spawn(process.execPath, ['--import=tsx', MAIN, 'demo', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
  // SIGTERM, so that even a test that fails leaves nothing behind.
  t.teardown(() => child.kill('SIGTERM'));
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
    });
  const code = once(child, 'close').then(([exitCode]) => exitCode as number | null);
  return { child, code, stdout: () => text.stdout, stderr: () => text.stderr };
}

/** Waits until the demo has written something on its standard error. */
export async function said(demo: Demo, pattern: RegExp): Promise<void> {
  while (!pattern.test(demo.stderr())) {
    if (demo.child.exitCode !== null) throw new Error(`the demo has ended: ${demo.stderr()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What it printed with `--json`. */
export function lastLine(demo: Demo): Outcome {
  return JSON.parse(demo.stdout().trimEnd().split('\n').at(-1)!) as Outcome;
}
