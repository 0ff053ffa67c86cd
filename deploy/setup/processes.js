// SPDX-License-Identifier: Apache-2.0
// Child processes that are run to their end: output kept, time bounded, none left behind.
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };
const GRACE_MS = 10_000;
const running = new Set();
let listening = false;
/** Set once a signal has told us to end; we go as soon as the children have gone. */
let endWith = null;

/** Path of a program, or `null` if PATH has none. */
export function which(name) {
  const candidates = name.includes('/')
    ? [name]
    : (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name));
  for (const path of candidates) {
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not this one.
    }
  }
  return null;
}

/**
 * Runs a program. Resolves whatever comes of it: `{ ok, code, signal, timedOut, output }`, `output`
 * being both streams together. `onStdout` and `onStderr` get the text as it arrives.
 */
export function run(command, args, options = {}) {
  const { cwd, env = process.env, timeoutMs = 600_000, onStdout, onStderr } = options;
  listen();
  return new Promise((resolve) => {
    // A process group of its own, so that a timeout or Ctrl-C ends the grandchildren as well.
    const child = spawn(command, args, {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    let output = '';
    let timedOut = false;
    for (const [stream, listener] of [
      [child.stdout, onStdout],
      [child.stderr, onStderr],
    ]) {
      const decoder = new StringDecoder('utf8');
      stream.on('data', (chunk) => {
        const text = decoder.write(chunk);
        output += text;
        listener?.(text);
      });
    }
    const deadline = setTimeout(() => {
      timedOut = true;
      output += `\n${command}: ended after ${Math.round(timeoutMs / 1000)} s\n`;
      signalGroup(child, 'SIGTERM');
      setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS).unref();
    }, timeoutMs);
    const finish = (code, signal) => {
      clearTimeout(deadline);
      running.delete(child);
      if (endWith !== null && running.size === 0) process.exit(endWith);
      resolve({ ok: code === 0 && !timedOut, code, signal, timedOut, output });
    };
    child.on('error', (error) => {
      output += `${error.message}\n`;
      finish(127, null);
    });
    child.on('close', finish);
  });
}

/** The last lines of a log: what a reader of a failure wants to see. */
export function tail(text, lines = 25) {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Gone already.
  }
}

function listen() {
  if (listening) return;
  listening = true;
  for (const [signal, number] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (running.size > 0) {
        endWith = 128 + number;
        for (const child of running) signalGroup(child, signal);
        setTimeout(() => {
          for (const child of running) signalGroup(child, 'SIGKILL');
        }, GRACE_MS).unref();
      } else if (process.listenerCount(signal) === 1) {
        // Between two children, and nobody else has plans for this signal.
        process.exit(128 + number);
      }
    });
  }
}
