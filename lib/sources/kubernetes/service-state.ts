// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util';
import type { Changes } from '../../model/changes.js';
import type { Service } from '../../model/model.js';
import { ChangedKeys, changesOf, type Draft } from './changed-keys.js';
import {
  type ClusterChange,
  IP_FAMILIES,
  type NoLocalEndpoints,
  type ServiceHealth,
  TRAFFIC_POLICIES,
} from './cluster-change.js';
import { type Claimant, claimantOf, DestinationClaims, destinationsIn } from './destinations.js';
import { KnownObjects } from './known-objects.js';
import { type KnownSlice, knownSliceOf, triggerOf } from './known-slice.js';
import { healthOf, NOTHING, noLocalEndpoints } from './local-endpoints.js';
import { compareTexts, keyOf } from './names.js';
import { readService, type ServiceObject } from './objects.js';
import type { ToldWarnings } from './told-warnings.js';
import { isOurs, translateService } from './translate-service.js';

/** A Service, its slices, or both: slices may come first and stay longer. */
interface Row {
  /** `null`: there is nothing to serve. */
  claimant: Claimant | null;
  /** By their keys, in the order of their names. */
  slices: [key: string, slice: KnownSlice][];
  /** Why there is nothing to serve. */
  warnings: readonly string[];
  /** What the model's owner has been told that it answers on. */
  destinations: readonly string[];
  noneHere: Readonly<NoLocalEndpoints>;
  /** What has come since it was last taken: the Service, and keys of slices. */
  serviceCame: boolean;
  slicesCame: Set<string> | null;
  triggers: number[];
}

export interface ServiceStateOptions {
  nodeName: string | null;
  serviceProxyName?: string;
}

type Taken = Pick<ClusterChange, 'services' | 'endpoints' | 'triggers'> & {
  changes: Changes<Service> | undefined;
  health: Map<string, ServiceHealth | null>;
};

const NONE: readonly never[] = [];
/** Labels are for choosing Services alone, and may be large. */
const NO_LABELS = Object.freeze({});

/** Services and EndpointSlices of a cluster, and what has changed of what they come to. */
export class ServiceState {
  readonly services: KnownObjects<ServiceObject | null>;
  readonly slices: KnownObjects<KnownSlice>;
  readonly #options: ServiceStateOptions;
  readonly #warnings: ToldWarnings;
  readonly #rows = new Map<string, Row>();
  readonly #claims = new DestinationClaims();
  readonly #changed = new ChangedKeys<Service>();
  /** Of a change that was not made: they go together, as they did. */
  readonly #returned = new Set<string>();
  #carried = { services: 0, endpoints: 0, triggers: [] as number[] };
  /** Whose the model's owner has been told that a destination is. */
  readonly #owners = new Map<string, string>();
  readonly #health = new Map<string, ServiceHealth>();
  readonly #noneHere: NoLocalEndpoints = structuredClone(NOTHING);

  constructor(options: ServiceStateOptions, warnings: ToldWarnings) {
    this.#options = options;
    this.#warnings = warnings;
    this.services = new KnownObjects('Service', {
      read: (object) => this.#essenceOf(readService(object)),
      changed: (key, after) => this.#serviceChanged(key, after ?? null),
    });
    this.slices = new KnownObjects('EndpointSlice', {
      read: knownSliceOf,
      changed: (key, after, before, object) => this.#sliceChanged(key, after, before, object),
    });
  }

  get isChanged(): boolean {
    return this.#changed.size > 0;
  }

  /** Services with a policy `Local` and endpoints elsewhere alone. */
  get noneHere(): NoLocalEndpoints {
    return structuredClone(this.#noneHere);
  }

  /** How many objects have come that have not been taken. */
  pending(): { services: number; endpoints: number } {
    let { services, endpoints } = this.#carried;
    for (const key of this.#changed.keys()) {
      const row = this.#rows.get(key);
      services += Number(row?.serviceCame ?? false);
      endpoints += row?.slicesCame?.size ?? 0;
    }
    return { services, endpoints };
  }

  /** At most `limit` services, and those that have to change together with them. */
  take(limit: number): Taken {
    for (const { object } of this.#claims.settle()) this.#reconsider(keyOf(object));
    const taken: Taken = { ...this.#carried, changes: undefined, health: new Map() };
    this.#carried = { services: 0, endpoints: 0, triggers: [] };
    const draft: Draft<Service> = { put: [], removed: [] };
    const queue = new Set(this.#returned);
    this.#returned.clear();
    for (const key of this.#changed.keys()) {
      if (queue.size >= limit) break;
      queue.add(key);
    }
    // What is added on the way is gone through as well.
    for (const key of queue) {
      for (const other of this.#settle(key, taken, draft)) queue.add(other);
    }
    taken.changes = changesOf(draft);
    return taken;
  }

  putBack({ model, health, services, endpoints, triggers }: ClusterChange): void {
    const { services: changes = {} } = model;
    this.#changed.putBack(changes, nameOf);
    for (const key of [...(changes.put ?? []).map(nameOf), ...(changes.removed ?? [])]) {
      this.#returned.add(key);
    }
    for (const key of health.keys()) {
      // Whatever it is by then, it is told again.
      this.#health.set(key, { namespace: '', name: '', port: -1, localEndpoints: 0 });
      this.#changed.mark(key);
      this.#returned.add(key);
    }
    this.#carried.services += services;
    this.#carried.endpoints += endpoints;
    this.#carried.triggers = this.#carried.triggers.concat(triggers);
  }

  #essenceOf(object: ServiceObject): ServiceObject | null {
    if (!isOurs(object, this.#options.serviceProxyName)) return null;
    const { namespace, name } = object.metadata;
    return { ...object, metadata: { namespace, name, labels: NO_LABELS } };
  }

  #serviceChanged(key: string, object: ServiceObject | null): void {
    const row = this.#row(key);
    if (row.claimant !== null) this.#claims.remove(row.claimant);
    const warnings: string[] = [];
    row.claimant = object && claimantOf(object, (message) => warnings.push(message));
    row.warnings = warnings.length > 0 ? warnings : NONE;
    if (row.claimant !== null) this.#claims.add(row.claimant);
    row.serviceCame = true;
    this.#changed.mark(key);
  }

  #sliceChanged(
    key: string,
    after: KnownSlice | undefined,
    before: KnownSlice | undefined,
    object: unknown,
  ): void {
    this.#warnings.hold('EndpointSlice', key, after?.warnings ?? NONE);
    if (before !== undefined && before.service !== null) {
      const row = this.#row(before.service);
      row.slices = row.slices.filter(([each]) => each !== key);
      this.#sliceCame(before.service, row, key);
    }
    if (after !== undefined && after.service !== null) {
      const row = this.#row(after.service);
      row.slices = [...row.slices, [key, after] as [string, KnownSlice]].sort((a, b) =>
        compareTexts(a[0], b[0]),
      );
      this.#sliceCame(after.service, row, key);
      const trigger = triggerOf(object);
      if (trigger !== null) row.triggers.push(trigger);
    }
  }

  #sliceCame(service: string, row: Row, key: string): void {
    row.slicesCame ??= new Set();
    row.slicesCame.add(key);
    this.#changed.mark(service);
  }

  /** Marks a service that has other destinations because of somebody else's claims. */
  #reconsider(key: string): void {
    if (this.#changed.has(key)) return;
    const row = this.#row(key);
    const { destinations, warnings } = this.#destinationsOf(row);
    const texts = destinations === null ? NONE : destinationsIn(destinations);
    if (isDeepStrictEqual(texts, row.destinations)) this.#warnings.hold('Service', key, warnings);
    else this.#changed.mark(key);
  }

  /** @returns keys of services that have to go with it, since it has got what was theirs */
  #settle(key: string, taken: Taken, draft: Draft<Service>): string[] {
    const row = this.#row(key);
    const { destinations, warnings } = this.#destinationsOf(row);
    this.#warnings.hold('Service', key, warnings);
    const before = this.#own(key, row, destinations === null ? NONE : destinationsIn(destinations));
    const slices = row.slices.map(([, slice]) => slice);
    const service = destinations && translateService(destinations, slices);
    this.#changed.settle(key, service, draft);
    const { nodeName } = this.#options;
    this.#settleHealth(key, service && healthOf(row.claimant!.object, service, nodeName), taken);
    this.#countNoneHere(row, service === null ? NOTHING : noLocalEndpoints(service, nodeName));
    taken.services += Number(row.serviceCame);
    taken.endpoints += row.slicesCame?.size ?? 0;
    // One by one, as there may be more than a call takes arguments.
    if (service !== null) for (const trigger of row.triggers) taken.triggers.push(trigger);
    row.serviceCame = false;
    row.slicesCame = null;
    row.triggers = [];
    if (row.claimant === null && row.slices.length === 0) this.#rows.delete(key);
    return before;
  }

  #destinationsOf({ claimant, warnings: own }: Row) {
    const warnings = [...own];
    if (claimant === null) return { destinations: null, warnings };
    const warn = (message: string) => void warnings.push(message);
    const addresses = this.#claims.clusterIPs(claimant, warn);
    if (addresses.length === 0) return { destinations: null, warnings };
    return { destinations: this.#claims.destinations(claimant, addresses, warn), warnings };
  }

  /** @returns those who had any of its destinations before and have yet to be told that they do not */
  #own(key: string, row: Row, destinations: readonly string[]): string[] {
    for (const destination of row.destinations) {
      if (this.#owners.get(destination) === key) this.#owners.delete(destination);
    }
    row.destinations = destinations;
    return destinations.flatMap((destination) => {
      const owner = this.#owners.get(destination);
      this.#owners.set(destination, key);
      return owner !== undefined && this.#changed.has(owner) ? [owner] : [];
    });
  }

  #countNoneHere(row: Row, now: Readonly<NoLocalEndpoints>): void {
    const before = row.noneHere;
    if (now === before) return;
    for (const family of IP_FAMILIES) {
      for (const policy of TRAFFIC_POLICIES)
        this.#noneHere[family][policy] += now[family][policy] - before[family][policy];
    }
    row.noneHere = now;
  }

  #settleHealth(key: string, health: ServiceHealth | null, taken: Taken): void {
    const told = this.#health.get(key) ?? null;
    if (isDeepStrictEqual(told, health)) return;
    if (health === null) this.#health.delete(key);
    else this.#health.set(key, health);
    taken.health.set(key, health);
  }

  #row(key: string): Row {
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const row: Row = {
      claimant: null,
      slices: [],
      warnings: NONE,
      destinations: NONE,
      noneHere: NOTHING,
      serviceCame: false,
      slicesCame: null,
      triggers: [],
    };
    this.#rows.set(key, row);
    return row;
  }
}

function nameOf({ namespace, name }: Service): string {
  return `${namespace}/${name}`;
}
