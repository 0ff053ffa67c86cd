// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a command is run to its end. */
export interface RunOptions {
  timeoutMs?: number;
  /** Ends the command when it is aborted. */
  signal?: AbortSignal;
  /** Text for the command's standard input. */
  input?: string;
  /** Exit codes other than 0 are no failure. */
  anyExitCode?: boolean;
}

export interface CommandOutput {
  stdout: string;
  stderr: string;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const STOP_GRACE_MS = 2_000;
const KEPT_OUTPUT = 4_000;

/** Processes that this one starts; none of them outlives it. */
export class Children {
  readonly #running = new Set<ChildProcess>();
  #started = 0;

  /** How many were ever started to stay. */
  get started(): number {
    return this.#started;
  }

  /** Runs a command to its end. The error names the command and what it said. */
  async run(
    command: string,
    args: readonly string[],
    options: RunOptions = {},
  ): Promise<CommandOutput> {
    options.signal?.throwIfAborted();
    const child = this.#spawn(command, args);
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
      });
    // A command that ends before it has read its input says why on stderr.
    child.stdin?.on('error', () => undefined).end(options.input ?? '');
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      kill(child, 'SIGKILL');
    }, timeoutMs);
    const abort = (): void => kill(child, 'SIGKILL');
    options.signal?.addEventListener('abort', abort, { once: true });
    try {
      const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
      options.signal?.throwIfAborted();
      if (late) throw commandError(command, args, `no end after ${timeoutMs / 1000} s`, output);
      if (code !== 0 && !(options.anyExitCode === true && code !== null))
        throw commandError(command, args, `ended with ${code ?? signal}`, output);
      return output;
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', abort);
    }
  }

  /** Starts a command that stays. Its standard input stays open as long as this process lives. */
  start(command: string, args: readonly string[]): StayingProcess {
    this.#started++;
    return new StayingProcess(this.#spawn(command, args), command, args);
  }

  /** At once and synchronously, for the end of this process. */
  killAll(): void {
    for (const child of this.#running) kill(child, 'SIGKILL');
  }

  #spawn(command: string, args: readonly string[]): ChildProcess {
    // A session of its own: Ctrl-C in the terminal is for this process, which ends them in order.
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    child.once('error', () => this.#running.delete(child));
    return child;
  }
}

/** A process that runs until it is stopped. */
export class StayingProcess {
  readonly #child: ChildProcess;
  readonly #title: string;
  #output = '';
  #failure: string | null = null;
  readonly #closed: Promise<void>;

  constructor(child: ChildProcess, command: string, args: readonly string[]) {
    this.#child = child;
    this.#title = [command, ...args].join(' ');
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
      });
    child.stdin?.on('error', () => undefined);
    this.#closed = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#failure = error.message;
        resolve();
      });
      child.once('close', (code, signal) => {
        this.#failure ??= `ended with ${code ?? signal}`;
        resolve();
      });
    });
  }

  /** @throws Error if the process has ended */
  assertRunning(): void {
    if (this.#failure !== null)
      throw new Error(`${this.#title}: ${this.#failure}${lastLines(this.#output)}`);
  }

  /** Waits until the process has written `text`. */
  async wrote(text: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    await waitFor(
      () => {
        this.assertRunning();
        return this.#output.includes(text);
      },
      { what: this.#title, timeoutMs, signal },
    );
  }

  /** Ends the process, gently first. Rejects if it does not go. */
  async stop(): Promise<void> {
    if (this.#failure !== null) return;
    this.#child.stdin?.end();
    kill(this.#child, 'SIGTERM');
    const timer = setTimeout(() => kill(this.#child, 'SIGKILL'), STOP_GRACE_MS);
    await this.#closed;
    clearTimeout(timer);
  }
}

/** Looks every few milliseconds whether something is so. */
export async function waitFor(
  holds: () => boolean,
  options: { what: string; timeoutMs: number; signal: AbortSignal },
): Promise<void> {
  const end = performance.now() + options.timeoutMs;
  while (!holds()) {
    if (performance.now() > end)
      throw new Error(`${options.what}: not ready after ${options.timeoutMs / 1000} s`);
    await sleep(20, undefined, { signal: options.signal });
  }
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    // The whole session of the child.
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}

function commandError(
  command: string,
  args: readonly string[],
  what: string,
  { stdout, stderr }: CommandOutput,
): Error {
  return new Error(`${[command, ...args].join(' ')}: ${what}${lastLines(stderr || stdout)}`);
}

function lastLines(text: string): string {
  const lines = text.trimEnd().split('\n').slice(-5).join('\n  ');
  return lines === '' ? '' : `\n  ${lines}`;
}
