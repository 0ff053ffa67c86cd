// SPDX-License-Identifier: Apache-2.0
import { SlotAllocator, type SlotDraft } from '../slots.js';

/** Something that has a number as long as anybody refers to it. */
export interface Numbered<V> {
  readonly number: number;
  readonly value: V;
}

interface Entry<V> extends Numbered<V> {
  readonly refs: number;
}

/** Gives equal things one number and counts who refers to them. Equal is what has the same key. */
export class Interned<V> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #byNumber = new Map<number, V>();
  readonly #slots = new SlotAllocator();

  /** What an accepted number stands for. */
  get(number: number): V | undefined {
    return this.#byNumber.get(number);
  }

  draft(): InternedDraft<V> {
    return new InternedDraft(this.#entries, this.#byNumber, this.#slots.draft());
  }
}

/** Changes to {@link Interned} that are not made yet. */
export class InternedDraft<V> {
  readonly #base: Map<string, Entry<V>>;
  readonly #byNumber: Map<number, V>;
  readonly #slots: SlotDraft;
  readonly #touched = new Map<string, Entry<V>>();

  constructor(base: Map<string, Entry<V>>, byNumber: Map<number, V>, slots: SlotDraft) {
    this.#base = base;
    this.#byNumber = byNumber;
    this.#slots = slots;
  }

  /** One more than the highest number that was ever in use. */
  get size(): number {
    return this.#slots.size;
  }

  /** The number of what has `key`, which is referred to once more. */
  acquire(key: string, make: () => V): number {
    const entry = this.#find(key) ?? { number: this.#slots.allocate(), refs: 0, value: make() };
    this.#touched.set(key, { ...entry, refs: entry.refs + 1 });
    return entry.number;
  }

  /** It is referred to once less. */
  release(key: string): void {
    const entry = this.#find(key)!;
    this.#touched.set(key, { ...entry, refs: entry.refs - 1 });
  }

  /** Replaces what an acquired number stands for. */
  put(key: string, value: V): void {
    this.#touched.set(key, { ...this.#find(key)!, value });
  }

  get(key: string): V | undefined {
    return this.#find(key)?.value;
  }

  numberOf(key: string): number {
    return this.#find(key)!.number;
  }

  /**
   * Frees the numbers that nobody refers to any more. To be called once, when nothing will be
   * acquired any more.
   */
  settle(): { put: Numbered<V>[]; removed: Numbered<V>[] } {
    const put: Numbered<V>[] = [];
    const removed: Numbered<V>[] = [];
    for (const [key, entry] of this.#touched) {
      const before = this.#base.get(key);
      if (entry.refs === 0) {
        this.#slots.free(entry.number);
        if (before !== undefined) removed.push(before);
      } else if (before === undefined || before.value !== entry.value) put.push(entry);
    }
    return { put, removed };
  }

  accept(): void {
    for (const [key, entry] of this.#touched) {
      if (entry.refs === 0) {
        this.#base.delete(key);
        this.#byNumber.delete(entry.number);
      } else {
        this.#base.set(key, entry);
        this.#byNumber.set(entry.number, entry.value);
      }
    }
    this.#slots.accept();
  }

  #find(key: string): Entry<V> | undefined {
    return this.#touched.get(key) ?? this.#base.get(key);
  }
}
