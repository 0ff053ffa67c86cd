// SPDX-License-Identifier: Apache-2.0
import {
  POLICY_PROTOCOLS,
  type Policy,
  type PolicyAction,
  type PolicyPeer,
  type PolicyPort,
  type PolicyRule,
} from '../../model/policy.js';
import type { ClusterNetworkPolicyObject } from './objects.js';

type Spec = ClusterNetworkPolicyObject['spec'];
type Rule = Spec['ingress'][number] | Spec['egress'][number];
type Protocol = Rule['protocols'][number];

const ACTIONS = { Accept: 'accept', Deny: 'deny', Pass: 'pass' } as const;
const TIERS = { Admin: 'admin', Baseline: 'baseline' } as const;
const TRANSPORTS = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const;

/**
 * A ClusterNetworkPolicy as a policy of the model. A rule that has a peer or a protocol that is not
 * known here fails closed, as the API asks for: one that accepts is for nothing, one that denies or
 * passes denies everything.
 * @param warn - told of each such rule
 */
export function clusterPolicy(
  { metadata, spec }: ClusterNetworkPolicyObject,
  warn: (message: string) => void,
): Policy {
  const ruleOf = (
    place: string,
    rule: Rule,
    peers: readonly (PolicyPeer[] | null)[],
  ): PolicyRule => {
    const named = { ...(rule.name !== '' && { name: rule.name }) };
    const ports = rule.protocols.map(portsOf);
    if (peers.includes(null) || ports.includes(null)) {
      const what = peers.includes(null) ? 'peer' : 'protocol';
      warn(`${place} has a ${what} that is not known: ${FAILED[rule.action]}`);
      return { ...named, ...failClosed(ACTIONS[rule.action]) };
    }
    return {
      ...named,
      action: ACTIONS[rule.action],
      peers: (peers as PolicyPeer[][]).flat(),
      ...(ports.length > 0 && { ports: (ports as PolicyPort[][]).flat() }),
    };
  };
  const { namespaces, pods } = spec.subject;
  return {
    name: metadata.name,
    tier: TIERS[spec.tier],
    priority: spec.priority,
    subject: {
      namespaces: namespaces ?? pods?.namespaceSelector ?? {},
      pods: pods?.podSelector ?? {},
    },
    ingress: spec.ingress.map((rule, index) =>
      ruleOf(`ingress[${index}]`, rule, rule.from.map(podsOf)),
    ),
    egress: spec.egress.map((rule, index) =>
      ruleOf(`egress[${index}]`, rule, rule.to.map(peersOf)),
    ),
  };
}

const FAILED = {
  Accept: 'the rule is for nothing',
  Deny: 'the rule denies everything',
  Pass: 'the rule denies everything',
} as const;

function failClosed(action: PolicyAction): PolicyRule {
  return action === 'accept' ? { action, peers: [] } : { action: 'deny' };
}

/** A peer of either direction. `null`: not known. */
function podsOf({
  namespaces,
  pods,
}: Spec['ingress'][number]['from'][number]): PolicyPeer[] | null {
  if (namespaces !== undefined) return [{ namespaces }];
  if (pods === undefined) return null;
  return [{ namespaces: pods.namespaceSelector ?? {}, pods: pods.podSelector ?? {} }];
}

/** A peer of egress. `null`: not known. */
function peersOf(peer: Spec['egress'][number]['to'][number]): PolicyPeer[] | null {
  return podsOf(peer) ?? peer.networks?.map((network) => ({ network })) ?? null;
}

/** A port that is named has the protocol that the pod says. `null`: not known. */
function portsOf(given: Protocol): PolicyPort[] | null {
  const { destinationNamedPort: name } = given;
  if (name !== undefined && name !== '') {
    return POLICY_PROTOCOLS.map((protocol) => ({ protocol, port: name }));
  }
  for (const protocol of POLICY_PROTOCOLS) {
    const transport = given[TRANSPORTS[protocol]];
    if (transport === undefined) continue;
    const { destinationPort } = transport;
    if (destinationPort === undefined) return [{ protocol }];
    const { number, range } = destinationPort;
    if (number !== undefined) return [{ protocol, port: number }];
    return range === undefined ? null : [{ protocol, port: range.start, endPort: range.end }];
  }
  return null;
}
