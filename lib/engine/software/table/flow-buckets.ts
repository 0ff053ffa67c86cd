// SPDX-License-Identifier: Apache-2.0

/** An empty place. */
export const EMPTY = -1;

/** Places of a bucket. */
export const PLACES = 8;

/** With so many free places the primary bucket is taken without a look at the other one. */
const ROOMY = 3;

/**
 * Where the entries of a flow table are found: buckets of 8 places, a place is a 16-bit tag and the index
 * of an entry. Each hash has two buckets; an entry goes to the primary one until that begins to fill, then
 * to the one with more room.
 */
export class FlowBuckets {
  /** By place. */
  readonly tags: Uint16Array;
  readonly entries: Int32Array;
  readonly #mask: number;

  /** @param capacity - pairs of entries */
  constructor(capacity: number) {
    let buckets = 2;
    while (buckets * 3 < capacity) buckets *= 2;
    this.#mask = buckets - 1;
    this.tags = new Uint16Array(buckets * PLACES);
    this.entries = new Int32Array(buckets * PLACES).fill(EMPTY);
  }

  /** First place of a hash's primary bucket. */
  primary(hash: number): number {
    return (hash & this.#mask) * PLACES;
  }

  /** First place of a hash's other bucket. */
  other(hash: number): number {
    const tag = hash >>> 16;
    return ((hash ^ Math.imul(tag + 1, 0x5bd1e995)) & this.#mask) * PLACES;
  }

  /** @returns whether there was room */
  link(entry: number, hash: number): boolean {
    const primary = this.primary(hash);
    const other = this.other(hash);
    const room = this.#room(primary);
    const first = room < ROOMY && this.#room(other) > room ? other : primary;
    for (let place = first; place < first + PLACES; place++) {
      if (this.entries[place] !== EMPTY) continue;
      this.entries[place] = entry;
      this.tags[place] = hash >>> 16;
      return true;
    }
    return false;
  }

  unlink(entry: number, hash: number): void {
    if (!this.#unlinkFrom(this.primary(hash), entry)) this.#unlinkFrom(this.other(hash), entry);
  }

  #unlinkFrom(first: number, entry: number): boolean {
    for (let place = first; place < first + PLACES; place++) {
      if (this.entries[place] !== entry) continue;
      this.entries[place] = EMPTY;
      return true;
    }
    return false;
  }

  #room(first: number): number {
    let free = 0;
    for (let place = first; place < first + PLACES; place++) {
      if (this.entries[place] === EMPTY) free++;
    }
    return free;
  }
}
