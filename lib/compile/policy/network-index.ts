// SPDX-License-Identifier: Apache-2.0
import { contains, isIpv4, networkOf, type Prefix } from '../../model/address.js';
import type { CheckedNetworkPeer } from '../../model/checked-policy.js';
import { DraftMap } from '../draft-map.js';

interface Network {
  readonly prefix: Prefix;
  /** Selectors that are of this network. */
  readonly holding: ReadonlySet<number>;
  /** Selectors that leave it out. */
  readonly leaving: ReadonlySet<number>;
}

/** So many networks are looked at one by one sooner than keys are made of them. */
const FEW = 16;

/** What is kept of a {@link NetworkIndex}. */
export class NetworkState {
  readonly networks = new Map<string, Network>();
  /** Number of networks by length, in bits of IPv6. */
  readonly lengths = new Map<number, number>();
}

/** The bytes and the length of a prefix without host bits, as a key. */
export function prefixKey({ bytes, length }: Prefix): string {
  return String.fromCharCode(length, ...bytes);
}

/**
 * Which selectors of networks hold an address or a network. Every network that a selector names is
 * one of these, the ones that it leaves out too, so no selector holds a part of the addresses that
 * have one network as their longest.
 */
export class NetworkIndex {
  readonly #networks: DraftMap<string, Network>;
  readonly #lengths: DraftMap<number, number>;
  /** Those of `#lengths`; `null`: to be looked up. */
  #present: readonly number[] | null = null;
  /** Networks that have come or gone. */
  readonly touched = new Set<string>();
  /** Networks of selectors that have come or gone: what is within them may have others now. */
  readonly #shifted = new Map<string, Prefix>();

  constructor(state: NetworkState) {
    this.#networks = new DraftMap(state.networks);
    this.#lengths = new DraftMap(state.lengths);
  }

  add(selector: number, { network, except }: CheckedNetworkPeer): void {
    this.#shifted.set(prefixKey(network), network);
    this.#change(network, ({ holding }) => ({ holding: new Set(holding).add(selector) }));
    for (const prefix of except) {
      this.#change(prefix, ({ leaving }) => ({ leaving: new Set(leaving).add(selector) }));
    }
  }

  remove(selector: number, { network, except }: CheckedNetworkPeer): void {
    this.#shifted.set(prefixKey(network), network);
    this.#change(network, ({ holding }) => ({ holding: without(holding, selector) }));
    for (const prefix of except) {
      this.#change(prefix, ({ leaving }) => ({ leaving: without(leaving, selector) }));
    }
  }

  /** The network of that key, if any selector names it. */
  get(key: string): Prefix | undefined {
    return this.#networks.get(key)?.prefix;
  }

  /** Selectors that hold all of `prefix`. */
  holding(prefix: Prefix): number[] {
    const holding = new Set<number>();
    const leaving = new Set<number>();
    for (const key of this.#around(prefix)) {
      const network = this.#networks.get(key);
      if (network === undefined) continue;
      for (const selector of network.holding) holding.add(selector);
      for (const selector of network.leaving) leaving.add(selector);
    }
    return [...holding].filter((selector) => !leaving.has(selector));
  }

  /** Whether {@link holding} may say something else of `prefix` than before the draft. */
  hasShifted(prefix: Prefix): boolean {
    if (this.#shifted.size > FEW) return this.#around(prefix).some((key) => this.#shifted.has(key));
    for (const network of this.#shifted.values()) {
      if (network.length <= prefix.length && contains(network, prefix.bytes)) return true;
    }
    return false;
  }

  get anyShifted(): boolean {
    return this.#shifted.size > 0;
  }

  accept(): void {
    this.#networks.accept();
    this.#lengths.accept();
  }

  /** Keys of the networks that hold `prefix`, of lengths that there are or were. */
  #around(prefix: Prefix): string[] {
    const { bytes, length } = prefix;
    const shift = isIpv4(bytes) ? 96 : 0;
    this.#present ??= [...this.#lengths].map(([bits]) => bits);
    return this.#present
      .filter((bits) => bits >= shift && bits <= length + shift)
      .map((bits) => prefixKey(networkOf({ bytes, length: bits - shift })));
  }

  #change(prefix: Prefix, changed: (network: Network) => Partial<Network>): void {
    const key = prefixKey(prefix);
    const known = this.#networks.get(key);
    const before = known ?? { prefix, holding: new Set(), leaving: new Set() };
    const after = { ...before, ...changed(before) };
    const isThere = after.holding.size + after.leaving.size > 0;
    if (isThere) this.#networks.set(key, after);
    else this.#networks.delete(key);
    if (isThere === (known !== undefined)) return;
    this.touched.add(key);
    const length = prefix.length + (isIpv4(prefix.bytes) ? 96 : 0);
    this.#present = null;
    // Stays with 0: what was within a network that has gone must still be found.
    this.#lengths.set(length, (this.#lengths.get(length) ?? 0) + (isThere ? 1 : -1));
  }
}

function without(set: ReadonlySet<number>, item: number): Set<number> {
  const rest = new Set(set);
  rest.delete(item);
  return rest;
}
