// SPDX-License-Identifier: Apache-2.0
import { familyOf } from '../../model/address.js';
import { destinationOf } from '../../model/check-destinations.js';
import { Claims } from './claims.js';
import { compareNames } from './names.js';
import type { ServiceObject } from './read-service.js';
import { lacksFamily } from './warnings.js';

/** What a Service answers on. */
export interface Destinations {
  readonly object: ServiceObject;
  readonly addresses: readonly string[];
  readonly externalIPs: readonly string[];
  readonly loadBalancer: readonly string[];
  /** Port by port, 0: none. */
  readonly nodePorts: readonly number[];
}

/** What a Service asks to answer on. */
export interface Claimant extends Omit<Destinations, 'nodePorts'> {
  /** Every destination, once. */
  readonly destinations: readonly string[];
}

/** Somebody else's destination that keeps a Service from having an address. */
interface Obstacle {
  readonly destination: string;
  readonly owner: ServiceObject;
}

type Warn = (message: string) => void;

/** All that clients can send to, as texts. */
export function destinationsIn(has: Destinations): string[] {
  const { ports } = has.object.spec;
  const addresses = [...has.addresses, ...has.externalIPs, ...has.loadBalancer];
  const nodePorts = ports.filter((_, index) => has.nodePorts[index] !== 0);
  return [
    ...addresses.flatMap((address) => ports.map((port) => destinationOf(address, port))),
    ...nodePorts.map(nodePortOf),
  ];
}

/**
 * What a Service that is to be served asks for; `null`: nothing.
 * @param warn - told where that is a mistake
 */
export function claimantOf(object: ServiceObject, warn: Warn): Claimant | null {
  const { spec, status } = object;
  if (spec.type === 'ExternalName') return null;
  const given = [spec.clusterIP, ...spec.clusterIPs].filter((ip) => ip !== '');
  if (given.includes('None')) return null;
  if (given.length === 0) {
    warn('it has no clusterIP (the API server assigns one), so it is not served');
    return null;
  }
  const ingress = status?.loadBalancer?.ingress ?? [];
  const virtual = ingress.filter(({ ip, ipMode }) => ip !== '' && ipMode === 'VIP');
  const besides = (addresses: readonly string[]) =>
    [...new Set(addresses)].filter((address) => !given.includes(address));
  const addresses = [...new Set(given)];
  const externalIPs = besides(spec.externalIPs);
  const loadBalancer = besides(virtual.map(({ ip }) => ip));
  const destinations = [...addresses, ...externalIPs, ...loadBalancer].flatMap((address) =>
    spec.ports.map((port) => destinationOf(address, port)),
  );
  const nodePorts = spec.ports.filter(({ nodePort }) => nodePort !== 0).map(nodePortOf);
  return {
    object,
    addresses,
    externalIPs,
    loadBalancer,
    destinations: [...new Set([...destinations, ...nodePorts])],
  };
}

/**
 * Who answers on what, where several Services want the same: the first one by namespace and name. An
 * address is a Service's with all of its ports or not at all, and a cluster IP goes before what is
 * external. A Service that is left without a cluster IP, or without one of the family, asks for nothing.
 */
export class DestinationClaims {
  readonly #claims = new Claims(inOrder);
  /** Of the claimants of what is contested, by address. */
  readonly #obstacles = new Map<Claimant, Map<string, Obstacle | null>>();

  add(claimant: Claimant): void {
    for (const destination of claimant.destinations) this.#claims.add(destination, claimant);
  }

  remove(claimant: Claimant): void {
    for (const destination of claimant.destinations) this.#claims.remove(destination, claimant);
    this.#obstacles.delete(claimant);
  }

  /**
   * Decides anew what is contested since the last call; needed before anything is asked below.
   * @returns those whose destinations may be other ones, because of somebody else's claims
   */
  settle(): readonly Claimant[] {
    const affected = [...this.#affected()].sort(inOrder);
    for (const claimant of affected) this.#obstacles.delete(claimant);
    // In this order nobody's answer needs one that is not there yet, so that chains of any length do.
    for (const claimant of affected) {
      for (const address of claimant.addresses) this.#obstacle(claimant, address);
    }
    for (const claimant of affected) {
      for (const address of claimant.externalIPs) this.#obstacle(claimant, address);
      for (const address of claimant.loadBalancer) this.#obstacle(claimant, address);
    }
    return affected;
  }

  #affected(): Set<Claimant> {
    const affected = new Set<Claimant>();
    const queue = [...this.#claims.takeContested()];
    const seen = new Set(queue);
    for (const destination of queue) {
      for (const claimant of this.#claims.of(destination)) {
        if (affected.has(claimant)) continue;
        affected.add(claimant);
        for (const other of claimant.destinations) {
          if (seen.has(other) || this.#claims.of(other).length < 2) continue;
          seen.add(other);
          queue.push(other);
        }
      }
    }
    return affected;
  }

  /** The cluster IPs that it has. None: it is not served. */
  clusterIPs(claimant: Claimant, warn: Warn): readonly string[] {
    return this.#kept(claimant, 'cluster IP', claimant.addresses, warn);
  }

  /** @param addresses - its {@link clusterIPs} */
  destinations(claimant: Claimant, addresses: readonly string[], warn: Warn): Destinations {
    const { object } = claimant;
    const families = new Set(addresses.map(familyOf));
    const kept = (what: string, wanted: readonly string[]): readonly string[] => {
      const ofFamilies = wanted.filter((address) => {
        if (families.has(familyOf(address))) return true;
        const family = `IPv${familyOf(address)}`;
        warn(`its ${what} ${address} is not served: ${lacksFamily(family)}`);
        return false;
      });
      return this.#kept(claimant, what, ofFamilies, warn);
    };
    return {
      object,
      addresses,
      externalIPs: kept('external IP', claimant.externalIPs),
      loadBalancer: kept('load balancer address', claimant.loadBalancer),
      nodePorts: this.#nodePorts(claimant, warn),
    };
  }

  #kept(
    claimant: Claimant,
    what: string,
    addresses: readonly string[],
    warn: Warn,
  ): readonly string[] {
    return addresses.filter((address) => {
      const obstacle = this.#obstacle(claimant, address);
      if (obstacle === null) return true;
      const whose = `${obstacle.destination} is ${nameOf(obstacle.owner)}'s`;
      warn(`its ${what} ${address} is not served: ${whose}`);
      return false;
    });
  }

  /** Why it does not have an address that it asks for. */
  #obstacle(claimant: Claimant, address: string): Obstacle | null {
    const wanted = claimant.object.spec.ports.map((port) => destinationOf(address, port));
    if (wanted.every((destination) => this.#claims.of(destination).length < 2)) return null;
    const known = this.#obstacles.get(claimant) ?? new Map<string, Obstacle | null>();
    this.#obstacles.set(claimant, known);
    const before = known.get(address);
    if (before !== undefined) return before;
    const found = this.#findObstacle(claimant, address, wanted);
    known.set(address, found);
    return found;
  }

  #findObstacle(claimant: Claimant, address: string, wanted: readonly string[]): Obstacle | null {
    const isCluster = claimant.addresses.includes(address);
    for (const destination of wanted) {
      let isBefore = true;
      for (const other of this.#claims.of(destination)) {
        if (other === claimant) isBefore = false;
        else if (other.addresses.includes(address)) {
          if (isCluster && !isBefore) break;
          if (this.#obstacle(other, address) === null) return { destination, owner: other.object };
        } else if (isBefore && !isCluster && this.#asksFor(other, address)) {
          if (this.#obstacle(other, address) === null) return { destination, owner: other.object };
        }
      }
    }
    return null;
  }

  /** It has a cluster IP of the family of an external address. */
  #asksFor(claimant: Claimant, address: string): boolean {
    return claimant.addresses.some(
      (own) => familyOf(own) === familyOf(address) && this.#obstacle(claimant, own) === null,
    );
  }

  #isServed(claimant: Claimant): boolean {
    return claimant.addresses.some((own) => this.#obstacle(claimant, own) === null);
  }

  #nodePorts(claimant: Claimant, warn: Warn): number[] {
    const own = new Set<string>();
    return claimant.object.spec.ports.map((port) => {
      if (port.nodePort === 0) return 0;
      const destination = nodePortOf(port);
      const owner = own.has(destination)
        ? claimant
        : this.#claims.of(destination).find((each) => each === claimant || this.#isServed(each))!;
      if (owner === claimant && !own.has(destination)) {
        own.add(destination);
        return port.nodePort;
      }
      warn(`its ${destination} is not served: it is ${nameOf(owner.object)}'s`);
      return 0;
    });
  }
}

function inOrder(a: Claimant, b: Claimant): number {
  return compareNames(a.object.metadata, b.object.metadata);
}

function nodePortOf({ nodePort, protocol }: ServiceObject['spec']['ports'][number]): string {
  return `node port ${nodePort}/${protocol}`;
}

function nameOf({ metadata }: ServiceObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}
