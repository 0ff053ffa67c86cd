// SPDX-License-Identifier: Apache-2.0
import {
  contains,
  type Family,
  familyOf,
  formatAddress,
  isIpv4,
  parseAddress,
} from '../model/address.js';
import { destinationOf } from '../model/check-destinations.js';
import type { CheckedInterface, CheckedNode, CheckedService } from '../model/checked.js';
import type { Locality } from './endpoints.js';

/** What the program of a service depends on besides the service itself. */
export interface Surroundings {
  readonly here: Locality;
  readonly masqueradeAll: boolean;
  /** Families of which it can be told whether a source is a pod of this node. */
  readonly podsKnown: readonly Family[];
  /** Our own addresses. */
  readonly own: readonly string[];
  /** Those of our own addresses on which node ports are served. */
  readonly nodePortAddresses: readonly string[];
  /** Destinations on `nodePortAddresses` that are some service's external addresses. */
  readonly taken: ReadonlySet<string>;
}

export function surroundingsOf(
  interfaces: readonly CheckedInterface[],
  node: CheckedNode,
  services: readonly CheckedService[],
): Surroundings {
  const onInterfaces = interfaces.flatMap(({ addresses }) =>
    addresses.map(({ bytes }) => formatAddress(bytes)),
  );
  const own = [...new Set([...node.addresses, ...onInterfaces])];
  const virtual = new Set(
    services.flatMap((service) => [...service.addresses, ...service.loadBalancer]),
  );
  const nodePortAddresses = acceptedAddresses(own, node).filter((address) => !virtual.has(address));
  return {
    here: { node: node.name, zone: node.zone },
    masqueradeAll: node.masqueradeAll,
    podsKnown: podFamilies(interfaces, node),
    own,
    nodePortAddresses,
    taken: takenDestinations(new Set(nodePortAddresses), services),
  };
}

/** Equal surroundings make equal programs of equal services. */
export function sameSurroundings(a: Surroundings, b: Surroundings): boolean {
  const key = (each: Surroundings) => JSON.stringify({ ...each, taken: [...each.taken].sort() });
  return key(a) === key(b);
}

function podFamilies(interfaces: readonly CheckedInterface[], node: CheckedNode): Family[] {
  if (interfaces.some(({ scope }) => scope === 'pod')) return [4, 6];
  const families = node.podNetworks.map(({ bytes }): Family => (isIpv4(bytes) ? 4 : 6));
  return [...new Set(families)].sort();
}

function acceptedAddresses(own: readonly string[], { nodePorts }: CheckedNode): string[] {
  const { all, primary, networks } = nodePorts;
  return ([4, 6] as const).flatMap((family) => {
    const candidates = own.filter((address) => familyOf(address) === family);
    const ofFamily = networks.filter(({ bytes }) => isIpv4(bytes) === (family === 4));
    if (all || (ofFamily.length === 0 && !primary)) return candidates;
    return candidates.filter(
      (address, index) =>
        (primary && index === 0) ||
        ofFamily.some((network) => contains(network, parseAddress(address)!)),
    );
  });
}

function takenDestinations(
  addresses: ReadonlySet<string>,
  services: readonly CheckedService[],
): Set<string> {
  return new Set(
    services.flatMap(({ externalIPs, ports }) =>
      externalIPs
        .filter((address) => addresses.has(address))
        .flatMap((address) => ports.map((port) => destinationOf(address, port))),
    ),
  );
}
