// SPDX-License-Identifier: Apache-2.0
import type { Family } from '../model/address.js';
import type { CheckedBackend, CheckedService, CheckedServicePort } from '../model/checked.js';
import { chooseEndpoints, shareOf } from './endpoints.js';
import { type FrontendPlan, isExternal, type PoolChoice, planFrontends } from './frontends.js';
import type { Around } from './surroundings.js';
import type { BackendState } from './view.js';

/** What a service port becomes in one family, before anything has a slot. */
export interface PortPlan {
  readonly backends: readonly BackendPlan[];
  readonly pools: Readonly<Record<PoolChoice, PoolPlan | null>>;
  readonly frontends: readonly FrontendPlan[];
}

export interface BackendPlan {
  readonly backend: CheckedBackend;
  readonly state: BackendState;
}

export interface PoolPlan {
  readonly members: readonly { readonly row: BackendPlan; readonly weight: number }[];
  readonly silent: boolean;
}

export function planPort(
  service: CheckedService,
  port: CheckedServicePort,
  family: Family,
  around: Around,
): PortPlan {
  const endpoints = port.backends.filter((backend) => backend.family === family);
  const uses = poolUses(service, port, family);
  const choice = chooseEndpoints(endpoints, around.site.here);
  const chosen = new Set([
    ...(uses.cluster ? choice.cluster : []),
    ...(uses.local ? choice.local : []),
  ]);
  // Those that may not serve stay out, unless there are connections to be cut.
  const backends = endpoints
    .filter(({ ready, serving, flush }) => ready || serving || flush)
    .map((backend) => ({ backend, state: stateOf(backend, chosen) }));
  const rows = new Map(backends.map((row) => [row.backend, row]));
  const pool = (members: readonly CheckedBackend[], silent: boolean): PoolPlan => {
    const weighted = members.map((backend) => ({
      row: rows.get(backend)!,
      weight: shareOf(backend),
    }));
    return { members: weighted, silent: silent && weighted.every(({ weight }) => weight === 0) };
  };
  return {
    backends,
    pools: {
      cluster: uses.cluster ? pool(choice.cluster, false) : null,
      local: uses.local ? pool(choice.local, choice.hasAny) : null,
    },
    frontends: planFrontends(service, port, family, around),
  };
}

/** Policies `Cluster` and `Local` each have a pool where some destination asks for it. */
function poolUses(
  service: CheckedService,
  port: CheckedServicePort,
  family: Family,
): Record<PoolChoice, boolean> {
  const internalLocal = service.internalTrafficPolicy === 'Local';
  const external = isExternal(service, port, family);
  return {
    cluster: !internalLocal || external,
    local: internalLocal || (external && service.externalTrafficPolicy === 'Local'),
  };
}

function stateOf(backend: CheckedBackend, chosen: ReadonlySet<CheckedBackend>): BackendState {
  if (backend.flush) return 'flushed';
  if (backend.weight === 0) return 'draining';
  return chosen.has(backend) ? 'active' : 'standby';
}
