// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { AgentLock, holderOf } from '../../lib/agent/lock.js';
import { SluiceError } from '../../lib/errors.js';
import { command, folderOf } from '../support/cli.js';

const LOCK_MODULE = new URL('../../lib/agent/lock.ts', import.meta.url).href;

async function lockPath(t: ExecutionContext): Promise<string> {
  return join(await folderOf(t), 'run', 'agent.lock');
}

/** A process that takes the lock, says so, and holds it until it is killed. */
async function holder(t: ExecutionContext, path: string) {
  const script = `import { AgentLock } from ${JSON.stringify(LOCK_MODULE)};
    try {
      globalThis.lock = await AgentLock.acquire(${JSON.stringify(path)}, 'node-2');
      console.log('held');
    } catch (error) {
      console.log(error.message);
    }
    setInterval(() => undefined, 1000);`;
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.teardown(() => child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    pid: child.pid!,
    said: said.toString().trim(),
    end: async (signal: NodeJS.Signals) => {
      const closed = once(child, 'close');
      child.kill(signal);
      if (signal === 'SIGKILL') await closed;
    },
  };
}

async function refusal(t: ExecutionContext, path: string): Promise<string> {
  const error = await t.throwsAsync(AgentLock.acquire(path, 'node-1'), {
    instanceOf: SluiceError,
    code: 'ERR_AGENT',
  });
  return error.message;
}

test('a lock is held by one, says by whom, and is free again afterwards', async (t) => {
  const path = await lockPath(t);
  const lock = await AgentLock.acquire(path, 'node-1');
  t.false(lock.wasStale);
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.deepEqual(await holderOf(path), { pid: process.pid, node: 'node-1' });
  t.is(
    await refusal(t, path),
    `${path}: an agent runs on this node already (process ${process.pid}, node node-1); stop it first`,
  );
  await lock[Symbol.asyncDispose]();
  t.false(existsSync(path));
  await (await AgentLock.acquire(path, 'node-1'))[Symbol.asyncDispose]();
});

test('another process is named; when it is killed its lock is nobody’s', async (t) => {
  const path = await lockPath(t);
  const other = await holder(t, path);
  t.is(other.said, 'held');
  t.true((await refusal(t, path)).includes(`(process ${other.pid}, node node-2)`));
  const folder = await folderOf(t);
  const agent = await command(
    ...['agent', '--lock-file', path, '--control', join(folder, 'c'), '--log-level', 'silent'],
  );
  t.is(agent.code, 1);
  t.true(agent.stderr.includes(`(process ${other.pid}, node node-2)`), agent.stderr);

  await other.end('SIGKILL');
  t.true(existsSync(path), 'it could not clean up');
  const lock = await AgentLock.acquire(path, 'node-1');
  t.true(lock.wasStale);
  await lock[Symbol.asyncDispose]();
});

test('a process that does not answer holds its lock nevertheless', async (t) => {
  const path = await lockPath(t);
  const other = await holder(t, path);
  await other.end('SIGSTOP');
  t.is(await refusal(t, path), `${path}: an agent runs on this node already; stop it first`);
});

test('of many that find the lock of a killed one, one gets it', async (t) => {
  const path = await lockPath(t);
  const killed = await holder(t, path);
  await killed.end('SIGKILL');
  const others = await Promise.all([1, 2, 3, 4].map(() => holder(t, path)));
  t.is(others.filter(({ said }) => said === 'held').length, 1, others.map((o) => o.said).join());
  const winner = others.find(({ said }) => said === 'held')!;
  t.is((await holderOf(path))?.pid, winner.pid);
  for (const { said, pid } of others)
    if (pid !== winner.pid) t.true(said.includes(`process ${winner.pid}`), said);
});

test('of many at the same moment one gets it, and the others know of it', async (t) => {
  const path = await lockPath(t);
  const race = async (): Promise<void> => {
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4].map(() => AgentLock.acquire(path, 'node-1')),
    );
    const held = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    t.is(held.length, 1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected')
        t.true(outcome.reason.message.includes(`(process ${process.pid}, `), `${outcome.reason}`);
    await held[0]!.value[Symbol.asyncDispose]();
  };
  await race();
  const killed = await holder(t, path);
  await killed.end('SIGKILL');
  await race();
});

test('what is no lock is not taken away', async (t) => {
  const path = join(await folderOf(t), 'file');
  await writeFile(path, 'mine');
  t.is(
    await refusal(t, path),
    `${path}: exists and is not a socket; give another path with --lock-file`,
  );
  const below = join(path, 'agent.lock');
  t.regex(await refusal(t, below), /cannot make its folder/);
});

test('whoever stays connected does not keep an agent from ending', async (t) => {
  const path = await lockPath(t);
  const lock = await AgentLock.acquire(path, 'node-1');
  const lingering = connect({ path, allowHalfOpen: true });
  lingering.on('error', () => undefined);
  t.teardown(() => lingering.destroy());
  await once(lingering, 'connect');
  await lock[Symbol.asyncDispose]();
  t.false(existsSync(path));
});

test('a stranger at the socket is no reason to start', async (t) => {
  const path = join(await folderOf(t), 'agent.lock');
  const stranger = createServer((socket) =>
    socket.on('error', () => undefined).end('hello\n'),
  ).listen(path);
  t.teardown(() => stranger.close());
  await once(stranger, 'listening');
  t.is(await holderOf(path), null);
  t.true((await refusal(t, path)).endsWith('an agent runs on this node already; stop it first'));
});

test('who waits for a turn warns of nothing', async (t) => {
  const path = await lockPath(t);
  const turn = createServer();
  turn.listen(`\0sluice-${createHash('sha256').update(path).digest('hex')}`);
  await once(turn, 'listening');
  const warnings: Error[] = [];
  const warned = (warning: Error): number => warnings.push(warning);
  process.on('warning', warned);
  setTimeout(() => turn.close(), 400);
  await using lock = await AgentLock.acquire(path, 'node-1');
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', warned);
  t.false(lock.wasStale);
  t.deepEqual(warnings, []);
});
