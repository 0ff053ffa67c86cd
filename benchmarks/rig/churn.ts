// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import type { PopulatedCluster } from './populated-cluster.js';

/** One change in so many makes or removes a Service with its slice. */
const SERVICE_EVERY = 50;
/** Services made so at a time. */
const EXTRA_SERVICES = 4;

/** Changes of other services at a steady rate: mostly one endpoint of a slice that is replaced. */
export class Churn implements AsyncDisposable {
  readonly #cluster: PopulatedCluster;
  readonly #underWay = new Set<Promise<void>>();
  readonly #period: number;
  readonly #running: Promise<void>;
  #isOver = false;
  #failure: unknown = null;
  #sent = 0;
  #began = performance.now();

  /** @param rate - changes a second */
  constructor(cluster: PopulatedCluster, rate: number) {
    this.#cluster = cluster;
    this.#period = 1_000 / rate;
    this.#running = this.#run();
  }

  /** Changes a second that were sent so far. */
  get rate(): number {
    return this.#sent / ((performance.now() - this.#began) / 1_000);
  }

  /** Ends it, and waits until everything is written. @throws Error if something could not be */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#running;
    await Promise.all(this.#underWay);
    if (this.#failure !== null) throw this.#failure;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      // By the clock: timers that are late make no difference to the rate.
      const due = Math.floor((performance.now() - this.#began) / this.#period);
      while (this.#sent < due && this.#failure === null) this.#send();
      await sleep(this.#period / 2);
    }
  }

  #send(): void {
    this.#sent += 1;
    const change = this.#change().catch((error: unknown) => {
      this.#failure ??= error;
    });
    this.#underWay.add(change);
    void change.finally(() => this.#underWay.delete(change));
  }

  #change(): Promise<void> {
    if (this.#sent % SERVICE_EVERY !== 0) return this.#cluster.replaceEndpoint();
    if (this.#cluster.extras < EXTRA_SERVICES) return this.#cluster.addExtra();
    return this.#cluster.removeExtra();
  }
}
