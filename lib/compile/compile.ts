// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import type { CheckedChange, CheckedInterface } from '../model/checked.js';
import { BackendWays, hasWays, type Way, WaysDraft } from './backend-ways.js';
import { DeltaBuilder } from './delta-builder.js';
import { Destinations, DestinationsDraft } from './destinations.js';
import { type Ground, groundAfter, groundWithout, NO_GROUND, putGround } from './ground.js';
import { NO_ROUTING, planRouting, type RoutingState, rowsOf, withoutInterface } from './groups.js';
import { PolicyPlanner } from './policy/planner.js';
import { PolicyState } from './policy/state.js';
import type { InterfaceRequest, ProgramDelta } from './program.js';
import { findRoute, type InterfaceSlots } from './routes.js';
import { readServices } from './service-changes.js';
import {
  type BackendChanges,
  ServicePlanner,
  type ServiceSlots,
  type ServiceState,
} from './services.js';
import { SlotIndex } from './slot-index.js';
import { SLOT_LIMIT, SlotAllocator } from './slots.js';
import { type Surroundings, sameSurroundings, surroundingsOf } from './surroundings.js';
import type { PortView, ProgramView } from './view.js';

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
 * Turns checked models, and changes of them, into deltas. It remembers what has been accepted, so that
 * a delta holds only what changed, and a change costs what it changes. What is around all services
 * changes seldom; then each of them is planned anew. A plan that is dropped leaves no trace.
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
  readonly #destinations = new Destinations();
  readonly #ways = new Map<string, Way>();
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
    ports: () => portsOf(this.#services),
    counts: () => ({ services: this.#services.size, backends: this.#index.backendCount }),
    portOfService: (number) => this.#index.port(number),
    backend: (slot) => this.#index.backend(slot),
    frontend: (slot) => this.#index.frontend(slot),
    pool: (slot) => this.#index.pool(slot),
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
    const builder = new DeltaBuilder();
    const sequence = this.#sequence + 1;
    const before = this.#accepted;
    const ground = groundAfter(before.ground, change, interfaces, this.#limits.routes);
    const changes = readServices(change.services, this.#services);
    const destinations = new DestinationsDraft(this.#destinations, ground.site.accepted);
    destinations.change(changes);
    const ways = new WaysDraft(this.#ways, changes);
    const hops =
      ground.compiled !== before.ground.compiled || ways.shifted
        ? ways.compile(ground.compiled, this.#services)
        : before.routing.hops;
    const groups = this.#groups.draft();
    const routing = planRouting(before.routing, ground.compiled.rows, hops, groups, builder);
    this.#refuseExcessGroups(groups.size);
    const surroundings =
      ground === before.ground && !destinations.shifted
        ? before.surroundings
        : surroundingsOf(ground.site, destinations);
    const around = { ...surroundings, isTaken: (at: string) => destinations.isTaken(at) };
    const backendWays = new BackendWays(before.routing, routing);
    const services = new ServicePlanner(
      ...([this.#services, this.#slots, builder, sequence, backendWays, around] as const),
    );
    services.change(changes);
    if (!sameSurroundings(before.surroundings, surroundings)) services.putRest(() => true);
    else {
      if (backendWays.changed) services.putRest(hasWays);
      for (const key of destinations.beside()) services.putAgain(key);
    }
    this.#refuseExcess(services);
    const policy = new PolicyPlanner(this.#policy, builder.policy);
    policy.plan(change, ground.interfaces, ground.node);
    putGround(before.ground, ground, builder);

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
        destinations.accept();
        ways.accept();
        groups.accept();
        this.#acceptServices(services);
        policy.accept();
        this.#accepted = { ground, surroundings, routing };
      },
    };
  }

  /**
   * Says that the engine has removed the interface in `slot`, and with it its addresses and the next
   * hops over it. The next plan puts again what the model still wants of them.
   */
  forgetInterface(slot: number): void {
    this.#revision++;
    const { ground, routing } = this.#accepted;
    const groups = this.#groups.draft();
    this.#accepted = {
      ...this.#accepted,
      ground: groundWithout(ground, slot),
      routing: withoutInterface(routing, slot, groups),
    };
    groups.accept();
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
}

/** What has been accepted, besides services and policy. */
interface Accepted {
  readonly ground: Ground;
  readonly surroundings: Surroundings;
  readonly routing: RoutingState;
}

const NOTHING: Accepted = {
  ground: NO_GROUND,
  surroundings: { site: NO_GROUND.site, nodePortAddresses: [] },
  routing: NO_ROUTING,
};

function* portsOf(services: ReadonlyMap<string, ServiceState>): Generator<PortView> {
  for (const { ports } of services.values()) yield* ports;
}

/** Names of what has slots, for error messages. */
const NAMES = {
  backends: 'backend',
  frontends: 'frontend',
  pools: 'pool',
  services: 'service port',
} as const;

/** What an engine is asked for: the checked interface in its slot. */
export function interfaceRequest(checked: CheckedInterface, slot: number): InterfaceRequest {
  const { kind, name, mac, mtu, worker, queues, softwareRss } = checked;
  const { unfinishedChecksums, parameters } = checked;
  const shared = { worker, queues, softwareRss };
  return { slot, kind, name, mac, mtu, ...shared, unfinishedChecksums, parameters };
}
