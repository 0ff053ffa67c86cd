// SPDX-License-Identifier: Apache-2.0
import type { Clock } from './clock.js';

/** Requests a second, on average, and how many at once. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #tokens: number;
  #filled: number;

  /** @param qps - 0 or less: no limit. */
  constructor(qps: number, burst: number, clock: Clock) {
    this.#perMs = qps / 1000;
    this.#burst = Math.max(1, burst);
    this.#clock = clock;
    this.#tokens = this.#burst;
    this.#filled = clock.now();
  }

  /** Takes a token, and says how long to wait before it may be used, in ms. */
  take(): number {
    if (this.#perMs <= 0) return 0;
    const now = this.#clock.now();
    const filled = this.#tokens + (now - this.#filled) * this.#perMs;
    this.#tokens = Math.min(this.#burst, filled) - 1;
    this.#filled = now;
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#perMs;
  }
}

const FIRST_MS = 800;
const LAST_MS = 15_000;

/**
 * How long to wait after a failure: client-go's reflector's 800 ms, twice as long each time, and up
 * to as much again by chance, so that nodes do not come back together; 30 s at most.
 */
export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** @param random - From 0 to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  next(): number {
    const base = Math.min(LAST_MS, FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
    return base * (1 + this.#random());
  }

  reset(): void {
    this.#failures = 0;
  }
}
