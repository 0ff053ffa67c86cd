// SPDX-License-Identifier: Apache-2.0
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Time, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since some time; never goes back, and nobody sets it. */
  now(): number;
  /** Milliseconds since 1970, as far as the node knows: it is set at times. */
  date(): number;
  /**
   * Calls `run` once, after `ms`, unless the function that is returned has been called by then.
   * A background timer does not keep the process alive.
   */
  after(ms: number, run: () => void, background?: boolean): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  after(ms, run, background = false) {
    const timer = setTimeout(run, ms);
    if (background) timer.unref();
    return () => clearTimeout(timer);
  },
};

/** The date of a time of the clock's, by what the node knows of dates now. */
export function dateOf(clock: Clock, time: number): number {
  return clock.date() - (clock.now() - time);
}

/** Resolves after `ms`, or as soon as `signal` is aborted. */
export function sleep(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  background = false,
): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done, background);
    signal.addEventListener('abort', done);
  });
}

/** How long work may hold up the event loop, in ms. */
const TURN_MS = 4;

/** Splits long work into turns of the event loop. */
export class Turns {
  #began = performance.now();

  /** Whether the turn has taken long enough: then {@link next} is due. */
  get over(): boolean {
    return performance.now() - this.#began >= TURN_MS;
  }

  async next(): Promise<void> {
    await nextTurn();
    this.#began = performance.now();
  }

  /** Others had their turn, because something was waited for. */
  restart(): void {
    this.#began = performance.now();
  }
}
