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
  readonly #free = new FreeSlots();
  #next = 0;

  draft(): SlotDraft {
    return new SlotDraft(this.#next, this.#free, (next) => {
      this.#next = next;
    });
  }
}

/** Changes to a {@link SlotAllocator} that are not made yet. */
export class SlotDraft {
  readonly #base: FreeSlots;
  readonly #released: number[] = [];
  readonly #commit: (next: number) => void;
  #next: number;
  #taken = 0;

  constructor(next: number, free: FreeSlots, commit: (next: number) => void) {
    this.#next = next;
    this.#base = free;
    this.#commit = commit;
  }

  /** One more than the highest slot that was ever in use. */
  get size(): number {
    return this.#next;
  }

  allocate(): number {
    const slot = this.#base.at(this.#taken);
    if (slot === undefined) return this.#next++;
    this.#taken++;
    return slot;
  }

  free(slot: number): void {
    this.#released.push(slot);
  }

  accept(): void {
    this.#commit(this.#next);
    this.#base.shift(this.#taken, this.#released);
  }
}

/** A queue: what is taken from its head and added to its tail costs just that. */
class FreeSlots {
  #slots: number[] = [];
  #head = 0;

  at(index: number): number | undefined {
    return this.#slots[this.#head + index];
  }

  shift(taken: number, added: readonly number[]): void {
    this.#head += taken;
    if (this.#head * 2 > this.#slots.length) {
      this.#slots = this.#slots.slice(this.#head);
      this.#head = 0;
    }
    for (const slot of added) this.#slots.push(slot);
  }
}
