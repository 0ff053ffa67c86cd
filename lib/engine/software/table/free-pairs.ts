// SPDX-License-Identifier: Apache-2.0

/**
 * The pairs of a flow table that are free: a stack. At first the lowest pairs lie on top; what is given
 * back lies aside until nobody can still look at it.
 */
export class FreePairs {
  readonly #stack: Uint32Array;
  readonly #later: number[] = [];
  #count: number;

  constructor(capacity: number) {
    this.#stack = new Uint32Array(capacity).map((_, i) => capacity - 1 - i);
    this.#count = capacity;
  }

  /** What lies aside does not count. */
  get count(): number {
    return this.#count;
  }

  /** There is one. */
  get top(): number {
    return this.#stack[this.#count - 1];
  }

  pop(): void {
    this.#count--;
  }

  /** Lays a pair aside. */
  pushLater(pair: number): void {
    this.#later.push(pair);
  }

  /** Puts what lies aside on the stack, in the order in which it came. */
  reclaim(): void {
    for (const pair of this.#later) this.#stack[this.#count++] = pair;
    this.#later.length = 0;
  }
}
