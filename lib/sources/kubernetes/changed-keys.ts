// SPDX-License-Identifier: Apache-2.0
import type { Changes } from '../../model/changes.js';

/** {@link Changes} that are being made. */
export interface Draft<T> {
  put: T[];
  removed: string[];
}

/** Members of a section of the model that have changed, and those that its owner has been told of. */
export class ChangedKeys<T> {
  readonly #told = new Set<string>();
  readonly #changed = new Set<string>();

  get size(): number {
    return this.#changed.size;
  }

  has(key: string): boolean {
    return this.#changed.has(key);
  }

  keys(): Iterable<string> {
    return this.#changed;
  }

  mark(key: string): void {
    this.#changed.add(key);
  }

  /** Writes what has become of a member; `null`: it is not there. */
  settle(key: string, value: T | null, draft: Draft<T>): void {
    this.#changed.delete(key);
    if (value !== null) {
      this.#told.add(key);
      draft.put.push(value);
    } else if (this.#told.delete(key)) draft.removed.push(key);
  }

  /** Settles all that has changed. */
  take(find: (key: string) => T | null): Changes<T> | undefined {
    if (this.#changed.size === 0) return undefined;
    const draft: Draft<T> = { put: [], removed: [] };
    for (const key of this.#changed) this.settle(key, find(key), draft);
    return changesOf(draft);
  }

  /** The owner was not told after all. */
  putBack({ put = [], removed = [] }: Changes<T>, keyOf: (value: T) => string): void {
    for (const key of [...put.map(keyOf), ...removed]) {
      this.#told.add(key);
      this.#changed.add(key);
    }
  }
}

/** `undefined`: nothing has changed. */
export function changesOf<T>({ put, removed }: Draft<T>): Changes<T> | undefined {
  if (put.length === 0 && removed.length === 0) return undefined;
  return { ...(put.length > 0 && { put }), ...(removed.length > 0 && { removed }) };
}
