// SPDX-License-Identifier: Apache-2.0
// `npm start`: the whole set-up, then the demo. stdout is the demo's alone.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './native.js';
import { setUp } from './steps.js';

const REPEATED_WITHIN_MS = 500;

const results = await setUp();
for (const name of ['npmPackages', 'typescript']) {
  if (results[name]?.outcome === 'failed') {
    process.stderr.write('[sluice] the demo cannot start without this step\n');
    process.exit(1);
  }
}

// A process group of its own: at Ctrl-C the terminal signals the whole foreground group and npm
// passes the signal on besides, and the demo is to clean up once. The channel tells the demo when
// this process has gone without a word.
const demo = spawn(
  process.execPath,
  [
    '--import',
    new URL('./end-with-parent.js', import.meta.url).href,
    join(ROOT, 'dist/cli/main.js'),
    'demo',
    ...process.argv.slice(2),
  ],
  { detached: true, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] },
);
const lastSent = new Map();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGWINCH']) {
  process.on(signal, () => {
    const now = Date.now();
    if (now - (lastSent.get(signal) ?? 0) < REPEATED_WITHIN_MS && signal !== 'SIGWINCH') return;
    lastSent.set(signal, now);
    demo.kill(signal);
  });
}
demo.on('error', (error) => {
  process.stderr.write(`[sluice] the demo did not start: ${error.message}\n`);
  process.exitCode = 1;
});
demo.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
  if (demo.connected) demo.disconnect();
});
