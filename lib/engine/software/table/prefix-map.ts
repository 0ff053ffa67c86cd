// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS, isIpv4, maskOf, type Network } from '../base/address.js';
import { AddressMap } from './address-map.js';

/** How many prefixes of each length there are, and the lengths that occur, the longest first. */
class Lengths {
  readonly #counts = new Uint32Array(129);
  total = 0;
  present: readonly number[] = [];

  countLonger(bits: number): number {
    return this.#counts.subarray(bits + 1).reduce((sum, count) => sum + count, 0);
  }

  add(bits: number, difference: number): void {
    this.#counts[bits] += difference;
    this.total += difference;
    const isPresent = this.present.includes(bits);
    if (this.#counts[bits] > 0 === isPresent) return;
    this.present = isPresent
      ? this.present.filter((other) => other !== bits)
      : [...this.present, bits].sort((a, b) => b - a);
  }
}

/**
 * A map keyed by prefixes of either family. A look-up asks the lengths that occur, the longest first, hosts
 * being one of them, and makes no garbage.
 */
export class PrefixMap<Value> {
  readonly #values = new AddressMap<{ network: Network; value: Value }>();
  readonly #ipv4 = new Lengths();
  readonly #ipv6 = new Lengths();
  readonly #masked = new Int32Array(ADDRESS_WORDS);

  /** Prefixes of both families. */
  get size(): number {
    return this.#values.size;
  }

  /** Prefixes of one family. */
  count(ofIpv4: boolean): number {
    return (ofIpv4 ? this.#ipv4 : this.#ipv6).total;
  }

  /** Prefixes of one family that are longer than `bits` of the 128. */
  countLonger(ofIpv4: boolean, bits: number): number {
    return (ofIpv4 ? this.#ipv4 : this.#ipv6).countLonger(bits);
  }

  /** The value of this very prefix. */
  get({ address, bits }: Network): Value | undefined {
    return this.#values.get(address, 0, bits)?.value;
  }

  put(network: Network, value: Value): void {
    if (this.get(network) === undefined) this.#lengths(network).add(network.bits, 1);
    this.#values.set(network.address, 0, network.bits, { network, value });
  }

  /** Removes a prefix, if it is there. */
  remove(network: Network): void {
    if (!this.#values.delete(network.address, 0, network.bits)) return;
    this.#lengths(network).add(network.bits, -1);
  }

  /** Removes the prefixes whose value `isOver` says so of. */
  removeWhere(isOver: (value: Value) => boolean): void {
    for (const { network, value } of [...this.#values.values()]) {
      if (isOver(value)) this.remove(network);
    }
  }

  /**
   * The value of the longest prefix that holds an address.
   * @param at - where the address begins in `words`
   */
  lookup(words: Int32Array, at: number): Value | undefined {
    const { present } = isIpv4(words, at) ? this.#ipv4 : this.#ipv6;
    for (let i = 0; i < present.length; i++) {
      const bits = present[i];
      for (let word = 0; word < ADDRESS_WORDS; word++) {
        this.#masked[word] = words[at + word] & maskOf(bits, word);
      }
      const found = this.#values.get(this.#masked, 0, bits);
      if (found !== undefined) return found.value;
    }
    return undefined;
  }

  #lengths(network: Network): Lengths {
    return network.isIpv4 ? this.#ipv4 : this.#ipv6;
  }
}
