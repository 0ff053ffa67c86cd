// SPDX-License-Identifier: Apache-2.0
import { mixWord } from '../base/mix.js';

const BUCKETS = 4_096;
/** 2^32 divided by the golden ratio. */
const STEP = 0x9e3779b9;
/** Words compare as unsigned ones with their sign bit turned. */
const SIGN = 0x8000_0000 | 0;

/** A member of a group, as the choice sees it. */
export interface EcmpMember {
  /** What stands for it, whatever group it is in. */
  key: number;
  /** 1 to 255. */
  weight: number;
}

/** The bucket of a flow's hash. */
export function ecmpBucket(hash: number): number {
  return mixWord(hash) >>> 20;
}

/**
 * Which member of a group a flow goes by: rendezvous hashing (Thaler and Ravishankar, 1998) of 4,096
 * buckets. Each belongs to the member that scores best for it, so that a member that goes moves its own
 * buckets alone, and one that comes takes its share and no more.
 */
export class EcmpTable {
  readonly #keys: readonly number[];
  // By row: one for each unit of weight.
  readonly #seeds: readonly Int32Array[];
  readonly #owners = new Uint8Array(BUCKETS);

  /** @param members - 2 to 256, named by their row */
  constructor(members: readonly EcmpMember[]) {
    this.#keys = members.map(({ key }) => key >>> 0);
    this.#seeds = members.map(({ key, weight }) =>
      Int32Array.from({ length: weight }, (_, v) => mixWord(key + Math.imul(v, STEP))),
    );
    const all = members.map(() => true);
    for (let bucket = 0; bucket < BUCKETS; bucket++) this.#owners[bucket] = this.best(bucket, all);
  }

  owner(bucket: number): number {
    return this.#owners[bucket];
  }

  /** The row of the best score among those that are fit; -1: none is. */
  best(bucket: number, fit: ArrayLike<boolean | number>): number {
    let found = -1;
    let highest = 0;
    for (let row = 0; row < this.#keys.length; row++) {
      if (!fit[row]) continue;
      const score = this.#score(row, bucket);
      if (found !== -1 && score < highest) continue;
      if (found !== -1 && score === highest && this.#keys[row] >= this.#keys[found]) continue;
      found = row;
      highest = score;
    }
    return found;
  }

  #score(row: number, bucket: number): number {
    const seeds = this.#seeds[row];
    let highest = SIGN;
    for (let v = 0; v < seeds.length; v++) {
      const score = mixWord(seeds[v] ^ bucket) ^ SIGN;
      if (score > highest) highest = score;
    }
    return highest;
  }
}
