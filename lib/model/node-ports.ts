// SPDX-License-Identifier: Apache-2.0
import { contains, familyOf, isIpv4, parseAddress } from './address.js';
import type { CheckedNodePorts } from './checked.js';

/**
 * Those of a node's own addresses on which node ports are served, as kube-proxy reads
 * `--nodeport-addresses`: a family of which no network is given is served on all of its addresses.
 * @param own - canonical text; the first of each family is the primary one
 */
export function nodePortAddresses(
  own: readonly string[],
  { all, primary, networks }: CheckedNodePorts,
): string[] {
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
