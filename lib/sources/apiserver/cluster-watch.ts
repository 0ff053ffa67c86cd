// SPDX-License-Identifier: Apache-2.0
import { setMaxListeners } from 'node:events';
import { SluiceError } from '../../errors.js';
import type { ObjectSink } from '../kubernetes/watched.js';
import { type Clock, systemClock } from './clock.js';
import type { ApiConnection } from './connection.js';
import type { WatchLog } from './failure-log.js';
import { Reflector, type WatchState } from './reflector.js';
import type { WatchedResource } from './resources.js';

export interface ClusterWatchOptions {
  /** Something has come into the sink. Called often: cheap, and does not throw. */
  onChange(): void;
  log: WatchLog;
  /** Objects of a page of a list. The default keeps a page of slices with 10 endpoints at 4 ms of JSON.parse. */
  pageSize?: number;
  clock?: Clock;
  /** From 0 to 1, for jitter. */
  random?: () => number;
}

const PAGE_SIZE = 250;

/**
 * Keeps a sink in step with the API server, all kinds at once. Objects of one kind come in order; kinds know nothing of each other. While
 * the server is away nothing in the sink changes.
 */
export class ClusterWatch {
  readonly #reflectors: Reflector[];
  readonly #closing = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #refuse: (error: SluiceError) => void = () => {};

  /** Resolves when all initial lists are in the sink; fails with `ERR_CLOSED` if that comes first. */
  readonly synced: Promise<void>;

  constructor(
    connection: ApiConnection,
    resources: readonly WatchedResource[],
    sink: ObjectSink,
    options: ClusterWatchOptions,
  ) {
    const { clock = systemClock, random = Math.random, pageSize = PAGE_SIZE } = options;
    const { log } = options;
    const settings = {
      onChange: () => options.onChange(),
      // The first to find the server again tells the others, which would wait up to 30 s.
      onContact: () => this.#wake(),
      log,
      pageSize,
      clock,
      random,
    };
    this.#reflectors = resources.map(
      (resource) => new Reflector(connection, resource, sink, settings),
    );
    const closed = new Promise<never>((_, reject) => {
      this.#refuse = reject;
    });
    const lists = Promise.all(this.#reflectors.map((reflector) => reflector.synced));
    this.synced = Promise.race([lists.then(() => undefined), closed]);
    // Nobody need wait for it.
    this.synced.catch(() => undefined);
    closed.catch(() => undefined);
  }

  start(): void {
    const { signal } = this.#closing;
    // Every kind has a request, or waits.
    setMaxListeners(0, signal);
    this.#running = Promise.all(this.#reflectors.map((reflector) => reflector.run(signal)));
  }

  state(): WatchState[] {
    return this.#reflectors.map((reflector) => reflector.state);
  }

  /** After it nothing comes into the sink. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#refuse(new SluiceError('ERR_CLOSED', 'the watch has been closed'));
    await this.#running;
  }

  #wake(): void {
    for (const reflector of this.#reflectors) reflector.wake();
  }
}
