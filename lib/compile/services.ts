// SPDX-License-Identifier: Apache-2.0
import type { Family } from '../model/address.js';
import type { CheckedService, CheckedServicePort } from '../model/checked.js';
import type { BackendWays } from './backend-ways.js';
import type { DeltaBuilder } from './delta-builder.js';
import { sameFrontend } from './frontends.js';
import { type PoolPlan, type PortPlan, planPort } from './port-plan.js';
import { NO_GROUP } from './program.js';
import { same } from './same.js';
import type { ServiceChange } from './service-changes.js';
import type { SlotAllocator, SlotDraft } from './slots.js';
import type { Around } from './surroundings.js';
import type { BackendAt, BackendView, FrontendView, PoolView, PortView } from './view.js';

/** What the program holds for one service. Immutable: a changed service gets a new one. */
export interface ServiceState {
  readonly checked: CheckedService;
  /** In the order of families, then of the service's ports. */
  readonly ports: readonly PortView[];
}

/** The slots of everything that belongs to services. */
export interface ServiceSlots<T = SlotAllocator> {
  readonly services: T;
  readonly frontends: T;
  readonly pools: T;
  readonly backends: T;
}

/** Backends that came, went, or got another weight or state. */
export interface BackendChanges {
  /** Each has a slot of its own, whose counter may still hold the count of a previous backend. */
  readonly added: readonly BackendAt[];
  readonly removed: readonly BackendAt[];
  readonly changed: readonly BackendAt[];
}

/** Works out, service by service, what has to change. Nothing of the base is touched. */
export class ServicePlanner {
  readonly slots: ServiceSlots<SlotDraft>;
  /** Services that are new or changed; `null`: gone. */
  readonly touched = new Map<string, ServiceState | null>();
  readonly added: BackendAt[] = [];
  readonly removed: BackendAt[] = [];
  readonly changed: BackendAt[] = [];
  readonly #base: ReadonlyMap<string, ServiceState>;
  readonly #delta: DeltaBuilder;
  readonly #sequence: number;
  readonly #ways: BackendWays;
  readonly #around: Around;

  constructor(
    base: ReadonlyMap<string, ServiceState>,
    slots: ServiceSlots,
    delta: DeltaBuilder,
    sequence: number,
    ways: BackendWays,
    around: Around,
  ) {
    this.#base = base;
    this.#delta = delta;
    this.#sequence = sequence;
    this.#ways = ways;
    this.#around = around;
    this.slots = {
      services: slots.services.draft(),
      frontends: slots.frontends.draft(),
      pools: slots.pools.draft(),
      backends: slots.backends.draft(),
    };
  }

  change(changes: readonly ServiceChange[]): void {
    for (const { key, after } of changes) {
      const before = this.#base.get(key);
      if (after !== undefined) this.touched.set(key, this.#putService(after, before));
      else {
        for (const port of before!.ports) this.#removePort(port);
        this.touched.set(key, null);
      }
    }
  }

  /** Plans those too that have not changed. */
  putRest(which: (service: CheckedService) => boolean): void {
    for (const [key, { checked }] of this.#base) if (which(checked)) this.putAgain(key);
  }

  /** Plans one that has not changed, unless it has. */
  putAgain(key: string): void {
    const before = this.#base.get(key);
    if (before === undefined || this.touched.has(key)) return;
    this.touched.set(key, this.#putService(before.checked, before));
  }

  #putService(service: CheckedService, before: ServiceState | undefined): ServiceState {
    const ports: PortView[] = [];
    const kept = new Set<PortView>();
    for (const family of service.families) {
      for (const port of service.ports) {
        const old = before?.ports.find((each) => isSamePort(each, port, family));
        if (old !== undefined) kept.add(old);
        ports.push(this.#putPort(service, port, family, old));
      }
    }
    for (const port of before?.ports ?? []) if (!kept.has(port)) this.#removePort(port);
    return { checked: service, ports };
  }

  #putPort(
    service: CheckedService,
    port: CheckedServicePort,
    family: Family,
    before: PortView | undefined,
  ): PortView {
    const plan = planPort(service, port, family, this.#around);
    const number = before?.number ?? this.slots.services.allocate();
    const backends = this.#putBackends(number, plan, before);
    const pools = {
      cluster: this.#putPool(plan.pools.cluster, backends, before?.pools.cluster ?? null),
      local: this.#putPool(plan.pools.local, backends, before?.pools.local ?? null),
    };
    const frontends = this.#putFrontends(number, port, plan, pools, before);
    const state: PortView = { number, family, service, port, backends, pools, frontends };
    this.#noteBackends(state, before);
    return state;
  }

  #putBackends(number: number, plan: PortPlan, before: PortView | undefined): BackendView[] {
    const known = new Known(before?.backends ?? []);
    return plan.backends.map(({ backend, state }) => {
      const { address, port, weight } = backend;
      const old = known.find(address, port);
      const slot = old?.slot ?? this.slots.backends.allocate();
      const flushed = state === 'flushed';
      const group = backend.through === null ? null : this.#ways.groupOf(backend.through);
      const isSame = old?.group === group && flushed === (old.state === 'flushed');
      if (!isSame) {
        this.#delta.putBackend(slot, address, port, number, flushed, group ?? NO_GROUP);
      }
      return {
        slot,
        address,
        port,
        weight,
        state,
        group,
        allocatedAt: old?.allocatedAt ?? this.#sequence,
      };
    });
  }

  #putPool(
    plan: PoolPlan | null,
    backends: readonly BackendView[],
    before: PoolView | null,
  ): PoolView | null {
    if (plan === null) {
      if (before !== null) this.#removePool(before);
      return null;
    }
    const pool: PoolView = {
      slot: before?.slot ?? this.slots.pools.allocate(),
      backends: plan.rows.map((row) => backends[row]!.slot),
      weights: plan.weights,
      silent: plan.silent,
    };
    if (before === null || !same(before, pool)) this.#delta.putPool(pool);
    return pool;
  }

  #putFrontends(
    number: number,
    port: CheckedServicePort,
    plan: PortPlan,
    pools: PortView['pools'],
    before: PortView | undefined,
  ): FrontendView[] {
    const known = new Known(before?.frontends ?? []);
    const samePools =
      before?.pools.cluster?.slot === pools.cluster?.slot &&
      before?.pools.local?.slot === pools.local?.slot;
    const frontends = plan.frontends.map((row): FrontendView => {
      const previous = known.find(row.address, row.port);
      const { address, kind, masquerade, affinity, ranges } = row;
      const slot = previous?.slot ?? this.slots.frontends.allocate();
      const frontend = { slot, address, port: row.port, kind, pools: row.pools, masquerade };
      const whole = { ...frontend, affinity, ranges };
      if (previous === undefined || !samePools || !sameFrontend(previous, row)) {
        this.#delta.putFrontend(whole, port.protocol, number, pools);
      }
      return whole;
    });
    for (const { slot } of known.rest()) this.#removeFrontend(slot);
    return frontends;
  }

  #noteBackends(state: PortView, before: PortView | undefined): void {
    const known = new Known(before?.backends ?? []);
    for (const backend of state.backends) {
      const previous = known.find(backend.address, backend.port);
      if (previous === undefined) this.added.push({ port: state, backend });
      else if (previous.weight !== backend.weight || previous.state !== backend.state) {
        this.changed.push({ port: state, backend });
      }
    }
    for (const backend of known.rest()) this.#removeBackend({ port: before!, backend });
  }

  #removePort(port: PortView): void {
    for (const { slot } of port.frontends) this.#removeFrontend(slot);
    for (const pool of Object.values(port.pools)) if (pool !== null) this.#removePool(pool);
    for (const backend of port.backends) this.#removeBackend({ port, backend });
    this.slots.services.free(port.number);
  }

  #removeFrontend(slot: number): void {
    this.slots.frontends.free(slot);
    this.#delta.removeFrontend(slot);
  }

  #removePool({ slot }: PoolView): void {
    this.slots.pools.free(slot);
    this.#delta.removePool(slot);
  }

  #removeBackend(at: BackendAt): void {
    this.slots.backends.free(at.backend.slot);
    this.#delta.removeBackend(at.backend.slot);
    this.removed.push(at);
  }
}

/** What a service port is known by while its number may change. */
function isSamePort(
  { port: known, family: its }: PortView,
  { name, protocol }: CheckedServicePort,
  family: Family,
): boolean {
  return its === family && known.name === name && known.protocol === protocol;
}

/**
 * What there was, found by address and port. Asked for in the order in which it was there, as is
 * usual, it costs no table.
 */
class Known<T extends { readonly address: string; readonly port: number }> {
  readonly #items: readonly T[];
  readonly #found: boolean[];
  #places: Map<string, number> | null = null;
  #next = 0;

  constructor(items: readonly T[]) {
    this.#items = items;
    this.#found = items.map(() => false);
  }

  find(address: string, port: number): T | undefined {
    const next = this.#items[this.#next];
    const isNext = next?.address === address && next.port === port;
    const place = isNext ? this.#next : this.#search(address, port);
    if (place === undefined) return undefined;
    this.#found[place] = true;
    this.#next = place + 1;
    return this.#items[place];
  }

  /** Those that nobody asked for. */
  rest(): T[] {
    return this.#items.filter((_, place) => !this.#found[place]);
  }

  #search(address: string, port: number): number | undefined {
    if (this.#items.length === 0) return undefined;
    const keyOf = (item: { address: string; port: number }) => `${item.address} ${item.port}`;
    this.#places ??= new Map(this.#items.map((item, place) => [keyOf(item), place]));
    return this.#places.get(keyOf({ address, port }));
  }
}
