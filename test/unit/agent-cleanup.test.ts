// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { AgentLock } from '../../lib/agent/lock.js';
import { command, folderOf } from '../support/cli.js';

/** Sockets of a process that was killed. */
async function abandon(paths: readonly string[]): Promise<void> {
  const script = `const { createServer } = require('node:net');
    let left = ${paths.length};
    for (const path of ${JSON.stringify(paths)})
      createServer().listen(path, () => --left || process.kill(process.pid, 'SIGKILL'));`;
  await once(spawn(process.execPath, ['--eval', script], { stdio: 'inherit' }), 'close');
}

async function listen(t: ExecutionContext, path: string): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => undefined).end()).listen(path);
  t.teardown(() => server.close());
  await once(server, 'listening');
}

async function rig(t: ExecutionContext) {
  const folder = await folderOf(t);
  const at = (name: string): string => join(folder, name);
  const words = ['agent', '--control', at('control'), '--lock-file', at('lock')];
  words.push('--hostname-override', 'node-1', '--cleanup');
  return { at, cleanup: (...more: string[]) => command(...words, ...more) };
}

test('where nothing is left there is nothing to remove', async (t) => {
  const { at, cleanup } = await rig(t);
  t.deepEqual(await cleanup(), { code: 0, stdout: 'nothing to remove\n', stderr: '' });
  t.false(existsSync(at('lock')));
});

test('what a killed agent left is removed; what is not ours, or in use, is kept', async (t) => {
  const { at, cleanup } = await rig(t);
  await abandon(['control', 'lock', 'up', 'vm', 'theirs', 'guest'].map(at));
  await listen(t, at('used'));
  await writeFile(at('file'), 'mine');
  const outcome = await cleanup(
    ...[
      '--interface',
      `memif:up,socket=${at('up')}`,
      '--interface',
      `vhost-user:vm,socket=${at('vm')}`,
    ],
    ...['--interface', `memif:theirs,socket=${at('theirs')},role=client`],
    ...['--interface', `virtio-user:guest,socket=${at('guest')}`],
    ...[
      '--interface',
      `memif:used,socket=${at('used')}`,
      '--interface',
      `memif:file,socket=${at('file')}`,
    ],
  );
  t.deepEqual(outcome, {
    code: 0,
    stderr: '',
    stdout: `removed ${at('lock')} (lock)
removed ${at('control')} (control socket)
removed ${at('up')} (socket of interface up)
removed ${at('vm')} (socket of interface vm)
kept ${at('used')} (socket of interface used): a process listens on it
kept ${at('file')} (socket of interface file): it is not a socket
`,
  });
  for (const name of ['lock', 'control', 'up', 'vm']) t.false(existsSync(at(name)), name);
  for (const name of ['theirs', 'guest', 'used', 'file']) t.true(existsSync(at(name)), name);
});

test('while an agent runs nothing is removed', async (t) => {
  const { at, cleanup } = await rig(t);
  await abandon([at('up')]);
  const lock = await AgentLock.acquire(at('lock'), 'node-1');
  const held = await cleanup('--interface', `memif:up,socket=${at('up')}`);
  t.is(held.code, 1);
  t.regex(held.stderr, /lock: an agent runs on this node already \(process \d+, node node-1\)/);
  await lock[Symbol.asyncDispose]();

  await listen(t, at('control'));
  const answering = await cleanup('--interface', `memif:up,socket=${at('up')}`);
  t.is(answering.code, 1);
  t.regex(answering.stderr, /control: an agent answers here; stop it first \(ERR_AGENT\)/);
  t.true(existsSync(at('up')));
});

test('two interfaces on one socket are one socket', async (t) => {
  const { at, cleanup } = await rig(t);
  await abandon([at('up')]);
  const { stdout } = await cleanup(
    ...['--interface', `memif:a,socket=${at('up')},id=1`],
    ...['--interface', `memif:b,socket=${at('up')},id=2`],
  );
  t.is(stdout, `removed ${at('up')} (socket of interface a)\n`);
});
