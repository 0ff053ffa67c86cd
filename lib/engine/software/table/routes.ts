// SPDX-License-Identifier: Apache-2.0
import { MAPPED_BITS, type Network } from '../base/address.js';
import { PrefixMap } from './prefix-map.js';

/** Of the 128 that an IPv4 address is mapped into; a table for many routes has little room for longer ones. */
export const LONG_IPV4_BITS = MAPPED_BITS + 24;

/** What there is no route for. */
export const NO_ROUTE = -1;

interface Route {
  network: Network;
  /** Slot of the group of next hops. */
  group: number;
}

/** Longest-prefix match of either family. */
export class RouteTable {
  readonly #routes = new PrefixMap<Route>();
  // Group slot: how many routes of IPv4 and IPv6 name it.
  readonly #uses = new Map<number, { ipv4: number; ipv6: number }>();

  /** Routes of both families. */
  get size(): number {
    return this.#routes.size;
  }

  /** Routes of one family. */
  count(ofIpv4: boolean): number {
    return this.#routes.count(ofIpv4);
  }

  /** IPv4 routes of more than 24 bits. */
  get longIpv4(): number {
    return this.#routes.countLonger(true, LONG_IPV4_BITS);
  }

  has(network: Network): boolean {
    return this.#routes.get(network) !== undefined;
  }

  /** The group of the route for just this network, or `NO_ROUTE`. */
  groupOf(network: Network): number {
    return this.#routes.get(network)?.group ?? NO_ROUTE;
  }

  /** How many routes of a family name a group. */
  usesOf(group: number, ofIpv4: boolean): number {
    return this.#uses.get(group)?.[ofIpv4 ? 'ipv4' : 'ipv6'] ?? 0;
  }

  put(network: Network, group: number): void {
    this.remove(network);
    this.#routes.put(network, { network, group });
    this.#use(group, network, 1);
  }

  /** Removes a route, if it is there. */
  remove(network: Network): void {
    const group = this.groupOf(network);
    if (group === NO_ROUTE) return;
    this.#routes.remove(network);
    this.#use(group, network, -1);
  }

  /** Removes the routes of groups that are gone. */
  removeGroups(gone: ReadonlySet<number>): void {
    this.#routes.removeWhere(({ network, group }) => {
      if (!gone.has(group)) return false;
      this.#use(group, network, -1);
      return true;
    });
  }

  /**
   * @param at - where the address begins in `words`
   * @returns the slot of the group, or `NO_ROUTE`
   */
  lookup(words: Int32Array, at: number): number {
    return this.#routes.lookup(words, at)?.group ?? NO_ROUTE;
  }

  #use(group: number, { isIpv4 }: Network, difference: number): void {
    const uses = this.#uses.get(group) ?? { ipv4: 0, ipv6: 0 };
    uses[isIpv4 ? 'ipv4' : 'ipv6'] += difference;
    if (uses.ipv4 + uses.ipv6 === 0) this.#uses.delete(group);
    else this.#uses.set(group, uses);
  }
}
