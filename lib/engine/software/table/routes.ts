// SPDX-License-Identifier: Apache-2.0

/** Where packets for a prefix go. */
export interface Route {
  /** Slot of the egress interface. */
  interface: number;
  /** Next hop; 0: the destination itself. */
  gateway: number;
  /** MAC of the next hop; `null`: ask by ARP. */
  mac: Uint8Array | null;
}

/** The bits of an address that a prefix of `length` looks at. */
export function networkOf(address: number, length: number): number {
  return length === 0 ? 0 : (address & (-1 << (32 - length))) >>> 0;
}

/**
 * Longest-prefix match: a map for each prefix length that occurs, the longest asked first. Keys are
 * signed, because small integers are what a `Map` looks up without allocating.
 */
export class RouteTable {
  readonly #byLength: (Map<number, Route> | undefined)[] = new Array(33).fill(undefined);
  #lengths: number[] = [];

  /** Routes in the table. */
  get size(): number {
    return this.#byLength.reduce((total, routes) => total + (routes?.size ?? 0), 0);
  }

  has(prefix: number, length: number): boolean {
    return this.#byLength[length]?.has(prefix | 0) ?? false;
  }

  put(prefix: number, length: number, route: Route): void {
    let routes = this.#byLength[length];
    if (routes === undefined) {
      routes = new Map();
      this.#byLength[length] = routes;
      this.#lengths = [...this.#lengths, length].sort((a, b) => b - a);
    }
    routes.set(prefix | 0, route);
  }

  /** Removes a route, if it is there. */
  remove(prefix: number, length: number): void {
    const routes = this.#byLength[length];
    if (routes === undefined || !routes.delete(prefix | 0)) return;
    this.#prune(length);
  }

  /** Removes the routes over an interface. */
  removeInterface(slot: number): void {
    for (const length of [...this.#lengths]) {
      const routes = this.#byLength[length] as Map<number, Route>;
      for (const [prefix, route] of routes) if (route.interface === slot) routes.delete(prefix);
      this.#prune(length);
    }
  }

  lookup(address: number): Route | null {
    for (let i = 0; i < this.#lengths.length; i++) {
      const length = this.#lengths[i];
      const routes = this.#byLength[length] as Map<number, Route>;
      const route = routes.get(networkOf(address, length) | 0);
      if (route !== undefined) return route;
    }
    return null;
  }

  #prune(length: number): void {
    if (this.#byLength[length]?.size !== 0) return;
    this.#byLength[length] = undefined;
    this.#lengths = this.#lengths.filter((other) => other !== length);
  }
}
