// SPDX-License-Identifier: Apache-2.0
import { checkNode } from '../model/check-node.js';
import type { NodeSpec } from '../model/model.js';
import { nodePortAddresses } from '../model/node-ports.js';
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
  return nodePorts.all ? null : nodePortAddresses(addresses, nodePorts);
}
