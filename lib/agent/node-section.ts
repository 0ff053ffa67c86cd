// SPDX-License-Identifier: Apache-2.0
import { contains, isIpv4, parseAddress } from '../model/address.js';
import { checkNode } from '../model/check-node.js';
import type { NodeSpec } from '../model/model.js';
import { completeNode } from '../sources/kubernetes/node.js';
import type { NodeObject } from '../sources/kubernetes/objects.js';
import type { EffectiveConfiguration } from './effective.js';

/** The node section by what is configured, and by our Node object where that is silent; `null`: there is none. */
export function nodeSection(
  { node, podNetworksFromNode }: Pick<EffectiveConfiguration, 'node' | 'podNetworksFromNode'>,
  object: NodeObject | null,
): NodeSpec {
  const section = completeNode(node, object === null ? [] : [object]);
  // With the other ways to detect local pods, the node's own networks are nobody's.
  return podNetworksFromNode ? section : { ...section, podNetworks: node.podNetworks ?? [] };
}

/** Addresses of the node that health checks of services are answered on; `null`: all that it has. */
export function healthCheckAddresses(section: NodeSpec): string[] | null {
  const { addresses, nodePorts } = checkNode(section, 'node');
  if (nodePorts.all) return null;
  return ([4, 6] as const).flatMap((family) => {
    const own = addresses.filter((text) => isIpv4(parseAddress(text)!) === (family === 4));
    const networks = nodePorts.networks.filter(({ bytes }) => isIpv4(bytes) === (family === 4));
    if (networks.length === 0 && !nodePorts.primary) return own;
    return own.filter(
      (text, index) =>
        (nodePorts.primary && index === 0) ||
        networks.some((network) => contains(network, parseAddress(text)!)),
    );
  });
}
