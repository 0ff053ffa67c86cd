// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS, isIpv4, maskOf, type Network } from '../base/address.js';
import { AddressMap } from './address-map.js';

/** Where packets for a prefix go. */
export interface Route {
  /** Slot of the egress interface. */
  interface: number;
  /** Next hop; `null`: the destination itself. */
  gateway: Int32Array | null;
  /** MAC of the next hop; `null`: ask for it. */
  mac: Uint8Array | null;
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
  readonly #routes = new AddressMap<{ network: Network; route: Route }>();
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

  put(network: Network, route: Route): void {
    if (!this.has(network)) this.#lengths(network).add(network.bits, 1);
    this.#routes.set(network.address, 0, network.bits, { network, route });
  }

  /** Removes a route, if it is there. */
  remove(network: Network): void {
    if (!this.#routes.delete(network.address, 0, network.bits)) return;
    this.#lengths(network).add(network.bits, -1);
  }

  /** Removes the routes over an interface. */
  removeInterface(slot: number): void {
    for (const { network, route } of [...this.#routes.values()]) {
      if (route.interface === slot) this.remove(network);
    }
  }

  /** @param at - where the address begins in `words` */
  lookup(words: Int32Array, at: number): Route | null {
    const { present } = isIpv4(words, at) ? this.#ipv4 : this.#ipv6;
    for (let i = 0; i < present.length; i++) {
      const bits = present[i];
      for (let word = 0; word < ADDRESS_WORDS; word++) {
        this.#masked[word] = words[at + word] & maskOf(bits, word);
      }
      const found = this.#routes.get(this.#masked, 0, bits);
      if (found !== undefined) return found.route;
    }
    return null;
  }

  #lengths(network: Network): Lengths {
    return network.isIpv4 ? this.#ipv4 : this.#ipv6;
  }
}
