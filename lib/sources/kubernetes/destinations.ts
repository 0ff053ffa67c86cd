// SPDX-License-Identifier: Apache-2.0
import { type Family, familyOf } from '../../model/address.js';
import { destinationOf } from '../../model/check-destinations.js';
import type { ServiceObject } from './objects.js';

/** What a Service answers on. */
export interface Destinations {
  readonly object: ServiceObject;
  readonly addresses: readonly string[];
  readonly externalIPs: readonly string[];
  readonly loadBalancer: readonly string[];
  /** Port by port, 0: none. */
  readonly nodePorts: readonly number[];
}

type Warn = (object: ServiceObject, message: string) => void;

/**
 * The destinations of all services that have some. A service has the families of its cluster IPs.
 * @param services - in the order in which they come first, where two want the same
 */
export function destinationsOf(services: readonly ServiceObject[], warn: Warn): Destinations[] {
  const wanted = services.flatMap((object) => readDestinations(object, warn) ?? []);
  const claims = new Claims(warn);
  // An external IP must not take a cluster IP away from whoever has it.
  const withCluster = wanted
    .map((each) => ({ ...each, addresses: claims.keep(each.object, 'cluster IP', each.addresses) }))
    .filter(({ addresses }) => addresses.length > 0);
  return withCluster.map((each) => {
    const { object } = each;
    const families = new Set(each.addresses.map(familyOf));
    const ofFamilies = (what: string, addresses: readonly string[]): readonly string[] =>
      claims.keep(object, what, inFamilies(object, what, addresses, families, warn));
    return {
      ...each,
      externalIPs: ofFamilies('external IP', each.externalIPs),
      loadBalancer: ofFamilies('load balancer address', each.loadBalancer),
      nodePorts: claims.keepNodePorts(object),
    };
  });
}

function readDestinations(object: ServiceObject, warn: Warn): Destinations | null {
  const { spec, status } = object;
  if (spec.type === 'ExternalName') return null;
  const given = [spec.clusterIP, ...spec.clusterIPs].filter((ip) => ip !== '');
  if (given.includes('None')) return null;
  if (given.length === 0) {
    warn(object, 'it has no clusterIP (the API server assigns one), so it is not served');
    return null;
  }
  const ingress = status?.loadBalancer?.ingress ?? [];
  const virtual = ingress.filter(({ ip, ipMode }) => ip !== '' && ipMode === 'VIP');
  const besides = (addresses: readonly string[]) =>
    [...new Set(addresses)].filter((address) => !given.includes(address));
  return {
    object,
    addresses: [...new Set(given)],
    externalIPs: besides(spec.externalIPs),
    loadBalancer: besides(virtual.map(({ ip }) => ip)),
    nodePorts: spec.ports.map(({ nodePort }) => nodePort),
  };
}

function inFamilies(
  object: ServiceObject,
  what: string,
  addresses: readonly string[],
  families: ReadonlySet<Family>,
  warn: Warn,
): string[] {
  return addresses.filter((address) => {
    if (families.has(familyOf(address))) return true;
    const family = `IPv${familyOf(address)}`;
    warn(object, `its ${what} ${address} is not served: it has no ${family} cluster IP`);
    return false;
  });
}

/** Who answers on what: whoever asks first. */
class Claims {
  readonly #owners = new Map<string, ServiceObject>();
  readonly #warn: Warn;

  constructor(warn: Warn) {
    this.#warn = warn;
  }

  /** Those of a service's addresses on whose ports no other service answers. */
  keep(object: ServiceObject, what: string, addresses: readonly string[]): readonly string[] {
    return addresses.filter((address) => {
      const wanted = object.spec.ports.map((port) => destinationOf(address, port));
      for (const destination of wanted) {
        const owner = this.#owners.get(destination);
        if (owner === undefined || owner === object) continue;
        const whose = `${destination} is ${nameOf(owner)}'s`;
        this.#warn(object, `its ${what} ${address} is not served: ${whose}`);
        return false;
      }
      for (const destination of wanted) this.#owners.set(destination, object);
      return true;
    });
  }

  keepNodePorts(object: ServiceObject): number[] {
    return object.spec.ports.map(({ nodePort, protocol }) => {
      if (nodePort === 0) return 0;
      const destination = `node port ${nodePort}/${protocol}`;
      const owner = this.#owners.get(destination);
      if (owner === undefined) {
        this.#owners.set(destination, object);
        return nodePort;
      }
      this.#warn(object, `its ${destination} is not served: it is ${nameOf(owner)}'s`);
      return 0;
    });
  }
}

function nameOf({ metadata }: ServiceObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}
