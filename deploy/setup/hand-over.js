// SPDX-License-Identifier: Apache-2.0
// The end of a set-up: the program that it was for takes over.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const REPEATED_WITHIN_MS = 500;
const END_WITH_PARENT = new URL('./end-with-parent.js', import.meta.url).href;

/**
 * Runs Node with `args` in the place of this process: its streams, the signals that come, and at
 * last its exit code.
 * @param {string} what - for messages: `the demo`
 */
export function handOver(what, args) {
  // A process group of its own: at Ctrl-C the terminal signals the whole foreground group and npm
  // passes the signal on besides, and the program is to clean up once. The channel tells it when
  // this process has gone without a word.
  const child = spawn(process.execPath, ['--import', END_WITH_PARENT, ...args], {
    detached: true,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  const lastSent = new Map();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGWINCH']) {
    process.on(signal, () => {
      const now = Date.now();
      if (now - (lastSent.get(signal) ?? 0) < REPEATED_WITHIN_MS && signal !== 'SIGWINCH') return;
      lastSent.set(signal, now);
      child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`[sluice] ${what} did not start: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
    if (child.connected) child.disconnect();
  });
}
