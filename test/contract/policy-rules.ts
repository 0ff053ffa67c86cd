// SPDX-License-Identifier: Apache-2.0

/**
 * What Kubernetes says of policy, and which tests show it: names of cases of the truth table
 * (policy-cases.ts, each of them with everybody asking everybody), and titles of policy-changes.ts.
 */
export interface PolicyRule {
  says: string;
  shownBy: readonly string[];
}

/** NetworkPolicy (networking.k8s.io/v1). */
export const NETWORK_POLICY_RULES: Readonly<Record<string, PolicyRule>> = {
  P1: {
    says: 'a pod is isolated by direction, where a policy of its namespace is for it',
    shownBy: [
      'no policy',
      'default deny ingress',
      'default deny egress',
      'one pod is isolated',
      'a subject that nobody is',
    ],
  },
  P2: {
    says: 'policyTypes that are left out: Ingress, and Egress where there is a rule on it',
    shownBy: [
      'policyTypes left out, no section',
      'policyTypes left out, an egress section',
      'policyTypes left out, an empty egress section',
      'policyTypes left out, both sections',
      'a section that its types do not name',
    ],
  },
  P3: {
    says: 'policies add up, in no order',
    shownBy: ['deny all and allow all', 'stacked policies with overlapping selectors'],
  },
  P4: {
    says: 'both the egress of the source and the ingress of the destination have to allow it',
    shownBy: [
      'deny all from the source, allow all to the destination',
      'allow all from the source, deny all to the destination',
      'ingress and egress together',
    ],
  },
  P5: {
    says: 'answers pass, and ICMP errors about what has passed',
    shownBy: [
      'default deny ingress',
      'default deny egress',
      'answers pass whichever way new connections are denied',
    ],
  },
  P6: {
    says: 'no rules deny all, an empty rule allows all, and what is empty within a rule is all of it',
    shownBy: [
      'deny ingress by an empty list',
      'allow all ingress',
      'allow all egress',
      'allow all by empty lists',
    ],
  },
  P7: {
    says: 'peers by pods, namespaces, both, or either',
    shownBy: [
      'pods of its own namespace',
      'all pods of its own namespace',
      'a namespace',
      'all namespaces',
      'pods of a namespace',
      'pods of all namespaces',
      'one or the other',
      'a selector that nobody fits',
    ],
  },
  P8: {
    says: 'networks less their exceptions, which another rule may allow',
    shownBy: [
      'everything but',
      'an excepted pod',
      'an address that overlaps CIDR and except is allowed by another policy',
      'overlapping blocks of one rule',
    ],
  },
  P9: {
    says: 'ports by number, name and range, over the protocol that is named',
    shownBy: [
      'a port',
      'a port over UDP',
      'a port over SCTP',
      'a range',
      'a port by name',
      'a name that does not match its protocol',
      'a name that is not served',
      'a name that is another number elsewhere',
      'a number that is not served',
      'egress to a name that is another number elsewhere',
    ],
  },
  P10: {
    says: 'echo is met by rules without ports alone',
    shownBy: ['a protocol', 'a port', 'a namespace', 'ports over each protocol'],
  },
  P11: {
    says: 'a pod reaches itself, and its node and it reach each other',
    shownBy: ['default deny all', 'all namespaces deny', 'a pod is created where policies are'],
  },
  P12: {
    says: 'the policy sees the endpoint and its port, and the client before masquerade',
    shownBy: ['egress to a port', 'everything but', 'egress to the outside alone'],
  },
  P13: {
    says: 'a pod reaches itself by a service, but for what a cluster policy denies',
    shownBy: ['default deny all', 'baseline denies what nobody speaks of'],
  },
  P14: {
    says: 'a pod in the network of its node is neither subject nor peer, but an address',
    shownBy: [
      'all namespaces',
      'the node by its address',
      'a subject by pods',
      'default deny egress',
    ],
  },
  P15: {
    says: 'changes of labels, pods, namespaces and policies; a pod is shut until it is known',
    shownBy: [
      'labels of a peer change',
      'labels of a subject change',
      'labels of a namespace change',
      'a namespace is created and deleted',
      'a pod is attached before it is in the model',
      'a pod is created where policies are',
      'a pod is deleted and its address becomes that of another',
      'a pod takes another address',
      'a policy is created, changed and deleted',
    ],
  },
  P16: {
    says: 'connections that exist are judged anew: cut, and gone on with',
    shownBy: [
      'live connections are cut by a policy and go on without it',
      'a policy cuts those that it does not let pass, and no others',
    ],
  },
  P17: {
    says: 'a namespace has its name as a label',
    shownBy: ['a namespace by its default label', 'a namespace is created and deleted'],
  },
  P18: {
    says: 'a pod is all of its addresses, and networks are of one family',
    shownBy: ['blocks of both families', 'an IPv6 block', 'everything by CIDR'],
  },
};

/** ClusterNetworkPolicy (policy.networking.k8s.io/v1alpha2). */
export const CLUSTER_POLICY_RULES: Readonly<Record<string, PolicyRule>> = {
  kind: {
    says: 'one kind in two tiers',
    shownBy: ['admin denies a namespace', 'baseline denies what nobody speaks of'],
  },
  order: {
    says: 'Admin, then NetworkPolicy, which has the last word on its pods, then Baseline',
    shownBy: [
      'admin accepts before a network policy denies',
      'baseline after a network policy',
      'all three tiers',
      'cluster policies come and go, and change places',
    ],
  },
  priority: {
    says: 'the lowest priority first, and within a policy rules in their order',
    shownBy: [
      'the lower priority comes first',
      'equal priorities go by name',
      'rules go in their order',
    ],
  },
  actions: {
    says: 'Accept, answers included, of one direction alone; Deny; Pass to the next tier',
    shownBy: [
      'accepted egress does not open the other side',
      'admin passes to a network policy',
      'admin passes to the baseline',
      'baseline passes to the default',
    ],
  },
  subject: {
    says: 'namespaces, or pods; none in the network of its node',
    shownBy: ['a subject by pods', 'a subject of namespaces by expression'],
  },
  peers: {
    says: 'namespaces and pods, and networks on egress, pods and echo included',
    shownBy: ['egress to networks', 'networks are not known on ingress', 'rules go in their order'],
  },
  protocols: {
    says: 'ports and ranges by protocol, and named ports',
    shownBy: [
      'ports over each protocol',
      'a named port, whatever its protocol',
      'egress to a named port',
    ],
  },
  unknown: {
    says: 'a rule with a peer that is not known accepts nothing, or denies everything',
    shownBy: [
      'accept with a peer that is not known is for nothing',
      'pass with a peer that is not known denies everything',
    ],
  },
  hairpin: {
    says: 'a pod that reaches itself by a service is judged, by its address it is not',
    shownBy: ['baseline denies what nobody speaks of', 'rules go in their order'],
  },
};
