// SPDX-License-Identifier: Apache-2.0
import { claimDestinations, nodePortOf, releaseDestinations } from '../model/check-destinations.js';
import type { CheckedService } from '../model/checked.js';
import { DraftMap } from './draft-map.js';
import { same } from './same.js';
import type { ServiceChange } from './service-changes.js';

/** What the services answer on, all together. */
export class Destinations {
  /** Keys of services. */
  readonly owners = new Map<string, string>();
  /** Of how many services an address is a cluster address or that of a load balancer. */
  readonly virtual = new Map<string, number>();
}

/** Changes to {@link Destinations} that are not made yet. */
export class DestinationsDraft {
  readonly #owners: DraftMap<string, string>;
  readonly #virtual: DraftMap<string, number>;
  readonly #watched: ReadonlySet<string>;
  /** Watched addresses that have become, or are no longer, some service's own. */
  readonly #counted = new Set<string>();
  /** Node ports that share a destination with an external address of a change. */
  readonly #beside = new Set<string>();

  /** @param watched - our own addresses, as far as node ports may be served on them */
  constructor(base: Destinations, watched: ReadonlySet<string>) {
    this.#owners = new DraftMap(base.owners);
    this.#virtual = new DraftMap(base.virtual);
    this.#watched = watched;
  }

  /**
   * What goes, goes first: a destination may pass from one service to another.
   * @throws SluiceError `ERR_MODEL`, as `claimDestinations`
   */
  change(changes: Iterable<ServiceChange>): void {
    const moved = [...changes].filter((change) => !sameDestinations(change));
    for (const { before } of moved) {
      if (before === undefined) continue;
      releaseDestinations(before, this.#owners);
      this.#count(before, -1);
    }
    for (const { after, path } of moved) {
      if (after === undefined) continue;
      claimDestinations(after, this.#owners, path);
      this.#count(after, 1);
    }
  }

  isVirtual(address: string): boolean {
    return (this.#virtual.get(address) ?? 0) > 0;
  }

  isTaken(destination: string): boolean {
    return this.#owners.get(destination) !== undefined;
  }

  /** Node ports are served on other addresses than before. */
  get shifted(): boolean {
    return [...this.#counted].some(
      (address) => (this.#virtual.before(address) ?? 0) > 0 !== this.isVirtual(address),
    );
  }

  /**
   * Services with a node port that a destination of the same number, on an address of ours, has been
   * given to or has been taken from.
   */
  beside(): string[] {
    return [...this.#beside].flatMap((nodePort) => this.#owners.get(nodePort) ?? []);
  }

  accept(): void {
    this.#owners.accept();
    this.#virtual.accept();
  }

  #count(service: CheckedService, by: 1 | -1): void {
    for (const list of [service.addresses, service.loadBalancer]) {
      for (const address of list) {
        const count = (this.#virtual.get(address) ?? 0) + by;
        if (count === 0) this.#virtual.delete(address);
        else this.#virtual.set(address, count);
        if (this.#watched.has(address)) this.#counted.add(address);
      }
    }
    for (const address of service.externalIPs) {
      if (!this.#watched.has(address)) continue;
      for (const { port, protocol } of service.ports) {
        this.#beside.add(nodePortOf({ nodePort: port, protocol }));
      }
    }
  }
}

function sameDestinations({ before, after }: ServiceChange): boolean {
  if (before === undefined || after === undefined) return before === after;
  return (
    same(before.addresses, after.addresses) &&
    same(before.externalIPs, after.externalIPs) &&
    same(before.loadBalancer, after.loadBalancer) &&
    before.ports.length === after.ports.length &&
    before.ports.every(({ port, protocol, nodePort }, index) => {
      const other = after.ports[index]!;
      return port === other.port && protocol === other.protocol && nodePort === other.nodePort;
    })
  );
}
