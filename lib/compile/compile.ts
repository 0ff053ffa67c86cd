// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import type { CheckedInterface, CheckedModel, CheckedRoute } from '../model/checked.js';
import { DeltaBuilder } from './delta-builder.js';
import type { InterfaceRequest, ProgramDelta } from './program.js';
import {
  type AddressRow,
  compileAddresses,
  compileRoutes,
  type InterfaceSlots,
  type RouteRow,
  sameAddresses,
  sameRoute,
} from './routes.js';
import { type BackendChanges, ServicePlanner, type ServiceState } from './services.js';
import { SlotAllocator } from './slots.js';
import type { BackendAt, PortView, ProgramView } from './view.js';

/** Limits of the engine that a program has to keep to. */
export interface CompilerLimits {
  /** Backend slots, over all services. */
  readonly backends: number;
}

/** Routes that an engine holds, connected ones included. */
const MAX_ROUTES = 65_536;

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
  readonly #slots = {
    frontends: new SlotAllocator(),
    pools: new SlotAllocator(),
    backends: new SlotAllocator(),
  };
  readonly #services = new Map<string, ServiceState>();
  readonly #ports = new Map<number, PortView>();
  readonly #backends = new Map<number, BackendAt>();
  #interfaces: readonly CheckedInterface[] = [];
  #routes: readonly CheckedRoute[] = [];
  #addressRows: readonly AddressRow[] = [];
  #routeRows: ReadonlyMap<string, RouteRow> = new Map();
  /** Counts what plans are based on: a plan of an older base cannot be accepted. */
  #revision = 0;
  #sequence = 0;

  constructor(limits: CompilerLimits) {
    this.#limits = limits;
  }

  /** What the slots of the accepted program mean. */
  readonly view: ProgramView = {
    ports: () => this.#ports.values(),
    portOfPool: (slot) => this.#ports.get(slot),
    backend: (slot) => this.#backends.get(slot),
  };

  /**
   * Works out the delta from the accepted state to `model`. Sections that the model leaves out stay
   * as they were accepted. Order of work for a caller: choose slots for new interfaces, plan, add
   * the interfaces, commit, accept, and remove those that went last.
   * @param interfaces - slots of all interfaces of the model, new ones included, by name
   * @throws SluiceError `ERR_ROUTE_SPEC`, `ERR_CAPACITY`, `ERR_INTERFACE_UNKNOWN`
   */
  plan(model: CheckedModel, interfaces: InterfaceSlots): Plan {
    const builder = new DeltaBuilder();
    const sequence = this.#sequence + 1;
    const services = new ServicePlanner(this.#services, this.#slots, builder, sequence);
    if (model.services !== undefined) services.replace(model.services);
    this.#refuseExcess(services.backendSlots.size);

    const nextInterfaces = model.interfaces ?? this.#interfaces;
    const nextRoutes = model.routes ?? this.#routes;
    const addressRows = compileAddresses(nextInterfaces, interfaces);
    const routeRows = compileRoutes(nextInterfaces, nextRoutes, interfaces);
    if (routeRows.size > MAX_ROUTES) {
      const message = `${routeRows.size} routes, connected ones included; at most ${MAX_ROUTES} fit`;
      throw new SluiceError('ERR_CAPACITY', message, { path: 'routes' });
    }
    this.#diffRoutes(routeRows, builder);
    if (!sameAddresses(this.#addressRows, addressRows)) builder.setAddresses(addressRows);

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
        this.#acceptServices(services);
        this.#interfaces = nextInterfaces;
        this.#routes = nextRoutes;
        this.#addressRows = addressRows;
        this.#routeRows = routeRows;
      },
    };
  }

  /**
   * Says that the engine has removed the interface in `slot`, and with it the addresses and routes
   * over it. The next plan puts again what the model still wants of them.
   */
  forgetInterface(slot: number): void {
    this.#revision++;
    this.#addressRows = this.#addressRows.filter((row) => row.interface !== slot);
    this.#routeRows = new Map([...this.#routeRows].filter(([, row]) => row.interface !== slot));
  }

  #diffRoutes(next: ReadonlyMap<string, RouteRow>, builder: DeltaBuilder): void {
    for (const [prefix, row] of this.#routeRows) {
      if (!next.has(prefix)) builder.removeRoute(row);
    }
    for (const [prefix, row] of next) {
      const before = this.#routeRows.get(prefix);
      if (before === undefined || !sameRoute(before, row)) builder.putRoute(row);
    }
  }

  #acceptServices(services: ServicePlanner): void {
    services.frontendSlots.accept();
    services.poolSlots.accept();
    services.backendSlots.accept();
    for (const key of services.touched.keys()) this.#forgetService(this.#services.get(key));
    for (const [key, state] of services.touched) {
      if (state === null) this.#services.delete(key);
      else {
        this.#services.set(key, state);
        this.#rememberService(state);
      }
    }
  }

  #forgetService(state: ServiceState | undefined): void {
    for (const port of state?.ports.values() ?? []) {
      this.#ports.delete(port.pool);
      for (const backend of port.backends) this.#backends.delete(backend.slot);
    }
  }

  #rememberService(state: ServiceState): void {
    for (const port of state.ports.values()) {
      this.#ports.set(port.pool, port);
      for (const backend of port.backends) this.#backends.set(backend.slot, { port, backend });
    }
  }

  #refuseExcess(needed: number): void {
    if (needed <= this.#limits.backends) return;
    throw new SluiceError(
      'ERR_CAPACITY',
      `this change needs ${needed} backend slots at once (a slot that it frees is free only ` +
        `afterwards) and there are ${this.#limits.backends}; open the engine with ` +
        `backends: ${needed} or more`,
      { path: 'services' },
    );
  }
}

/** What an engine is asked for: the checked interface in its slot. */
export function interfaceRequest(checked: CheckedInterface, slot: number): InterfaceRequest {
  const { kind, name, mac, mtu, worker, parameters } = checked;
  return { slot, kind, name, mac, mtu, worker, parameters };
}
