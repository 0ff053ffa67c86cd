// SPDX-License-Identifier: Apache-2.0
import type { DeltaBuilder } from './delta-builder.js';
import type { HopRow, RouteRow } from './routes.js';
import type { SlotDraft } from './slots.js';

/** Groups of next hops and the routes that name them, as an engine has them. */
export interface RoutingState {
  /** By slot. */
  readonly groups: ReadonlyMap<number, readonly HopRow[]>;
  /** By `PREFIX/LENGTH`. */
  readonly routes: ReadonlyMap<string, PlacedRoute>;
  /** Slots of the groups of backends that packets go to as they came, by the key of their next hop. */
  readonly ways: ReadonlyMap<string, number>;
  /** What it was planned from; `null`: what is there is less. */
  readonly rows: ReadonlyMap<string, RouteRow> | null;
  readonly hops: ReadonlyMap<string, HopRow>;
}

export interface PlacedRoute {
  readonly row: RouteRow;
  /** Slot. */
  readonly group: number;
}

export const NO_ROUTING: RoutingState = {
  groups: new Map(),
  routes: new Map(),
  ways: new Map(),
  rows: null,
  hops: new Map(),
};

/**
 * Works out what changes. Routes with the same next hops share a group. What is in a group never
 * changes: other next hops are another group, so that routes go over one by one.
 * @param hops - next hops of backends, by key
 * @returns the very same state where neither `rows` nor `hops` are other maps than before
 */
export function planRouting(
  before: RoutingState,
  rows: ReadonlyMap<string, RouteRow>,
  hops: ReadonlyMap<string, HopRow>,
  slots: SlotDraft,
  builder: DeltaBuilder,
): RoutingState {
  if (rows === before.rows && hops === before.hops) return before;
  const known = new Map<string, number>();
  for (const [slot, hops] of before.groups) known.set(contentOf(hops), slot);
  const groups = new Map<number, readonly HopRow[]>();
  const routes = new Map<string, PlacedRoute>();
  const place = (content: readonly HopRow[]): number => {
    const key = contentOf(content);
    const group = known.get(key) ?? slots.allocate();
    known.set(key, group);
    groups.set(group, before.groups.get(group) ?? content);
    return group;
  };
  for (const [prefix, row] of rows) routes.set(prefix, { row, group: place(row.hops) });
  const placed = new Map([...hops].map(([key, hop]) => [key, place([hop])]));

  for (const [prefix, { row }] of before.routes) if (!rows.has(prefix)) builder.removeRoute(row);
  for (const [prefix, route] of routes) {
    if (before.routes.get(prefix)?.group !== route.group) builder.putRoute(route);
  }
  for (const slot of before.groups.keys()) {
    if (groups.has(slot)) continue;
    builder.removeGroup(slot);
    slots.free(slot);
  }
  for (const [slot, content] of groups) {
    if (!before.groups.has(slot)) builder.putGroup(slot, content);
  }
  return { groups, routes, ways: placed, rows, hops };
}

/**
 * What an engine is left with when it has removed an interface: groups without the next hops over it,
 * and without those that had no others; their routes go too.
 */
export function withoutInterface(
  { groups, routes, ways, hops: wanted }: RoutingState,
  slot: number,
  slots: SlotDraft,
): RoutingState {
  const left = new Map<number, readonly HopRow[]>();
  for (const [group, hops] of groups) {
    const rest = hops.filter((hop) => hop.interface !== slot);
    if (rest.length > 0) left.set(group, rest);
    else slots.free(group);
  }
  const kept = [...routes].flatMap(([prefix, { row, group }]): [string, PlacedRoute][] => {
    const hops = row.hops.filter((hop) => hop.interface !== slot);
    return hops.length === 0 ? [] : [[prefix, { row: { ...row, hops }, group }]];
  });
  const leftWays = [...ways].filter(([, group]) => left.has(group));
  return { groups: left, routes: new Map(kept), ways: new Map(leftWays), rows: null, hops: wanted };
}

/** What its routes were made of, one after the other: there may be a million. */
export function* rowsOf({ routes }: RoutingState): Generator<RouteRow> {
  for (const { row } of routes.values()) yield row;
}

/** The same for the same next hops, in whatever order. */
function contentOf(hops: readonly HopRow[]): string {
  const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
  const texts = hops.map(
    (hop) => `${hop.interface} ${hop.weight} ${latin1(hop.gateway)}${latin1(hop.mac)}`,
  );
  return texts.sort().join('\n');
}
