// SPDX-License-Identifier: Apache-2.0
import { formatEndpoint } from '../model/address.js';
import type { CheckedHop, CheckedService } from '../model/checked.js';
import { DraftMap } from './draft-map.js';
import type { RoutingState } from './groups.js';
import type { CompiledRoutes, HopRow } from './routes.js';
import type { ServiceChange } from './service-changes.js';

/** Which groups of next hops packets go by to backends as they came. */
export class BackendWays {
  /** Backends of services that have not changed may have to be put again. */
  readonly changed: boolean;
  readonly #groups: ReadonlyMap<string, number>;

  constructor(before: RoutingState, after: RoutingState) {
    this.#groups = after.ways;
    const isOther = ([key, group]: [string, number]) => {
      const next = after.ways.get(key);
      return next !== undefined && next !== group;
    };
    // Without its rows, what was there has lost some.
    this.changed = before !== after && (before.rows === null || [...before.ways].some(isOther));
  }

  /** Slot of the group. */
  groupOf(through: CheckedHop): number {
    return this.#groups.get(wayKey(through))!;
  }
}

/** Whether packets go to backends of a service as they came. */
export function hasWays({ ports }: CheckedService): boolean {
  // All backends of a port do, or none.
  return ports.some(({ backends }) => (backends[0]?.through ?? null) !== null);
}

/** A next hop of backends, and how many of them have it. */
export interface Way {
  readonly hop: CheckedHop;
  readonly count: number;
}

/** The next hops of all backends that packets go to as they came, after a change. */
export class WaysDraft {
  readonly #ways: DraftMap<string, Way>;
  readonly #changes: readonly ServiceChange[];
  readonly #touched = new Set<string>();

  /** @param base - by key */
  constructor(base: Map<string, Way>, changes: readonly ServiceChange[]) {
    this.#ways = new DraftMap(base);
    this.#changes = changes;
    for (const { before } of changes) if (before !== undefined) this.#count(before, -1);
    for (const { after } of changes) if (after !== undefined) this.#count(after, 1);
  }

  /** There are others than before. */
  get shifted(): boolean {
    return [...this.#touched].some(
      (key) => (this.#ways.get(key) === undefined) !== (this.#ways.before(key) === undefined),
    );
  }

  /**
   * @param services - all of before, looked at for the sake of errors
   * @returns by key
   * @throws SluiceError `ERR_ROUTE_SPEC`, path `services[i].ports[j].backends.ADDRESS:PORT.through.via` or
   * `.dev`; of a service that was there, `services[NAMESPACE/NAME]`
   */
  compile(
    { wayOf }: CompiledRoutes,
    services: ReadonlyMap<string, { readonly checked: CheckedService }>,
  ): Map<string, HopRow> {
    const hops = new Map<string, HopRow>();
    for (const [key, { hop }] of this.#ways) {
      hops.set(
        key,
        wayOf(hop, () => this.#placeOf(key, services)),
      );
    }
    return hops;
  }

  accept(): void {
    this.#ways.accept();
  }

  #count(service: CheckedService, by: 1 | -1): void {
    if (!hasWays(service)) return;
    for (const { hop, key } of hopsOf(service)) {
      const count = (this.#ways.get(key)?.count ?? 0) + by;
      if (count === 0) this.#ways.delete(key);
      else this.#ways.set(key, { hop, count });
      this.#touched.add(key);
    }
  }

  #placeOf(
    key: string,
    services: ReadonlyMap<string, { readonly checked: CheckedService }>,
  ): string {
    const find = (service: CheckedService | undefined) =>
      service === undefined ? undefined : [...hopsOf(service)].find((hop) => hop.key === key);
    for (const { after, path } of this.#changes) {
      const found = find(after);
      if (found !== undefined) return `${path}.${found.at}`;
    }
    for (const [name, { checked }] of services) {
      const found = find(checked);
      if (found !== undefined) return `services[${name}].${found.at}`;
    }
    return 'services';
  }
}

function* hopsOf({
  ports,
}: CheckedService): Generator<{ key: string; hop: CheckedHop; at: string }> {
  for (const [number, { backends }] of ports.entries()) {
    for (const { address, port, through } of backends) {
      if (through === null) continue;
      const at = `ports[${number}].backends.${formatEndpoint(address, port)}.through`;
      yield { key: wayKey(through), hop: through, at };
    }
  }
}

function wayKey({ via, dev, mac }: CheckedHop): string {
  return [dev ?? '', via?.join('.') ?? '', mac?.join('.') ?? ''].join(' ');
}
