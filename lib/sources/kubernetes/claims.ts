// SPDX-License-Identifier: Apache-2.0

/** Who wants what: for each thing that is wanted those who want it, in the order in which they come first. */
export class Claims<T> {
  readonly #claimants = new Map<string, T[]>();
  readonly #compare: (a: T, b: T) => number;
  #contested = new Set<string>();

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  /** Each claimant claims a thing once. */
  add(what: string, claimant: T): void {
    const all = this.#claimants.get(what);
    if (all === undefined) {
      this.#claimants.set(what, [claimant]);
      return;
    }
    let [from, to] = [0, all.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#compare(claimant, all[middle]!) < 0) to = middle;
      else from = middle + 1;
    }
    all.splice(from, 0, claimant);
    this.#contested.add(what);
  }

  remove(what: string, claimant: T): void {
    const all = this.#claimants.get(what) ?? [];
    const at = all.indexOf(claimant);
    if (at < 0) return;
    if (all.length > 1) {
      all.splice(at, 1);
      this.#contested.add(what);
    } else this.#claimants.delete(what);
  }

  of(what: string): readonly T[] {
    return this.#claimants.get(what) ?? [];
  }

  /** What several claimed whose claims have changed since the last call. */
  takeContested(): ReadonlySet<string> {
    const contested = this.#contested;
    if (contested.size > 0) this.#contested = new Set();
    return contested;
  }
}
