// SPDX-License-Identifier: Apache-2.0

/**
 * Changes to a map that are not made yet: the map is seen as it will be, and stays as it is until
 * `accept`. Costs what is changed, not what is there.
 */
export class DraftMap<K, V> {
  readonly #base: Map<K, V>;
  /** `undefined`: deleted. */
  readonly #changes = new Map<K, V | undefined>();

  constructor(base: Map<K, V>) {
    this.#base = base;
  }

  get(key: K): V | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#base.get(key);
  }

  set(key: K, value: V): void {
    this.#changes.set(key, value);
  }

  delete(key: K): void {
    this.#changes.set(key, undefined);
  }

  /** As it was before the draft. */
  before(key: K): V | undefined {
    return this.#base.get(key);
  }

  *[Symbol.iterator](): IterableIterator<[K, V]> {
    for (const entry of this.#base) if (!this.#changes.has(entry[0])) yield entry;
    for (const [key, value] of this.#changes) if (value !== undefined) yield [key, value];
  }

  accept(): void {
    for (const [key, value] of this.#changes) {
      if (value === undefined) this.#base.delete(key);
      else this.#base.set(key, value);
    }
  }
}
