// SPDX-License-Identifier: Apache-2.0
import { type CheckedService, type CheckedServicePort, serviceKey } from '../model/checked.js';
import type { DeltaBuilder } from './delta-builder.js';
import type { SlotAllocator, SlotDraft } from './slots.js';
import type { BackendAt, BackendView, PortView } from './view.js';

/** What the program holds for one service. Immutable: a changed service gets a new one. */
export interface ServiceState {
  readonly checked: CheckedService;
  /** By `name/protocol`: what a service port is known by while its number may change. */
  readonly ports: ReadonlyMap<string, PortState>;
}

interface PortState extends PortView {
  /** Frontend slots by address. */
  readonly frontends: ReadonlyMap<string, number>;
}

/** The slots of everything that belongs to services. */
export interface ServiceSlots {
  frontends: SlotAllocator;
  pools: SlotAllocator;
  backends: SlotAllocator;
}

/** Backends that came, went, or got another weight. */
export interface BackendChanges {
  /** Each has a slot of its own, whose counter may still hold the count of a previous backend. */
  readonly added: readonly BackendAt[];
  readonly removed: readonly BackendAt[];
  readonly changed: readonly BackendAt[];
}

/** Works out, service by service, what has to change. Nothing of the base is touched. */
export class ServicePlanner {
  readonly frontendSlots: SlotDraft;
  readonly poolSlots: SlotDraft;
  readonly backendSlots: SlotDraft;
  /** Services that are new or changed; `null`: gone. */
  readonly touched = new Map<string, ServiceState | null>();
  readonly added: BackendAt[] = [];
  readonly removed: BackendAt[] = [];
  readonly changed: BackendAt[] = [];
  readonly #base: ReadonlyMap<string, ServiceState>;
  readonly #delta: DeltaBuilder;
  readonly #sequence: number;

  constructor(
    base: ReadonlyMap<string, ServiceState>,
    slots: ServiceSlots,
    delta: DeltaBuilder,
    sequence: number,
  ) {
    this.#base = base;
    this.#delta = delta;
    this.#sequence = sequence;
    this.frontendSlots = slots.frontends.draft();
    this.poolSlots = slots.pools.draft();
    this.backendSlots = slots.backends.draft();
  }

  /** `services` are all that shall be there. */
  replace(services: readonly CheckedService[]): void {
    const wanted = new Set(services.map(serviceKey));
    for (const [key, state] of this.#base) {
      if (wanted.has(key)) continue;
      for (const port of state.ports.values()) this.#removePort(port);
      this.touched.set(key, null);
    }
    for (const service of services) {
      const key = serviceKey(service);
      const before = this.#base.get(key);
      if (before === undefined || !sameService(before.checked, service)) {
        this.touched.set(key, this.#putService(service, before));
      }
    }
  }

  #putService(service: CheckedService, before: ServiceState | undefined): ServiceState {
    const ports = new Map<string, PortState>();
    for (const port of service.ports) {
      const key = `${port.name}/${port.protocol}`;
      ports.set(key, this.#putPort(service, port, before?.ports.get(key)));
    }
    for (const [key, port] of before?.ports ?? []) {
      if (!ports.has(key)) this.#removePort(port);
    }
    return { checked: service, ports };
  }

  #putPort(
    service: CheckedService,
    port: CheckedServicePort,
    before: PortState | undefined,
  ): PortState {
    const pool = before?.pool ?? this.poolSlots.allocate();
    const backends = this.#assignBackends(port, before);
    const state: PortState = {
      pool,
      namespace: service.namespace,
      service: service.name,
      name: port.name,
      protocol: port.protocol,
      port: port.port,
      addresses: service.addresses,
      backends,
      frontends: this.#putFrontends(service, port, pool, before),
    };
    if (before === undefined || !sameEndpoints(before.backends, backends)) {
      this.#delta.putPool(pool, backends);
      this.#noteBackends(state, before);
    }
    return state;
  }

  #assignBackends(port: CheckedServicePort, before: PortState | undefined): BackendView[] {
    const known = new Map(before?.backends.map((backend) => [backendKey(backend), backend]));
    return port.backends.map((backend) => {
      const old = known.get(backendKey(backend));
      return {
        ...backend,
        slot: old?.slot ?? this.backendSlots.allocate(),
        allocatedAt: old?.allocatedAt ?? this.#sequence,
      };
    });
  }

  #putFrontends(
    service: CheckedService,
    port: CheckedServicePort,
    pool: number,
    before: PortState | undefined,
  ): ReadonlyMap<string, number> {
    const kept = before !== undefined && before.port === port.port ? before.frontends : new Map();
    const frontends = new Map<string, number>();
    for (const address of service.addresses) {
      let slot: number | undefined = kept.get(address);
      if (slot === undefined) {
        slot = this.frontendSlots.allocate();
        this.#delta.putFrontend({
          slot,
          address,
          port: port.port,
          protocol: port.protocol,
          pool,
        });
      }
      frontends.set(address, slot);
    }
    for (const [address, slot] of before?.frontends ?? []) {
      if (frontends.get(address) !== slot) this.#removeFrontend(slot);
    }
    return frontends;
  }

  #noteBackends(state: PortState, before: PortState | undefined): void {
    const old = new Map(before?.backends.map((backend) => [backend.slot, backend]));
    for (const backend of state.backends) {
      const previous = old.get(backend.slot);
      old.delete(backend.slot);
      if (previous === undefined) this.added.push({ port: state, backend });
      else if (previous.weight !== backend.weight) this.changed.push({ port: state, backend });
    }
    for (const backend of old.values()) {
      this.backendSlots.free(backend.slot);
      this.removed.push({ port: before!, backend });
    }
  }

  #removePort(port: PortState): void {
    for (const slot of port.frontends.values()) this.#removeFrontend(slot);
    for (const backend of port.backends) {
      this.backendSlots.free(backend.slot);
      this.removed.push({ port, backend });
    }
    this.poolSlots.free(port.pool);
    this.#delta.removePool(port.pool);
  }

  #removeFrontend(slot: number): void {
    this.frontendSlots.free(slot);
    this.#delta.removeFrontend(slot);
  }
}

function backendKey(backend: { address: string; port: number }): string {
  return `${backend.address}:${backend.port}`;
}

function sameService(a: CheckedService, b: CheckedService): boolean {
  if (a === b) return true;
  return (
    a.addresses.length === b.addresses.length &&
    a.addresses.every((address, index) => address === b.addresses[index]) &&
    a.ports.length === b.ports.length &&
    a.ports.every((port, index) => {
      const other = b.ports[index]!;
      return (
        port.name === other.name &&
        port.protocol === other.protocol &&
        port.port === other.port &&
        sameEndpoints(port.backends, other.backends)
      );
    })
  );
}

type Endpoint = { readonly address: string; readonly port: number; readonly weight: number };

function sameEndpoints(a: readonly Endpoint[], b: readonly Endpoint[]): boolean {
  return (
    a.length === b.length &&
    a.every((row, index) => {
      const other = b[index]!;
      return (
        row.address === other.address && row.port === other.port && row.weight === other.weight
      );
    })
  );
}
