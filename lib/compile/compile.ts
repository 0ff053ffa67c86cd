// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { isIpv4 } from '../model/address.js';
import { NO_NODE } from '../model/check-node.js';
import type {
  CheckedChange,
  CheckedInterface,
  CheckedModel,
  CheckedNode,
  CheckedRoute,
  CheckedService,
} from '../model/checked.js';
import {
  type AddressRow,
  compileAddresses,
  compileScopes,
  type ScopeRow,
  sameAddresses,
  samePrefixes,
  sameScopes,
} from './addresses.js';
import { BackendWays, compileWays } from './backend-ways.js';
import { DeltaBuilder } from './delta-builder.js';
import { NO_ROUTING, planRouting, type RoutingState, rowsOf, withoutInterface } from './groups.js';
import { podRoutes } from './pod-routes.js';
import { PolicyPlanner } from './policy/planner.js';
import { PolicyState } from './policy/state.js';
import type { InterfaceRequest, ProgramDelta } from './program.js';
import {
  type CompiledRoutes,
  compileRoutes,
  findRoute,
  type InterfaceSlots,
  type RouteRow,
} from './routes.js';
import {
  type BackendChanges,
  ServicePlanner,
  type ServiceSlots,
  type ServiceState,
} from './services.js';
import { SlotIndex } from './slot-index.js';
import { SLOT_LIMIT, SlotAllocator } from './slots.js';
import { compileSources, type SourceRow, sameSources } from './sources.js';
import { type Surroundings, sameSurroundings, surroundingsOf } from './surroundings.js';
import type { ProgramView } from './view.js';
import { wholeModel } from './whole.js';

/** Limits of the engine that a program has to keep to. */
export interface CompilerLimits {
  /** Backend slots, over all services. */
  readonly backends: number;
  /** Routes of each family, connected ones included. */
  readonly routes: number;
}

/** A change that has been worked out and not been made. Commit `delta`, then call `accept`. */
export interface Plan {
  /** Counts up from 1 with every accepted plan; the `allocatedAt` of the backends that it adds. */
  readonly sequence: number;
  readonly delta: ProgramDelta;
  /** The delta changes nothing; there is no need to commit it. */
  readonly empty: boolean;
  /**
   * Backends that come and go. The counter of an added backend's slot may hold the count of a
   * backend before it: read it before the commit, and subtract it from later readings.
   */
  readonly backends: BackendChanges;
  /** Makes the plan the accepted state. Call it once, after the engine has taken the delta. */
  accept(): void;
}

/**
 * Turns checked models into deltas. It remembers what has been accepted, so that a delta holds only
 * what changed: a changed service costs that service. A plan that is dropped leaves no trace.
 */
export class Compiler {
  readonly #limits: CompilerLimits;
  readonly #slots: ServiceSlots = {
    services: new SlotAllocator(),
    frontends: new SlotAllocator(),
    pools: new SlotAllocator(),
    backends: new SlotAllocator(),
  };
  readonly #groups = new SlotAllocator();
  readonly #services = new Map<string, ServiceState>();
  readonly #policy = new PolicyState();
  readonly #index = new SlotIndex();
  #accepted: Accepted = NOTHING;
  /** Counts what plans are based on: a plan of an older base cannot be accepted. */
  #revision = 0;
  #sequence = 0;

  constructor(limits: CompilerLimits) {
    this.#limits = limits;
  }

  /** What the slots of the accepted program mean. */
  readonly view: ProgramView = {
    ports: () => this.#index.ports.values(),
    portOfService: (number) => this.#index.ports.get(number),
    backend: (slot) => this.#index.backends.get(slot),
    frontend: (slot) => this.#index.frontends.get(slot),
    pool: (slot) => this.#index.pools.get(slot),
    route: (address) => findRoute(rowsOf(this.#accepted.routing), address),
    rule: (number) => this.#policy.rules.get(number),
  };

  /**
   * Works out the delta from the accepted state to that after `change`. Sections that it leaves out stay
   * as they were accepted. Order of work for a caller: choose slots for new interfaces, plan, add
   * the interfaces, commit, accept, and remove those that went last.
   * @param interfaces - slots of all interfaces of the model, new ones included, by name
   * @throws SluiceError `ERR_MODEL` where what is put collides with what stays; `ERR_ROUTE_SPEC`, `ERR_CAPACITY`, `ERR_INTERFACE_UNKNOWN`
   */
  plan(change: CheckedChange, interfaces: InterfaceSlots): Plan {
    const model = wholeModel(change, this.#accepted.services, this.#policy);
    const builder = new DeltaBuilder();
    const sequence = this.#sequence + 1;
    const before = this.#accepted;
    const wanted = this.#nextState(model, interfaces);
    const { compiled } = wanted;
    const hops = compileWays(wanted.services, compiled);
    const groups = this.#groups.draft();
    const routing = planRouting(before.routing, compiled.rows, hops, groups, builder);
    this.#refuseExcessGroups(groups.size);
    const ways = new BackendWays(before.routing.ways, routing.ways);
    const services = new ServicePlanner(this.#services, this.#slots, builder, sequence, ways);
    const anew = !sameSurroundings(before.surroundings, wanted.surroundings);
    if (model.services !== undefined || anew || ways.changed) {
      services.replace(wanted.services, wanted.surroundings, anew);
    }
    this.#refuseExcess(services);
    const policy = new PolicyPlanner(this.#policy, builder.policy);
    policy.plan(model, wanted.interfaces, wanted.node);
    const next: Accepted = { ...wanted, routing };
    putTables(before, next, builder);

    const revision = this.#revision;
    return {
      sequence,
      delta: builder.build(),
      empty: builder.empty,
      backends: {
        added: services.added,
        removed: services.removed,
        changed: services.changed,
      },
      accept: () => {
        if (this.#revision !== revision) {
          throw new Error('another plan has been accepted since this one was made');
        }
        this.#revision++;
        this.#sequence = sequence;
        groups.accept();
        this.#acceptServices(services);
        policy.accept();
        this.#accepted = next;
      },
    };
  }

  /**
   * Says that the engine has removed the interface in `slot`, and with it its addresses and the next
   * hops over it. The next plan puts again what the model still wants of them.
   */
  forgetInterface(slot: number): void {
    this.#revision++;
    const { addressRows, scopeRows, sourceRows, routing } = this.#accepted;
    const groups = this.#groups.draft();
    this.#accepted = {
      ...this.#accepted,
      addressRows: addressRows.filter((row) => row.interface !== slot),
      scopeRows: scopeRows.filter((row) => row.interface !== slot),
      compiled: null,
      routing: withoutInterface(routing, slot, groups),
      sourceRows: sourceRows.filter((row) => row.interface !== slot),
    };
    groups.accept();
  }

  #nextState(model: CheckedModel, slots: InterfaceSlots): Wanted {
    const interfaces = model.interfaces ?? this.#accepted.interfaces;
    const routes = model.routes ?? this.#accepted.routes;
    const node = model.node ?? this.#accepted.node;
    const services = model.services ?? this.#accepted.services;
    const addressRows = compileAddresses(interfaces, node, slots);
    const compiled = this.#compileRoutes(interfaces, routes, slots);
    return {
      interfaces,
      routes,
      node,
      services,
      surroundings: surroundingsOf(interfaces, node, services),
      addressRows,
      scopeRows: compileScopes(interfaces, slots),
      sourceRows: compileSources(interfaces, slots),
      compiled,
    };
  }

  /** A million routes are not looked at because a service has changed. */
  #compileRoutes(
    interfaces: readonly CheckedInterface[],
    routes: readonly CheckedRoute[],
    slots: InterfaceSlots,
  ): CompiledRoutes {
    const before = this.#accepted;
    const isSame = interfaces === before.interfaces && routes === before.routes;
    if (isSame && before.compiled !== null) return before.compiled;
    const compiled = compileRoutes(
      interfaces,
      [...routes, ...podRoutes(interfaces, routes)],
      slots,
    );
    this.#refuseExcessRoutes(compiled.rows);
    return compiled;
  }

  #acceptServices(planner: ServicePlanner): void {
    for (const draft of Object.values(planner.slots)) draft.accept();
    for (const key of planner.touched.keys()) this.#index.forget(this.#services.get(key));
    for (const [key, state] of planner.touched) {
      if (state === null) this.#services.delete(key);
      else {
        this.#services.set(key, state);
        this.#index.remember(state);
      }
    }
  }

  #refuseExcess({ slots }: ServicePlanner): void {
    const limits = {
      backends: this.#limits.backends,
      frontends: SLOT_LIMIT,
      pools: SLOT_LIMIT,
      services: SLOT_LIMIT,
    };
    for (const key of Object.keys(limits) as (keyof typeof limits)[]) {
      const needed = slots[key].size;
      if (needed <= limits[key]) continue;
      const remedy = key === 'backends' ? `; open the engine with backends: ${needed} or more` : '';
      throw new SluiceError(
        'ERR_CAPACITY',
        `this change needs ${needed} ${NAMES[key]} slots at once (a slot that it frees is free only ` +
          `afterwards) and there are ${limits[key]}${remedy}`,
        { path: 'services' },
      );
    }
  }

  #refuseExcessGroups(needed: number): void {
    if (needed <= SLOT_LIMIT) return;
    const message = `this change needs ${needed} groups of next hops at once; at most ${SLOT_LIMIT} fit`;
    throw new SluiceError('ERR_CAPACITY', message, { path: 'routes' });
  }

  #refuseExcessRoutes(rows: ReadonlyMap<string, RouteRow>): void {
    const limit = this.#limits.routes;
    let ipv4 = 0;
    for (const { prefix } of rows.values()) if (isIpv4(prefix)) ipv4++;
    const most = Math.max(ipv4, rows.size - ipv4);
    if (most <= limit) return;
    throw new SluiceError(
      'ERR_CAPACITY',
      `${most} routes of one family, connected ones included; at most ${limit} fit`,
      { path: 'routes' },
    );
  }
}

/** What a plan is to come to. */
type Wanted = Omit<Accepted, 'routing'> & { readonly compiled: CompiledRoutes };

/** What has been accepted, besides the services' slots. */
interface Accepted {
  readonly interfaces: readonly CheckedInterface[];
  readonly routes: readonly CheckedRoute[];
  readonly node: CheckedNode;
  readonly services: readonly CheckedService[];
  readonly surroundings: Surroundings;
  readonly addressRows: readonly AddressRow[];
  readonly scopeRows: readonly ScopeRow[];
  readonly sourceRows: readonly SourceRow[];
  /** Of `interfaces` and `routes`; `null`: to be made anew. */
  readonly compiled: CompiledRoutes | null;
  readonly routing: RoutingState;
}

const NOTHING: Accepted = {
  interfaces: [],
  routes: [],
  node: NO_NODE,
  services: [],
  surroundings: surroundingsOf([], NO_NODE, []),
  addressRows: [],
  scopeRows: [],
  sourceRows: [],
  compiled: null,
  routing: NO_ROUTING,
};

/** Names of what has slots, for error messages. */
const NAMES = {
  backends: 'backend',
  frontends: 'frontend',
  pools: 'pool',
  services: 'service port',
} as const;

/** The tables that are put whole. */
function putTables(before: Accepted, next: Accepted, builder: DeltaBuilder): void {
  if (!sameAddresses(before.addressRows, next.addressRows)) builder.setAddresses(next.addressRows);
  if (!sameScopes(before.scopeRows, next.scopeRows)) builder.setScopes(next.scopeRows);
  if (!sameSources(before.sourceRows, next.sourceRows)) builder.setSources(next.sourceRows);
  const { podNetworks, serviceNetworks } = next.node;
  if (!samePrefixes(before.node.podNetworks, podNetworks)) builder.setPodNetworks(podNetworks);
  if (!samePrefixes(before.node.serviceNetworks, serviceNetworks)) {
    builder.setServiceNetworks(serviceNetworks);
  }
}

/** What an engine is asked for: the checked interface in its slot. */
export function interfaceRequest(checked: CheckedInterface, slot: number): InterfaceRequest {
  const { kind, name, mac, mtu, worker, queues, softwareRss } = checked;
  const { unfinishedChecksums, parameters } = checked;
  const shared = { worker, queues, softwareRss };
  return { slot, kind, name, mac, mtu, ...shared, unfinishedChecksums, parameters };
}
