// SPDX-License-Identifier: Apache-2.0
import { ACTION, ANY_PEER, type RuleColumns, TIER } from '../../../compile/program.js';

/** No rule is for it. */
export const NO_ROW = -1;

const NO_ROWS: readonly number[] = [];

/** What a rule is asked about. */
export interface Peer {
  /** Numbers of the selectors that hold the peer, ascending. */
  readonly memberships: Uint32Array;
}

/**
 * A set of rules, immutable. Theory of operation: rows lie in groups by their selector. What is asked for
 * is the first row, in the set's order, that is for a packet; so the shorter of two lists is walked, the
 * peer's selectors and those that the set names, and looked up in the other, and the smallest row of any
 * group is the answer. A rule for whatever has no port is one of protocol 0.
 */
export class RuleSet {
  readonly #bySelector = new Map<number, number[]>();
  readonly #selectors: Uint32Array;
  readonly #anyPeer: readonly number[];
  readonly #protocol: Uint8Array;
  readonly #portFirst: Uint16Array;
  readonly #portLast: Uint16Array;
  readonly #action: Uint8Array;
  readonly #tier: Uint8Array;
  readonly #rule: Uint32Array;
  // The first row that is of no tier up to this one.
  readonly #behind: readonly number[];

  /** @param first - row of the first rule; `count` of them follow each other */
  constructor(rules: RuleColumns, first: number, count: number) {
    const end = first + count;
    this.#protocol = rules.protocol.slice(first, end);
    this.#portFirst = rules.portFirst.slice(first, end);
    this.#portLast = rules.portLast.slice(first, end);
    this.#action = rules.action.slice(first, end);
    this.#tier = rules.tier.slice(first, end);
    this.#rule = rules.rule.slice(first, end);
    for (let row = 0; row < count; row++) {
      const selector = rules.selector[first + row];
      const rows = this.#bySelector.get(selector);
      if (rows === undefined) this.#bySelector.set(selector, [row]);
      else rows.push(row);
    }
    this.#anyPeer = this.#bySelector.get(ANY_PEER) ?? NO_ROWS;
    this.#bySelector.delete(ANY_PEER);
    this.#selectors = Uint32Array.from(this.#bySelector.keys());
    this.#behind = Object.values(TIER).map((tier) => {
      const next = this.#tier.findIndex((other) => other > tier);
      return next === -1 ? count : next;
    });
  }

  /**
   * The row that says whether a packet may pass.
   * @param port - of the destination
   * @param hasPort - TCP, UDP or SCTP; others are met by rules of protocol 0 alone
   * @param isSelf - source and destination are the same: the network tier is passed over
   * @returns a row that accepts or denies, or {@link NO_ROW}
   */
  ask(peer: Peer, protocol: number, port: number, hasPort: boolean, isSelf: boolean): number {
    for (let from = 0; ; ) {
      const row = this.#first(from, peer, protocol, port, hasPort, isSelf);
      if (row === NO_ROW || this.#action[row] !== ACTION.pass) return row;
      from = this.#behind[this.#tier[row]];
    }
  }

  /** What no rule is for may pass. */
  accepts(row: number): boolean {
    return row === NO_ROW || this.#action[row] === ACTION.accept;
  }

  /** The compiler's number of the rule in a row. */
  ruleAt(row: number): number {
    return this.#rule[row];
  }

  #first(
    from: number,
    { memberships }: Peer,
    protocol: number,
    port: number,
    hasPort: boolean,
    isSelf: boolean,
  ): number {
    const selectors = this.#selectors;
    let best = this.#firstOf(this.#anyPeer, from, NO_ROW, protocol, port, hasPort, isSelf);
    const walksPeer = memberships.length <= selectors.length;
    const shorter = walksPeer ? memberships : selectors;
    for (let i = 0; i < shorter.length; i++) {
      const selector = shorter[i];
      if (!walksPeer && !isAmong(memberships, selector)) continue;
      const rows = this.#bySelector.get(selector);
      if (rows === undefined) continue;
      best = this.#firstOf(rows, from, best, protocol, port, hasPort, isSelf);
    }
    return best;
  }

  /** The first of some rows that is for a packet, or `best` where that comes before. */
  #firstOf(
    rows: readonly number[],
    from: number,
    best: number,
    protocol: number,
    port: number,
    hasPort: boolean,
    isSelf: boolean,
  ): number {
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      if (best !== NO_ROW && row > best) return best;
      if (row < from || (isSelf && this.#tier[row] === TIER.network)) continue;
      if (this.#isFor(row, protocol, port, hasPort)) return row;
    }
    return best;
  }

  #isFor(row: number, protocol: number, port: number, hasPort: boolean): boolean {
    const wanted = this.#protocol[row];
    if (wanted === 0) return true;
    return (
      hasPort && wanted === protocol && port >= this.#portFirst[row] && port <= this.#portLast[row]
    );
  }
}

/** @param numbers - ascending */
function isAmong(numbers: Uint32Array, number: number): boolean {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle] < number) low = middle + 1;
    else high = middle;
  }
  return low < numbers.length && numbers[low] === number;
}
