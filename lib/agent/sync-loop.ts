// SPDX-License-Identifier: Apache-2.0

/** Time, as the loop sees it. */
export interface LoopClock {
  /** Milliseconds that only grow. */
  now(): number;
  /** Calls once, `ms` from now or a little later. What it returns takes that back. */
  after(ms: number, call: () => void): () => void;
}

/** What a run is told. */
export interface SyncRun {
  /** The first run, one that follows a failed one, and one at the latest interval: do not count on what was done before. */
  full: boolean;
}

export interface SyncLoopOptions {
  /** Does the work; rejects if it could not be done. Never called while it runs. */
  run(run: SyncRun): Promise<void>;
  /** Told of each run that failed. */
  failed?(error: unknown): void;
  /** Between the beginnings of two runs, once the burst is used up. 0: no bound. */
  minPeriodMs: number;
  /** Runs that may follow each other at once after idleness; 2. */
  burst?: number;
  /** From a failed run to the next one at the latest. */
  retryMs: number;
  /** From the end of a full run to the next full one at the latest, whatever has been asked for in between. */
  maxIntervalMs: number;
  clock?: LoopClock;
}

const BURST = 2;
/** After a failure nobody gains from a run every few milliseconds: kube-proxy's own minimum. */
const FAILED_PERIOD_MS = 1_000;

/**
 * Runs one function when it is asked to, and neither too often nor too rarely: requests that come
 * before their run begins are one, those that come during a run make one more, a token bucket bounds
 * the frequency, a run that failed is made again as a full one. Its timers keep no process alive.
 */
export class SyncLoop {
  readonly #options: SyncLoopOptions;
  readonly #clock: LoopClock;
  readonly #burst: number;
  /** When the token bucket is full again. */
  #fullAt = Number.NEGATIVE_INFINITY;
  /** No run begins before. */
  #notBefore = Number.NEGATIVE_INFINITY;
  /** A full run is due by then without being asked for. */
  #dueAt: number;
  #requested = false;
  #full = true;
  #stopped = false;
  #running: Promise<void> | null = null;
  #cancel: (() => void) | null = null;

  constructor(options: SyncLoopOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#burst = options.burst ?? BURST;
    this.#dueAt = this.#clock.now() + options.maxIntervalMs;
    this.#schedule();
  }

  /** There is something to do. May be called at any time, also from within a run. */
  request(): void {
    if (this.#requested || this.#stopped) return;
    this.#requested = true;
    this.#schedule();
  }

  /** No run begins any more. Resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = null;
    await this.#running;
  }

  /** When the next run begins. */
  #beginsAt(): number {
    // A bucket that is full in `burst - 1` periods has a token left.
    const token = this.#fullAt - (this.#burst - 1) * this.#options.minPeriodMs;
    const wanted = this.#requested ? Number.NEGATIVE_INFINITY : this.#dueAt;
    return Math.max(token, this.#notBefore, wanted);
  }

  #schedule(): void {
    if (this.#stopped || this.#running !== null) return;
    this.#cancel?.();
    const ms = Math.max(0, this.#beginsAt() - this.#clock.now());
    this.#cancel = this.#clock.after(ms, () => this.#wake());
  }

  #wake(): void {
    this.#cancel = null;
    // Timers may be early: a fraction of a millisecond, and by much where they cannot be that long.
    if (this.#clock.now() < this.#beginsAt()) {
      this.#schedule();
      return;
    }
    this.#running = this.#run().finally(() => {
      this.#running = null;
      this.#schedule();
    });
  }

  async #run(): Promise<void> {
    const { run, failed, minPeriodMs, retryMs, maxIntervalMs } = this.#options;
    this.#fullAt = Math.max(this.#fullAt, this.#clock.now()) + minPeriodMs;
    this.#requested = false;
    const full = this.#full || this.#clock.now() >= this.#dueAt;
    try {
      await run({ full });
      this.#full = false;
      this.#notBefore = Number.NEGATIVE_INFINITY;
      if (full) this.#dueAt = this.#clock.now() + maxIntervalMs;
    } catch (error) {
      this.#full = true;
      this.#notBefore = this.#clock.now() + Math.min(retryMs, FAILED_PERIOD_MS);
      this.#dueAt = this.#clock.now() + retryMs;
      failed?.(error);
    }
  }
}

/** Node's timers hold no more. */
const LONGEST_MS = 2 ** 31 - 1;

/** Nothing waits longer than it must: what is due now comes after the I/O events that are there. */
const systemClock: LoopClock = {
  now: () => performance.now(),
  after(ms, call) {
    if (ms === 0) {
      const immediate = setImmediate(call);
      immediate.unref();
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(call, Math.min(Math.ceil(ms), LONGEST_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
