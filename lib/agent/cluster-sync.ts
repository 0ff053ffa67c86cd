// SPDX-License-Identifier: Apache-2.0
import { ClusterWatch } from '../sources/apiserver/cluster-watch.js';
import type { ApiConnection } from '../sources/apiserver/connection.js';
import type { WatchLog } from '../sources/apiserver/failure-log.js';
import { type WatchedResourcesOptions, watchedResources } from '../sources/apiserver/resources.js';
import { ClusterState } from '../sources/kubernetes/cluster-state.js';
import { ClusterFollower, type FollowerListener, type NodeSpecOf } from './follower.js';
import type { Updatable } from './programmer.js';
import { SyncLoop } from './sync-loop.js';

/** So long after a full round comes another: everything that was refused is tried again, as kube-proxy's full sync. */
const MAX_INTERVAL_MS = 3_600_000;

/** What is told of how a proxy follows a cluster. None of it may throw. */
export interface SyncListener extends FollowerListener {
  /** The lists are complete, and something has come that is not in force yet. Called often. */
  queued(): void;
  /** A round is over. @param dirty - something has come in the meantime */
  synced(dirty: boolean): void;
  /** A round could not be made: what was in force stays. @param seconds - that it took */
  failed(error: unknown, seconds: number): void;
}

export interface ClusterSyncOptions {
  connection: ApiConnection;
  proxy: Updatable;
  /** What of the cluster counts. */
  scope: WatchedResourcesOptions;
  nodeSpec: NodeSpecOf;
  listener: SyncListener;
  log: WatchLog;
  /** Between two rounds; 0: none. */
  minPeriodMs: number;
  /** From a failed round to the next one at the latest. */
  retryMs: number;
}

/**
 * Keeps a proxy in step with an API server. What it says is in force once all its lists are complete,
 * and while it is away the latest that it said stays in force.
 */
export class ClusterSync {
  readonly state: ClusterState;
  readonly watch: ClusterWatch;
  readonly #follower: ClusterFollower;
  readonly #loop: SyncLoop;
  #isListed = false;
  #isClosed = false;
  #markReady: () => void = () => undefined;

  /** Resolves when everything of the first lists is in force. */
  readonly ready = new Promise<void>((resolve) => {
    this.#markReady = resolve;
  });

  constructor(options: ClusterSyncOptions) {
    const { connection, proxy, scope, nodeSpec, listener, log } = options;
    this.state = new ClusterState(scope);
    this.#follower = new ClusterFollower(this.state, proxy, nodeSpec, listener);
    this.watch = new ClusterWatch(connection, watchedResources(scope), this.state, {
      log,
      onChange: () => {
        if (!this.#isListed || !this.state.dirty) return;
        listener.queued();
        this.#loop.request();
      },
    });
    this.#loop = new SyncLoop({
      run: async ({ full }) => {
        await this.watch.synced;
        this.#isListed = true;
        const beginning = performance.now();
        try {
          await this.#follower.round(full);
        } catch (error) {
          listener.failed(error, (performance.now() - beginning) / 1_000);
          throw error;
        }
        if (this.#isClosed) return;
        listener.synced(this.state.dirty);
        this.#markReady();
      },
      minPeriodMs: options.minPeriodMs,
      retryMs: options.retryMs,
      maxIntervalMs: MAX_INTERVAL_MS,
    });
  }

  /** How many members of the model the proxy would not take. */
  get aside(): number {
    return this.#follower.aside;
  }

  start(): void {
    this.watch.start();
    this.#loop.request();
  }

  /** After it nothing changes any more. What is in force stays. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#follower.stop();
    const stopped = this.#loop.stop();
    await this.watch.close();
    await stopped;
  }
}
