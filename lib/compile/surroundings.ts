// SPDX-License-Identifier: Apache-2.0
import { type Family, formatAddress, isIpv4 } from '../model/address.js';
import type { CheckedInterface, CheckedNode } from '../model/checked.js';
import { nodePortAddresses } from '../model/node-ports.js';
import type { DestinationsDraft } from './destinations.js';
import type { Locality } from './endpoints.js';
import { same } from './same.js';

/** What interfaces and node say to every service. */
export interface Site {
  readonly here: Locality;
  readonly masqueradeAll: boolean;
  /** Families of which it can be told whether a source is a pod of this node. */
  readonly podsKnown: readonly Family[];
  /** Our own addresses. */
  readonly own: readonly string[];
  /** Those of them on which node ports may be served. */
  readonly accepted: ReadonlySet<string>;
}

/** What the program of a service depends on besides the service itself. */
export interface Surroundings {
  readonly site: Site;
  /** Those of our own addresses on which node ports are served. */
  readonly nodePortAddresses: readonly string[];
}

/** What the programs of services depend on of each other. */
export interface Around extends Surroundings {
  /** Whether a destination on one of `nodePortAddresses` is some service's external address. */
  isTaken(destination: string): boolean;
}

export function siteOf(interfaces: readonly CheckedInterface[], node: CheckedNode): Site {
  const onInterfaces = interfaces.flatMap(({ addresses }) =>
    addresses.map(({ bytes }) => formatAddress(bytes)),
  );
  const own = [...new Set([...node.addresses, ...onInterfaces])];
  return {
    here: { node: node.name, zone: node.zone },
    masqueradeAll: node.masqueradeAll,
    podsKnown: podFamilies(interfaces, node),
    own,
    accepted: new Set(nodePortAddresses(own, node.nodePorts)),
  };
}

export function surroundingsOf(site: Site, destinations: DestinationsDraft): Surroundings {
  return {
    site,
    nodePortAddresses: [...site.accepted].filter((address) => !destinations.isVirtual(address)),
  };
}

/** Equal surroundings make equal programs of equal services. */
export function sameSurroundings(a: Surroundings, b: Surroundings): boolean {
  // What is accepted counts as far as it is served on.
  const key = ({ site: { accepted: _, ...site }, nodePortAddresses }: Surroundings) => ({
    ...site,
    nodePortAddresses,
  });
  return a === b || same(key(a), key(b));
}

function podFamilies(interfaces: readonly CheckedInterface[], node: CheckedNode): Family[] {
  if (interfaces.some(({ scope }) => scope === 'pod')) return [4, 6];
  const families = node.podNetworks.map(({ bytes }): Family => (isIpv4(bytes) ? 4 : 6));
  return [...new Set(families)].sort();
}
