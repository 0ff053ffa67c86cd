// SPDX-License-Identifier: Apache-2.0
import type { Policy, PolicyPeer, PolicyPort, PolicyRule } from '../../model/policy.js';
import type { NetworkPolicyObject } from './objects.js';

type Spec = NetworkPolicyObject['spec'];
type Peer = Spec['ingress'][number]['from'][number];

/**
 * A NetworkPolicy as a policy of the model: it has the directions in which it isolates its pods.
 * @param warn - told of each peer that is not known here, which is nobody
 */
export function networkPolicy(
  { metadata, spec }: NetworkPolicyObject,
  warn: (message: string) => void,
): Policy {
  const { podSelector, policyTypes, ingress, egress } = spec;
  // As the API server fills it in.
  const types =
    policyTypes.length > 0
      ? policyTypes
      : (['Ingress', ...(egress.length > 0 ? ['Egress'] : [])] as const);
  const rule = (direction: string, index: number, peers: readonly Peer[], ports: PolicyPort[]) => {
    const known = peers.flatMap((peer) => {
      const found = peerOf(peer);
      if (found === null) warn(`${direction}[${index}] has a peer that is not known: it is nobody`);
      return found ?? [];
    });
    return {
      action: 'accept',
      ...(peers.length > 0 && { peers: known }),
      ...(ports.length > 0 && { ports }),
    } satisfies PolicyRule;
  };
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    tier: 'network',
    subject: { pods: podSelector ?? {} },
    ...(types.includes('Ingress') && {
      ingress: ingress.map(({ from, ports }, index) =>
        rule('ingress', index, from, ports.map(portOf)),
      ),
    }),
    ...(types.includes('Egress') && {
      egress: egress.map(({ to, ports }, index) => rule('egress', index, to, ports.map(portOf))),
    }),
  };
}

/** `null`: not known. */
function peerOf({ podSelector, namespaceSelector, ipBlock }: Peer): PolicyPeer | null {
  if (ipBlock !== undefined) {
    const { cidr, except } = ipBlock;
    return { network: cidr, ...(except.length > 0 && { except }) };
  }
  if (podSelector === undefined && namespaceSelector === undefined) return null;
  return {
    ...(namespaceSelector !== undefined && { namespaces: namespaceSelector }),
    ...(podSelector !== undefined && { pods: podSelector }),
  };
}

function portOf({ protocol, port, endPort }: Spec['ingress'][number]['ports'][number]): PolicyPort {
  return {
    protocol,
    ...(port !== undefined && { port }),
    ...(endPort !== undefined && { endPort }),
  };
}
