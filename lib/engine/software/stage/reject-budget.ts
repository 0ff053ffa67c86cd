// SPDX-License-Identifier: Apache-2.0

const COST = 1_000;

/** How many senders may still be told that their packets were rejected: a token bucket, in thousandths. */
export class RejectBudget {
  readonly #rate: number;
  #tokens: number;
  #filledMs = 0;

  /** @param rate - a second, and so many at once at most */
  constructor(rate: number) {
    this.#rate = rate;
    this.#tokens = rate * COST;
  }

  /** @returns `false`: it is used up */
  take(nowMs: number): boolean {
    if (nowMs > this.#filledMs) {
      const earned = this.#rate * (nowMs - this.#filledMs);
      this.#tokens = Math.min(this.#rate * COST, this.#tokens + earned);
      this.#filledMs = nowMs;
    }
    if (this.#tokens < COST) return false;
    this.#tokens -= COST;
    return true;
  }
}
