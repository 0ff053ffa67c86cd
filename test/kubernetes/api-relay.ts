// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Owner } from '../e2e/rig.js';

const SCRIPT = fileURLToPath(new URL('listen-for-parent.mjs', import.meta.url));

/**
 * The way from a network namespace to an API server on this one's loopback, on the same port there. It can be
 * cut, which is an outage for those in the namespace alone.
 */
export class ApiRelay {
  readonly #open = new Set<Socket>();
  #isCut = false;

  private constructor(server: Server, port: number) {
    server.on('connection', (near: Socket) => this.#relay(near, port));
  }

  static async open(owner: Owner, namespace: string, port: number): Promise<ApiRelay> {
    const child = spawn(
      'ip',
      ['netns', 'exec', namespace, process.execPath, SCRIPT, String(port)],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    );
    const ended = once(child, 'exit').then(() => {
      throw new Error(`nobody listens for the API server's port ${port}`);
    });
    const [, server] = (await Promise.race([once(child, 'message'), ended])) as [string, Server];
    ended.catch(() => undefined);
    const relay = new ApiRelay(server, port);
    owner.teardown(() => {
      relay.cut();
      server.close();
    });
    return relay;
  }

  /** Connections break, and new ones come to nothing, until it is mended. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  #relay(near: Socket, port: number): void {
    near.on('error', () => undefined);
    if (this.#isCut) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#open.add(from);
      from.on('error', () => to.resetAndDestroy());
      from.on('close', () => {
        this.#open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  }
}
