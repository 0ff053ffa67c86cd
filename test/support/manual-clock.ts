// SPDX-License-Identifier: Apache-2.0
import type { LoopClock } from '../../lib/agent/sync-loop.js';
import type { Clock } from '../../lib/sources/apiserver/clock.js';

interface Timer {
  at: number;
  run: () => void;
}

/** A clock that stands until it is told how much time has passed. */
export class ManualClock implements Clock, LoopClock {
  #now: number;
  /** From time to date. */
  #offset = 0;
  readonly #timers = new Set<Timer>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  date(): number {
    return this.#now + this.#offset;
  }

  /** Somebody sets the date; time goes on as before. */
  setDate(date: number): void {
    this.#offset = date - this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How far away the timers are, in ms, the next one first. */
  waits(): number[] {
    return this.#inOrder().map(({ at }) => at - this.#now);
  }

  /** Lets time pass; what is due runs in order, each at its time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    while (this.#runNext(end));
    this.#now = end;
  }

  /** The same, and what timers begin goes on in between. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    while (this.#runNext(end)) await settled();
    this.#now = end;
    await settled();
  }

  /** Runs the next timer that is due by `end`, if there is one. */
  #runNext(end: number): boolean {
    const [next] = this.#inOrder();
    if (next === undefined || next.at > end) return false;
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.at);
    next.run();
    return true;
  }

  #inOrder(): Timer[] {
    return [...this.#timers].sort((one, other) => one.at - other.at);
  }
}

/** Whatever waits for nothing but promises has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
