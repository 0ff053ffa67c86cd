// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Launched, LaunchOptions } from './cluster.js';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/** The API server as a process of its own. */
export async function startProcess(options: LaunchOptions): Promise<Launched> {
  const { folder, token, serviceCidrs, bookmarkMs, historySize } = options;
  let child: ChildProcess | undefined;
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
    port = await readyOn(started);
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
    kill9: () => end('SIGKILL'),
    restart: start,
    stop: () => end('SIGTERM'),
  };
}

/** The port on which it says that it listens. */
function readyOn(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const [, port] = /^ready https:\/\/127\.0\.0\.1:(\d+)\n/m.exec(said) ?? [];
      if (port) resolve(Number(port));
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      reject(new Error(`the API server ended (${code ?? signal}): ${said}`));
    });
  });
}
