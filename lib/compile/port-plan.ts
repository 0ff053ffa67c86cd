// SPDX-License-Identifier: Apache-2.0
import type { Family } from '../model/address.js';
import type { CheckedBackend, CheckedService, CheckedServicePort } from '../model/checked.js';
import { canServe, chooseCluster, chooseLocal, shareOf } from './endpoints.js';
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
  /** Places in the plan's `backends`, and beside each its share of new connections. */
  readonly rows: readonly number[];
  readonly weights: readonly number[];
  readonly silent: boolean;
}

export function planPort(
  service: CheckedService,
  port: CheckedServicePort,
  family: Family,
  around: Around,
): PortPlan {
  const { here } = around.site;
  const isOnly = service.families.length === 1;
  const endpoints = isOnly
    ? port.backends
    : port.backends.filter((backend) => backend.family === family);
  const uses = poolUses(service, port, family);
  const pools = {
    cluster: uses.cluster ? new Members(chooseCluster(endpoints, here)) : null,
    local: uses.local ? new Members(chooseLocal(endpoints, here)) : null,
  };
  const backends: BackendPlan[] = [];
  for (const backend of endpoints) {
    const isOfCluster = pools.cluster?.take(backend, backends.length) ?? false;
    const isOfLocal = pools.local?.take(backend, backends.length) ?? false;
    // Those that may not serve stay out, unless there are connections to be cut.
    if (!backend.ready && !backend.serving && !backend.flush) continue;
    backends.push({ backend, state: stateOf(backend, isOfCluster || isOfLocal) });
  }
  return {
    backends,
    pools: {
      cluster: pools.cluster?.plan(false) ?? null,
      local: pools.local?.plan(canServe(endpoints)) ?? null,
    },
    frontends: planFrontends(service, port, family, around),
  };
}

/** Finds the places of chosen endpoints among all, which are asked in the same order. */
class Members {
  readonly #rows: number[] = [];
  readonly #weights: number[] = [];
  readonly #chosen: readonly CheckedBackend[];
  #hasShares = false;

  constructor(chosen: readonly CheckedBackend[]) {
    this.#chosen = chosen;
  }

  /** Whether `backend`, which is to be in `row`, is the next one. */
  take(backend: CheckedBackend, row: number): boolean {
    if (this.#chosen[this.#rows.length] !== backend) return false;
    const weight = shareOf(backend);
    this.#rows.push(row);
    this.#weights.push(weight);
    this.#hasShares ||= weight > 0;
    return true;
  }

  plan(silent: boolean): PoolPlan {
    return { rows: this.#rows, weights: this.#weights, silent: silent && !this.#hasShares };
  }
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

function stateOf(backend: CheckedBackend, isChosen: boolean): BackendState {
  if (backend.flush) return 'flushed';
  if (backend.weight === 0) return 'draining';
  return isChosen ? 'active' : 'standby';
}
