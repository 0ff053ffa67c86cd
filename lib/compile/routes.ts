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
import type { CheckedInterface, CheckedRoute } from '../model/checked.js';
import { listOf, nearest, show } from '../model/explain.js';

/** Which slot each interface has, by name. */
export type InterfaceSlots = ReadonlyMap<string, { readonly slot: number }>;

/** One row of the program's route table. */
export interface RouteRow {
  prefix: Uint8Array;
  length: number;
  interface: number;
  /** All zero: the destination itself is on the link. */
  gateway: Uint8Array;
  /** All zero: resolve by ARP or neighbour discovery. */
  mac: Uint8Array;
}

const ON_LINK = new Uint8Array(16);
const UNKNOWN_MAC = new Uint8Array(6);
/** Over a tunnel without stations there is nobody to ask. */
const NO_STATION = Uint8Array.of(2, 0, 0, 0, 0, 0);

/**
 * Connected routes of the interfaces' networks, and the routes that were asked for. A next hop
 * without `dev` is looked up among the links: connected networks and `dev` routes, longest first.
 * @returns rows by `PREFIX/LENGTH`
 * @throws SluiceError `ERR_ROUTE_SPEC`, path `routes[i].via`, `.dev` or `.prefix`
 */
export function compileRoutes(
  interfaces: readonly CheckedInterface[],
  routes: readonly CheckedRoute[],
  slots: InterfaceSlots,
): Map<string, RouteRow> {
  const rows = new Map<string, RouteRow>();
  const links = new Links();
  const own = new Map<string, string>();
  const layer3 = new Set(interfaces.filter(({ kind }) => isLayer3(kind)).map(({ name }) => name));
  for (const { name, addresses } of interfaces) {
    for (const address of addresses) {
      own.set(formatAddress(address.bytes), name);
      if (address.length === hostLength(address.bytes)) continue;
      const { bytes: prefix, length } = networkOf(address);
      rows.set(
        formatPrefix({ bytes: prefix, length }),
        onLink(prefix, length, slotOf(slots, name), layer3.has(name) ? NO_STATION : UNKNOWN_MAC),
      );
      links.add(prefix, length, name);
    }
  }
  const connected = new Set(rows.keys());
  const names = interfaces.map(({ name }) => name);

  routes.forEach(({ text, prefix, length, via, dev }, index) => {
    if (connected.has(text)) {
      const holder = links.find(prefix);
      const message = `${text} is the network of interface ${holder} and has its route already`;
      throw new SluiceError('ERR_ROUTE_SPEC', message, { path: `routes[${index}].prefix` });
    }
    if (dev === null) return;
    if (!names.includes(dev)) refuseDevice(dev, names, index);
    if (via === null) links.add(prefix, length, dev);
  });
  routes.forEach((route, index) => {
    const { via } = route;
    if (via !== null) {
      const holder = own.get(formatAddress(via));
      if (holder !== undefined) {
        const message =
          `${formatAddress(via)} is our own address on ${holder}; ` +
          'a next hop is the address of another machine';
        throw new SluiceError('ERR_ROUTE_SPEC', message, { path: `routes[${index}].via` });
      }
    }
    const name = route.dev ?? links.find(via!) ?? refuseNextHop(via!, index);
    rows.set(route.text, {
      prefix: route.prefix,
      length: route.length,
      interface: slotOf(slots, name),
      gateway: via ?? ON_LINK,
      mac: layer3.has(name) ? NO_STATION : (route.mac ?? UNKNOWN_MAC),
    });
  });
  return rows;
}

/** The same route: an engine would do nothing else with it. */
export function sameRoute(a: RouteRow, b: RouteRow): boolean {
  return a.interface === b.interface && sameBytes(a.gateway, b.gateway) && sameBytes(a.mac, b.mac);
}

/** The row of the longest prefix that holds `address`. */
export function findRoute(
  rows: ReadonlyMap<string, RouteRow>,
  address: Uint8Array,
): RouteRow | undefined {
  let best: RouteRow | undefined;
  for (const row of rows.values()) {
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

function onLink(prefix: Uint8Array, length: number, slot: number, mac: Uint8Array): RouteRow {
  return { prefix, length, interface: slot, gateway: ON_LINK, mac };
}

/** Every interface of the model has a slot: `compileAddresses` has seen to it. */
function slotOf(slots: InterfaceSlots, name: string): number {
  return slots.get(name)!.slot;
}

function refuseDevice(dev: string, names: readonly string[], index: number): never {
  const meant = nearest(dev, names);
  const hint = meant === null ? '' : `; did you mean ${meant}?`;
  const known = names.length === 0 ? 'there is none' : `there is ${listOf(names)}`;
  throw new SluiceError('ERR_ROUTE_SPEC', `no interface ${show(dev)}${hint} (${known})`, {
    path: `routes[${index}].dev`,
  });
}

function refuseNextHop(via: Uint8Array, index: number): never {
  throw new SluiceError(
    'ERR_ROUTE_SPEC',
    `${formatAddress(via)} is on the link of no interface; give an interface an address in its ` +
      'network, or name the interface with dev=',
    { path: `routes[${index}].via` },
  );
}
