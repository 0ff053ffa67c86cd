// SPDX-License-Identifier: Apache-2.0
import { canonicalAddress, isMartian, parseAddress } from '../../model/address.js';
import type { NodeSpec } from '../../model/model.js';
import type { NodeObject } from './objects.js';

const ZONE_LABEL = 'topology.kubernetes.io/zone';
/** The first one is the primary address's, in whatever order the object has them. */
const ADDRESS_TYPES = ['InternalIP', 'ExternalIP'] as const;

/**
 * Fills in what `given` leaves out and the Node object of its name knows: zone, addresses, networks
 * of its pods.
 */
export function completeNode(given: NodeSpec, nodes: readonly NodeObject[]): NodeSpec {
  const object = nodes.find(({ metadata }) => metadata.name === given.name);
  if (object === undefined) return given;
  const zone = object.metadata.labels[ZONE_LABEL];
  const { podCIDR, podCIDRs = [] } = object.spec ?? {};
  const podNetworks = podCIDRs.length > 0 || podCIDR === undefined ? podCIDRs : [podCIDR];
  return {
    ...(zone !== undefined && zone !== '' && { zone }),
    addresses: addressesOf(object),
    podNetworks,
    ...given,
  };
}

function addressesOf({ status }: NodeObject): string[] {
  const addresses = ADDRESS_TYPES.flatMap((wanted) =>
    (status?.addresses ?? []).filter(({ type }) => type === wanted),
  )
    .map(({ address }) => canonicalAddress(address))
    .filter((address) => address !== null && !isMartian(parseAddress(address)!));
  return [...new Set(addresses as string[])];
}
