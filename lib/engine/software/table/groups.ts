// SPDX-License-Identifier: Apache-2.0
import { EcmpTable, ecmpBucket } from './ecmp.js';

/** A next hop of a group. */
export interface NextHop {
  /** Slot of the egress interface. */
  interface: number;
  /** `null`: the destination itself. */
  gateway: Int32Array | null;
  /** Its MAC; `null`: ask for it. */
  mac: Uint8Array | null;
  /** What stands for it in the choice. */
  key: number;
  weight: number;
}

/** Whether an interface can be sent by. By slot; `null`: it is gone. */
export type Links = readonly ({ readonly up: boolean } | null)[];

/** Next hops of equal worth, by rows. */
class Group {
  readonly #choice: EcmpTable | null;
  readonly #live: Uint8Array;

  constructor(readonly hops: readonly NextHop[]) {
    this.#choice = hops.length > 1 ? new EcmpTable(hops) : null;
    this.#live = new Uint8Array(hops.length);
  }

  choose(hash: number, links: Links): NextHop {
    if (this.#choice === null) return this.hops[0];
    const bucket = ecmpBucket(hash);
    const owner = this.hops[this.#choice.owner(bucket)];
    if (isUsable(owner, links)) return owner;
    for (let row = 0; row < this.hops.length; row++) {
      this.#live[row] = isUsable(this.hops[row], links) ? 1 : 0;
    }
    const best = this.#choice.best(bucket, this.#live);
    return best === -1 ? owner : this.hops[best];
  }
}

/** Groups of next hops, by slot: what routes and backends name. */
export class GroupTable {
  readonly #groups = new Map<number, Group>();

  has(slot: number): boolean {
    return this.#groups.has(slot);
  }

  /** The next hops of a group that is there. */
  hopsOf(slot: number): readonly NextHop[] {
    return (this.#groups.get(slot) as Group).hops;
  }

  put(slot: number, hops: readonly NextHop[]): void {
    this.#groups.set(slot, new Group(hops));
  }

  remove(slot: number): void {
    this.#groups.delete(slot);
  }

  /**
   * Takes the next hops over an interface out of all groups.
   * @returns groups that had no others: they are gone
   */
  removeInterface(slot: number): Set<number> {
    const gone = new Set<number>();
    for (const [number, { hops }] of [...this.#groups]) {
      const rest = hops.filter((hop) => hop.interface !== slot);
      if (rest.length === hops.length) continue;
      if (rest.length > 0) {
        this.put(number, rest);
      } else {
        this.remove(number);
        gone.add(number);
      }
    }
    return gone;
  }

  /**
   * The next hop that packets of a flow's hash go by: the owner of their bucket, or where its interface
   * is gone or down the best of those whose is not; if there is none, the owner.
   * @returns `null`: there is no such group
   */
  choose(slot: number, hash: number, links: Links): NextHop | null {
    return this.#groups.get(slot)?.choose(hash, links) ?? null;
  }
}

function isUsable({ interface: slot }: NextHop, links: Links): boolean {
  return links[slot]?.up === true;
}
