// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { isIpv4 } from '../model/address.js';
import { NO_NODE } from '../model/check-node.js';
import type { CheckedInterface, CheckedNode, CheckedRoute } from '../model/checked.js';
import {
  type AddressRow,
  compileAddresses,
  compileScopes,
  type ScopeRow,
  sameAddresses,
  samePrefixes,
  sameScopes,
} from './addresses.js';
import type { DeltaBuilder } from './delta-builder.js';
import { podRoutes } from './pod-routes.js';
import { type CompiledRoutes, compileRoutes, type InterfaceSlots } from './routes.js';
import { compileSources, type SourceRow, sameSources } from './sources.js';
import { type Site, siteOf } from './surroundings.js';

/** The sections that come whole. */
export interface GroundSections {
  readonly interfaces: readonly CheckedInterface[];
  readonly routes: readonly CheckedRoute[];
  readonly node: CheckedNode;
}

/** What comes of interfaces, routes and node: all that services and policy stand on. Immutable. */
export interface Ground extends GroundSections {
  readonly slots: InterfaceSlots;
  readonly site: Site;
  readonly addressRows: readonly AddressRow[];
  readonly scopeRows: readonly ScopeRow[];
  readonly sourceRows: readonly SourceRow[];
  /** `null`: to be made anew. */
  readonly compiled: CompiledRoutes | null;
}

export type CompleteGround = Ground & { readonly compiled: CompiledRoutes };

export const NO_GROUND: Ground = {
  interfaces: [],
  routes: [],
  node: NO_NODE,
  slots: new Map(),
  site: siteOf([], NO_NODE),
  addressRows: [],
  scopeRows: [],
  sourceRows: [],
  compiled: null,
};

/**
 * The ground after a change; the very same where nothing of it has been given.
 * @param limit - routes of each family
 * @throws SluiceError `ERR_ROUTE_SPEC`, `ERR_CAPACITY`, `ERR_INTERFACE_UNKNOWN`
 */
export function groundAfter(
  before: Ground,
  given: Partial<GroundSections>,
  slots: InterfaceSlots,
  limit: number,
): CompleteGround {
  const { interfaces = before.interfaces, routes = before.routes, node = before.node } = given;
  const isSame = interfaces === before.interfaces && routes === before.routes;
  const { compiled } = before;
  if (isSame && node === before.node && slots === before.slots && compiled !== null) {
    return before as CompleteGround;
  }
  const addressRows = compileAddresses(interfaces, node, slots);
  return {
    interfaces,
    routes,
    node,
    slots,
    site: siteOf(interfaces, node),
    addressRows,
    scopeRows: compileScopes(interfaces, slots),
    sourceRows: compileSources(interfaces, slots),
    // A million routes are not looked at because the node has changed.
    compiled: isSame && compiled !== null ? compiled : routesOf(interfaces, routes, slots, limit),
  };
}

/** What is left when the engine has removed the interface in `slot`. */
export function groundWithout(ground: Ground, slot: number): Ground {
  const isLeft = (row: { readonly interface: number }) => row.interface !== slot;
  return {
    ...ground,
    addressRows: ground.addressRows.filter(isLeft),
    scopeRows: ground.scopeRows.filter(isLeft),
    sourceRows: ground.sourceRows.filter(isLeft),
    compiled: null,
  };
}

/** Puts the tables that are put whole. */
export function putGround(before: Ground, next: Ground, builder: DeltaBuilder): void {
  if (next === before) return;
  if (!sameAddresses(before.addressRows, next.addressRows)) builder.setAddresses(next.addressRows);
  if (!sameScopes(before.scopeRows, next.scopeRows)) builder.setScopes(next.scopeRows);
  if (!sameSources(before.sourceRows, next.sourceRows)) builder.setSources(next.sourceRows);
  const { podNetworks, serviceNetworks } = next.node;
  if (!samePrefixes(before.node.podNetworks, podNetworks)) builder.setPodNetworks(podNetworks);
  if (!samePrefixes(before.node.serviceNetworks, serviceNetworks)) {
    builder.setServiceNetworks(serviceNetworks);
  }
}

function routesOf(
  interfaces: readonly CheckedInterface[],
  routes: readonly CheckedRoute[],
  slots: InterfaceSlots,
  limit: number,
): CompiledRoutes {
  const all = [...routes, ...podRoutes(interfaces, routes)];
  const compiled = compileRoutes(interfaces, all, slots);
  let ipv4 = 0;
  for (const { prefix } of compiled.rows.values()) if (isIpv4(prefix)) ipv4++;
  const most = Math.max(ipv4, compiled.rows.size - ipv4);
  if (most <= limit) return compiled;
  throw new SluiceError(
    'ERR_CAPACITY',
    `${most} routes of one family, connected ones included; at most ${limit} fit`,
    { path: 'routes' },
  );
}
