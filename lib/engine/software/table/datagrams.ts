// SPDX-License-Identifier: Apache-2.0

/** Ranges that are noted of one datagram. */
const MOST_RANGES = 128;

/** A packet that has left its burst for a while. */
export interface WaitingFragment {
  frame: Uint8Array;
  length: number;
  ingress: number;
  family: number;
  l4: number;
  ipLength: number;
  source: Int32Array;
  destination: Int32Array;
  /** What it learns from the first fragment when that has come. */
  protocol: number;
  class: number;
  ports: number;
  hash: number;
}

/** How a range of bytes goes with those that were seen before. */
export const FIT = {
  fits: 0,
  /** The very range has been seen. */
  repeats: 1,
  /** Somebody is wrong, or at work (RFC 5722). */
  contradicts: 2,
} as const;

/** What is known of a datagram in fragments. */
export class Datagram {
  /** It has had a contradiction: nothing of it passes any more. */
  isSpoilt = false;
  /** The first fragment has come; what follows is what it says. */
  hasFirst = false;
  protocol = 0;
  class = 0;
  ports = 0;
  hash = 0;
  /** In the order of their coming. */
  waiting: WaitingFragment[] = [];
  // Beginnings and ends of the ranges.
  readonly #begins: number[] = [];
  readonly #ends: number[] = [];
  #bytes = 0;
  #lastEnd = 0;
  // End of the datagram, once its last fragment was seen.
  #end = Number.POSITIVE_INFINITY;

  /** @param created - seconds */
  constructor(readonly created: number) {}

  /** No further range can be noted. */
  get isFull(): boolean {
    return this.#begins.length === MOST_RANGES;
  }

  /** All bytes have been seen: ranges do not overlap, so that counting them will do. */
  get isComplete(): boolean {
    return this.#bytes === this.#end;
  }

  /** @returns one of {@link FIT} */
  check(begin: number, end: number, more: boolean): number {
    for (let i = 0; i < this.#begins.length; i++) {
      if (this.#begins[i] === begin && this.#ends[i] === end) return FIT.repeats;
    }
    for (let i = 0; i < this.#begins.length; i++) {
      if (this.#begins[i] < end && begin < this.#ends[i]) return FIT.contradicts;
    }
    const isSecondEnd = !more && this.#end !== Number.POSITIVE_INFINITY;
    const isBeyond = end > this.#end || (!more && end < this.#lastEnd);
    return isSecondEnd || isBeyond ? FIT.contradicts : FIT.fits;
  }

  note(begin: number, end: number, more: boolean): void {
    this.#begins.push(begin);
    this.#ends.push(end);
    this.#bytes += end - begin;
    this.#lastEnd = Math.max(this.#lastEnd, end);
    if (!more) this.#end = end;
  }
}
