// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS, isIpv4, maskOf, type Network } from '../base/address.js';
import { AddressMap } from './address-map.js';

/** What there is no route for. */
export const NO_GROUP = -1;

interface Route {
  network: Network;
  /** Slot of the group of next hops. */
  group: number;
}

/** How many routes of each length there are, and the lengths that occur, the longest first. */
class Lengths {
  readonly #counts = new Uint32Array(129);
  total = 0;
  present: readonly number[] = [];

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

/** Longest-prefix match of either family: the lengths that occur are asked, the longest first. */
export class RouteTable {
  readonly #routes = new AddressMap<Route>();
  // Group slot: how many routes of IPv4 and IPv6 name it.
  readonly #uses = new Map<number, { ipv4: number; ipv6: number }>();
  readonly #ipv4 = new Lengths();
  readonly #ipv6 = new Lengths();
  readonly #masked = new Int32Array(ADDRESS_WORDS);

  /** Routes of both families. */
  get size(): number {
    return this.#routes.size;
  }

  /** Routes of one family. */
  count(ofIpv4: boolean): number {
    return (ofIpv4 ? this.#ipv4 : this.#ipv6).total;
  }

  has({ address, bits }: Network): boolean {
    return this.#routes.get(address, 0, bits) !== undefined;
  }

  /** The group of the route for just this network, or `NO_GROUP`. */
  groupOf({ address, bits }: Network): number {
    return this.#routes.get(address, 0, bits)?.group ?? NO_GROUP;
  }

  /** How many routes of a family name a group. */
  usesOf(group: number, ofIpv4: boolean): number {
    return this.#uses.get(group)?.[ofIpv4 ? 'ipv4' : 'ipv6'] ?? 0;
  }

  put(network: Network, group: number): void {
    this.remove(network);
    this.#lengths(network).add(network.bits, 1);
    this.#routes.set(network.address, 0, network.bits, { network, group });
    this.#use(group, network, 1);
  }

  /** Removes a route, if it is there. */
  remove(network: Network): void {
    const group = this.groupOf(network);
    if (!this.#routes.delete(network.address, 0, network.bits)) return;
    this.#lengths(network).add(network.bits, -1);
    this.#use(group, network, -1);
  }

  /** Removes the routes of groups that are gone. */
  removeGroups(gone: ReadonlySet<number>): void {
    for (const { network, group } of [...this.#routes.values()]) {
      if (gone.has(group)) this.remove(network);
    }
  }

  /**
   * @param at - where the address begins in `words`
   * @returns the slot of the group, or `NO_GROUP`
   */
  lookup(words: Int32Array, at: number): number {
    const { present } = isIpv4(words, at) ? this.#ipv4 : this.#ipv6;
    for (let i = 0; i < present.length; i++) {
      const bits = present[i];
      for (let word = 0; word < ADDRESS_WORDS; word++) {
        this.#masked[word] = words[at + word] & maskOf(bits, word);
      }
      const found = this.#routes.get(this.#masked, 0, bits);
      if (found !== undefined) return found.group;
    }
    return NO_GROUP;
  }

  #use(group: number, { isIpv4 }: Network, difference: number): void {
    const uses = this.#uses.get(group) ?? { ipv4: 0, ipv6: 0 };
    uses[isIpv4 ? 'ipv4' : 'ipv6'] += difference;
    if (uses.ipv4 + uses.ipv6 === 0) this.#uses.delete(group);
    else this.#uses.set(group, uses);
  }

  #lengths(network: Network): Lengths {
    return network.isIpv4 ? this.#ipv4 : this.#ipv6;
  }
}
