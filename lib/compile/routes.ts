// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import {
  contains,
  formatAddress,
  formatPrefix,
  hostLength,
  isIpv4,
  networkOf,
  sameBytes,
} from '../model/address.js';
import { isLayer3 } from '../model/check-tunnel.js';
import type { CheckedHop, CheckedInterface, CheckedRoute } from '../model/checked.js';
import { listOf, nearest, show } from '../model/explain.js';

/** Which slot each interface has, by name. */
export type InterfaceSlots = ReadonlyMap<string, { readonly slot: number }>;

/** One row of the program's route table. */
export interface RouteRow {
  readonly prefix: Uint8Array;
  readonly length: number;
  /** In the order of the model; at least one, and none twice. */
  readonly hops: readonly HopRow[];
}

/** A next hop of a route. */
export interface HopRow {
  readonly interface: number;
  /** Name of the interface. */
  readonly name: string;
  /** All zero: the destination itself is on the link. */
  readonly gateway: Uint8Array;
  /** All zero: resolve by ARP or neighbour discovery. */
  readonly mac: Uint8Array;
  readonly weight: number;
}

/** Routes as they go into a program, and how other next hops of the model are found. */
export interface CompiledRoutes {
  /** By `PREFIX/LENGTH`. */
  readonly rows: Map<string, RouteRow>;
  /**
   * @param path - what errors name
   * @throws SluiceError `ERR_ROUTE_SPEC`, path `PATH.via` or `PATH.dev`
   */
  wayOf(hop: CheckedHop, path: () => string): HopRow;
}

export const ON_LINK = new Uint8Array(16);
export const UNKNOWN_MAC = new Uint8Array(6);
/** Over a tunnel without stations there is nobody to ask. */
const NO_STATION = Uint8Array.of(2, 0, 0, 0, 0, 0);

/**
 * Connected routes of the interfaces' networks, and the routes that were asked for. A next hop
 * without `dev` is looked up among the links: connected networks and `dev` routes, longest first.
 * @throws SluiceError `ERR_ROUTE_SPEC`, path `routes[i].via`, `.dev` or `.prefix`; of several next hops
 * `routes[i].nextHops[j].via` or `.dev`
 */
export function compileRoutes(
  interfaces: readonly CheckedInterface[],
  routes: readonly CheckedRoute[],
  slots: InterfaceSlots,
): CompiledRoutes {
  const rows = new Map<string, RouteRow>();
  const links = new Links();
  const own = new Map<string, string>();
  const layer3 = new Set(interfaces.filter(({ kind }) => isLayer3(kind)).map(({ name }) => name));
  const ground: Ground = { links, own, slots, layer3 };
  for (const { name, addresses } of interfaces) {
    for (const address of addresses) {
      own.set(formatAddress(address.bytes), name);
      if (address.length === hostLength(address.bytes)) continue;
      const { bytes: prefix, length } = networkOf(address);
      rows.set(
        formatPrefix({ bytes: prefix, length }),
        onLink(prefix, length, hopOver(name, ground)),
      );
      links.add(prefix, length, name);
    }
  }
  const connected = new Set(rows.keys());
  const names = interfaces.map(({ name }) => name);

  routes.forEach(({ text, prefix, length, hops }, index) => {
    if (connected.has(text)) {
      const holder = links.find(prefix);
      const message = `${text} is the network of interface ${holder} and has its route already`;
      throw new SluiceError('ERR_ROUTE_SPEC', message, { path: `routes[${index}].prefix` });
    }
    hops.forEach(({ via, dev }, hop) => {
      if (dev === null) return;
      if (!names.includes(dev)) refuseDevice(dev, names, pathOf(hops, index, hop));
      if (via === null) links.add(prefix, length, dev);
    });
  });
  routes.forEach(({ text, prefix, length, hops }, index) => {
    const compiled: HopRow[] = [];
    hops.forEach((checked, hop) => {
      const path = () => pathOf(hops, index, hop);
      const row = compileHop(checked, ground, path);
      const twin = compiled.findIndex((other) => sameHop(row, other));
      if (twin !== -1) {
        const message = `the same next hop as ${pathOf(hops, index, twin)}; give it a weight instead`;
        throw new SluiceError('ERR_ROUTE_SPEC', message, { path: path() });
      }
      compiled.push(row);
    });
    rows.set(text, { prefix, length, hops: compiled });
  });
  const wayOf = (hop: CheckedHop, path: () => string): HopRow => {
    if (hop.dev !== null && !names.includes(hop.dev)) refuseDevice(hop.dev, names, path());
    return compileHop(hop, ground, path);
  };
  return { rows, wayOf };
}

/** What next hops are looked up in. */
interface Ground {
  readonly links: Links;
  /** Names of interfaces by our own addresses. */
  readonly own: ReadonlyMap<string, string>;
  readonly slots: InterfaceSlots;
  /** Names of interfaces without stations. */
  readonly layer3: ReadonlySet<string>;
}

function compileHop(
  { via, dev, mac, weight }: CheckedHop,
  ground: Ground,
  path: () => string,
): HopRow {
  const holder = via === null ? undefined : ground.own.get(formatAddress(via));
  if (holder !== undefined) {
    const message =
      `${formatAddress(via!)} is our own address on ${holder}; ` +
      'a next hop is the address of another machine';
    throw new SluiceError('ERR_ROUTE_SPEC', message, { path: `${path()}.via` });
  }
  const name = dev ?? ground.links.find(via!) ?? refuseNextHop(via!, path());
  const hop = hopOver(name, ground);
  const isStation = !ground.layer3.has(name);
  return { ...hop, gateway: via ?? ON_LINK, mac: (isStation ? mac : null) ?? hop.mac, weight };
}

/** The destination itself, on the link of an interface. */
function hopOver(name: string, { slots, layer3 }: Ground): HopRow {
  const mac = layer3.has(name) ? NO_STATION : UNKNOWN_MAC;
  return { interface: slotOf(slots, name), name, gateway: ON_LINK, mac, weight: 1 };
}

/** Where a next hop is in the model; the only one is the route itself. */
function pathOf(hops: readonly CheckedHop[], route: number, hop: number): string {
  return hops.length === 1 ? `routes[${route}]` : `routes[${route}].nextHops[${hop}]`;
}

/** The same next hop, whatever its weight. */
export function sameHop(a: Omit<HopRow, 'weight' | 'name'>, b: typeof a): boolean {
  return a.interface === b.interface && sameBytes(a.gateway, b.gateway) && sameBytes(a.mac, b.mac);
}

/** The row of the longest prefix that holds `address`. */
export function findRoute(rows: Iterable<RouteRow>, address: Uint8Array): RouteRow | undefined {
  let best: RouteRow | undefined;
  for (const row of rows) {
    if (best !== undefined && row.length <= best.length) continue;
    if (contains({ bytes: row.prefix, length: row.length }, address)) best = row;
  }
  return best;
}

/** What is reachable without a next hop: networks and the interface that each is on. */
class Links {
  /** By family and length, then by the network's bytes. */
  readonly #networks = { 4: new Map<number, Network>(), 6: new Map<number, Network>() };

  add(prefix: Uint8Array, length: number, name: string): void {
    const byLength = this.#networks[isIpv4(prefix) ? 4 : 6];
    const networks = byLength.get(length) ?? new Map<string, string>();
    networks.set(keyOf(prefix), name);
    byLength.set(length, networks);
  }

  /** Name of the interface of the longest network that holds `address`. */
  find(address: Uint8Array): string | undefined {
    const byLength = this.#networks[isIpv4(address) ? 4 : 6];
    for (const length of [...byLength.keys()].sort((a, b) => b - a)) {
      const { bytes } = networkOf({ bytes: address, length });
      const name = byLength.get(length)!.get(keyOf(bytes));
      if (name !== undefined) return name;
    }
    return undefined;
  }
}

/** Names of interfaces by the bytes of their networks. */
type Network = Map<string, string>;

function keyOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function onLink(prefix: Uint8Array, length: number, hop: HopRow): RouteRow {
  return { prefix, length, hops: [hop] };
}

/** Every interface of the model has a slot: `compileAddresses` has seen to it. */
function slotOf(slots: InterfaceSlots, name: string): number {
  return slots.get(name)!.slot;
}

function refuseDevice(dev: string, names: readonly string[], path: string): never {
  const meant = nearest(dev, names);
  const hint = meant === null ? '' : `; did you mean ${meant}?`;
  const known = names.length === 0 ? 'there is none' : `there is ${listOf(names)}`;
  throw new SluiceError('ERR_ROUTE_SPEC', `no interface ${show(dev)}${hint} (${known})`, {
    path: `${path}.dev`,
  });
}

function refuseNextHop(via: Uint8Array, path: string): never {
  throw new SluiceError(
    'ERR_ROUTE_SPEC',
    `${formatAddress(via)} is on the link of no interface; give an interface an address in its ` +
      'network, or name the interface with dev=',
    { path: `${path}.via` },
  );
}
