// SPDX-License-Identifier: Apache-2.0

/** Slots lie below this in any engine, where no option says another limit. */
export const SLOT_LIMIT = 1 << 20;

/**
 * Hands out small stable indices. Changes are made in a draft, which is accepted once the engine
 * has taken them, or dropped. A slot that a draft frees is not handed out again by the same draft:
 * while an engine applies a delta, a slot means one thing only. Freed slots come back in the order
 * of their release, so that a slot rests as long as possible before it gets a new meaning.
 */
export class SlotAllocator {
  #next = 0;
  #free: number[] = [];

  draft(): SlotDraft {
    return new SlotDraft(this.#next, this.#free, (next, free) => {
      this.#next = next;
      this.#free = free;
    });
  }
}

/** Changes to a {@link SlotAllocator} that are not made yet. */
export class SlotDraft {
  #next: number;
  #taken = 0;
  readonly #base: readonly number[];
  readonly #released: number[] = [];
  readonly #commit: (next: number, free: number[]) => void;

  constructor(
    next: number,
    free: readonly number[],
    commit: (next: number, free: number[]) => void,
  ) {
    this.#next = next;
    this.#base = free;
    this.#commit = commit;
  }

  /** One more than the highest slot that was ever in use. */
  get size(): number {
    return this.#next;
  }

  allocate(): number {
    if (this.#taken < this.#base.length) return this.#base[this.#taken++]!;
    return this.#next++;
  }

  free(slot: number): void {
    this.#released.push(slot);
  }

  accept(): void {
    this.#commit(this.#next, [...this.#base.slice(this.#taken), ...this.#released]);
  }
}
