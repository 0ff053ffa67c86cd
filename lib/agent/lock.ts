// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { SluiceError } from '../errors.js';
import { listenAlone, makeRoom, socketState } from './unix-sockets.js';

/** Who holds a lock. */
export interface LockHolder {
  pid: number;
  /** Name of the Node object. */
  node: string;
}

const ANSWER_MS = 1_000;
const TURN_MS = 2_000;
const TURN_POLL_MS = 20;

/**
 * One agent per node. A Unix socket is the lock: whoever listens on it holds it, and says who that is
 * to those who connect. It holds over namespaces of processes and of the network, as long as the
 * folder is the same, and ends with the process, however that ends.
 */
export class AgentLock implements AsyncDisposable {
  readonly path: string;
  /** A killed agent had left its lock. */
  readonly wasStale: boolean;
  readonly #server: Server;

  private constructor(path: string, wasStale: boolean, server: Server) {
    this.path = path;
    this.wasStale = wasStale;
    this.#server = server;
  }

  /** @throws SluiceError `ERR_AGENT` if another process holds it, or the path cannot be bound */
  static async acquire(path: string, node: string): Promise<AgentLock> {
    await using _ = await takeTurn(path);
    if ((await socketState(path)) === 'listening') throw heldError(path, await holderOf(path));
    const wasStale = await makeRoom(path, {
      use: 'give another path with --lock-file',
      taken: 'an agent runs on this node already',
    });
    const holder: LockHolder = { pid: process.pid, node };
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      // Nobody who stays connected shall keep the agent from ending.
      socket.end(`${JSON.stringify(holder)}\n`, () => socket.destroy());
    });
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        listenAlone(server, path, resolve);
      });
    } catch (cause) {
      const message = `cannot listen: ${(cause as Error).message}`;
      throw new SluiceError('ERR_AGENT', message, { path, cause });
    }
    server.unref();
    return new AgentLock(path, wasStale, server);
  }

  /** Takes the socket away. */
  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Who holds the lock; `null`: nobody does, or it does not say. */
export function holderOf(path: string): Promise<LockHolder | null> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(path);
    const done = (): void => {
      socket.destroy();
      resolve(readHolder(text));
    };
    socket.setTimeout(ANSWER_MS, done);
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.once('end', done);
    socket.once('error', done);
  });
}

function readHolder(text: string): LockHolder | null {
  try {
    const { pid, node } = JSON.parse(text) as Partial<LockHolder>;
    return typeof pid === 'number' && typeof node === 'string' ? { pid, node } : null;
  } catch {
    return null;
  }
}

function heldError(path: string, holder: LockHolder | null): SluiceError {
  const who = holder === null ? '' : ` (process ${holder.pid}, node ${holder.node})`;
  const message = `an agent runs on this node already${who}; stop it first`;
  return new SluiceError('ERR_AGENT', message, { path });
}

/**
 * Two agents that start at once must not both take the same stale lock away. A name among Linux'
 * abstract sockets is bound by one process at a time, and is gone when the process is. Who waits too
 * long goes on: it only makes a rare race rarer.
 */
async function takeTurn(path: string): Promise<AsyncDisposable> {
  const name = `\0sluice-${createHash('sha256').update(path).digest('hex')}`;
  const deadline = performance.now() + TURN_MS;
  let server = await bound(name);
  while (server === null && performance.now() < deadline) {
    await setTimeout(TURN_POLL_MS);
    server = await bound(name);
  }
  return {
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        if (server === null) resolve();
        else server.close(() => resolve());
      }),
  };
}

/** `null`: another process has the name. */
function bound(name: string): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(null));
    server.listen(name, () => resolve(server));
  });
}
