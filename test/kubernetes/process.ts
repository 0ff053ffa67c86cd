// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Launched, LaunchOptions } from './cluster.js';
import type { Tree } from './server/objects.js';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/** The API server as a process of its own. */
export async function startProcess(options: LaunchOptions): Promise<Launched> {
  const { folder, token, serviceCidrs, bookmarkMs, historySize } = options;
  let child: ChildProcess | undefined;
  let lines: Lines | undefined;
  let port = 0;
  const start = async (): Promise<void> => {
    const started = spawn(
      process.execPath,
      [
        ...['--import=tsx', MAIN, '--port', String(port), '--data', join(folder, 'store')],
        ...['--certificates', folder, '--token', token, '--service-cidrs', serviceCidrs.join(',')],
        ...['--bookmark-ms', String(bookmarkMs), '--history-size', String(historySize)],
      ],
      // Its standard input ends with this process, and it ends with that.
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    child = started;
    lines = new Lines(started.stdout!);
    port = await readyOn(started, lines);
  };
  const order = async (what: Tree): Promise<void> => {
    child!.stdin!.write(`${JSON.stringify(what)}\n`);
    const line = await lines!.next();
    if (line !== 'done') throw new Error(line);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child;
    child = undefined;
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = once(ending, 'exit');
    ending.kill(signal);
    await ended;
  };
  await start();
  return {
    url: `https://127.0.0.1:${port}`,
    server: null,
    load: (objects) => order({ load: objects }),
    compact: () => order({ compact: true }),
    kill9: () => end('SIGKILL'),
    restart: start,
    stop: () => end('SIGTERM'),
  };
}

/** The port on which it says that it listens. */
async function readyOn(child: ChildProcess, lines: Lines): Promise<number> {
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the API server ended (${code ?? signal})`);
  });
  const line = await Promise.race([lines.next(), ended]);
  ended.catch(() => {});
  const [, port] = /^ready https:\/\/127\.0\.0\.1:(\d+)$/.exec(line) ?? [];
  if (!port) throw new Error(`the API server said: ${line}`);
  return Number(port);
}

/** What a process says, line by line. */
class Lines {
  #lines: string[] = [];
  #waiting: ((line: string) => void)[] = [];

  constructor(input: Readable) {
    createInterface({ input }).on('line', (line) => {
      const waiting = this.#waiting.shift();
      if (waiting) waiting(line);
      else this.#lines.push(line);
    });
  }

  next(): Promise<string> {
    const line = this.#lines.shift();
    if (line !== undefined) return Promise.resolve(line);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
