// SPDX-License-Identifier: Apache-2.0
import type { Network } from '../base/address.js';
import { PrefixMap } from './prefix-map.js';

/** Where packets for a prefix go. */
export interface Route {
  /** Slot of the egress interface. */
  interface: number;
  /** Next hop; `null`: the destination itself. */
  gateway: Int32Array | null;
  /** MAC of the next hop; `null`: ask for it. */
  mac: Uint8Array | null;
}

/** Longest-prefix match of either family. */
export class RouteTable {
  readonly #routes = new PrefixMap<Route>();

  /** Routes of both families. */
  get size(): number {
    return this.#routes.size;
  }

  /** Routes of one family. */
  count(ofIpv4: boolean): number {
    return this.#routes.count(ofIpv4);
  }

  has(network: Network): boolean {
    return this.#routes.get(network) !== undefined;
  }

  put(network: Network, route: Route): void {
    this.#routes.put(network, route);
  }

  /** Removes a route, if it is there. */
  remove(network: Network): void {
    this.#routes.remove(network);
  }

  /** Removes the routes over an interface. */
  removeInterface(slot: number): void {
    this.#routes.removeWhere((route) => route.interface === slot);
  }

  /** @param at - where the address begins in `words` */
  lookup(words: Int32Array, at: number): Route | null {
    return this.#routes.lookup(words, at) ?? null;
  }
}
