// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { runCommandLine } from '../../lib/cli/command-line.js';

/** The `sluice` command, for `node --import=tsx`. */
export const MAIN = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url));
const START_MS = 30_000;

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Line of the agent's log. */
export interface LogLine {
  level: string;
  msg: string;
  [key: string]: unknown;
}

/** Runs `sluice WORDS` to its end within this process. Not for `run`, which takes the process over. */
export async function command(...words: string[]): Promise<CliResult> {
  let [stdout, stderr] = ['', ''];
  const code = await runCommandLine(words, {
    out: (text) => {
      stdout += text;
    },
    err: (text) => {
      stderr += text;
    },
  });
  return { code, stdout, stderr };
}

/** Runs `sluice WORDS` to its end in a process, on the software engine where it starts one. */
export async function sluice(
  words: readonly string[],
  more: { stdin?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<CliResult> {
  const child = start(words, more.env);
  child.stdin!.end(more.stdin ?? '');
  const [stdout, stderr] = [gather(child, 'stdout'), gather(child, 'stderr')];
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: stdout(), stderr: stderr() };
}

/** A folder of the test's own, gone when it ends. */
export async function folderOf(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A `sluice run`, or a `sluice agent`, in the background. */
export class RunningAgent {
  readonly control: string;
  readonly #child: ChildProcess;
  readonly #stderr: () => string;

  /** @param child - whose standard error nobody has read yet */
  constructor(child: ChildProcess, control: string) {
    this.#child = child;
    this.control = control;
    this.#stderr = gather(child, 'stderr');
  }

  /** Starts it and waits until it is ready. Killed when the test ends, whatever happens. */
  static async start(
    t: ExecutionContext,
    words: readonly string[],
    control: string,
  ): Promise<RunningAgent> {
    const child = start(['run', ...words, '--control', control]);
    t.teardown(() => child.kill('SIGKILL'));
    child.stdin!.end();
    const agent = new RunningAgent(child, control);
    await agent.logged('ready');
    return agent;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get stderr(): string {
    return this.#stderr();
  }

  get log(): LogLine[] {
    return this.stderr
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Waits until the message is in the log for the `count`th time. */
  async logged(message: string, count = 1): Promise<LogLine> {
    const deadline = Date.now() + START_MS;
    for (;;) {
      const found = this.log.filter(({ msg }) => msg.startsWith(message));
      if (found.length >= count) return found[count - 1]!;
      if (this.#child.exitCode !== null || Date.now() > deadline)
        throw new Error(`the agent did not log "${message}" ${count} times:\n${this.#stderr()}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** `sluice WORDS` against this agent. */
  ask(...words: string[]): Promise<CliResult> {
    return command(...words, '--control', this.control);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** @returns exit code, or `null` if a signal killed it */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.kill(signal);
    return this.ended();
  }

  /** @returns exit code, or `null` if a signal killed it */
  async ended(): Promise<number | null> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return exitCode;
    const [code] = (await once(this.#child, 'close')) as [number | null];
    return code;
  }
}

function start(words: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, ['--import=tsx', MAIN, ...words], {
    stdio: 'pipe',
    env: { ...process.env, SLUICE_ENGINE: 'software', ...env },
  });
}

function gather(child: ChildProcess, stream: 'stdout' | 'stderr'): () => string {
  let text = '';
  child[stream]!.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}
