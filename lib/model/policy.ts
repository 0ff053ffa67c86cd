// SPDX-License-Identifier: Apache-2.0

/**
 * The policy part of the model: who is there, and who may talk to whom. What Kubernetes calls
 * NetworkPolicy and ClusterNetworkPolicy are both a {@link Policy}.
 */

/** Labels by key. */
export type Labels = Readonly<Record<string, string>>;

/** A namespace. One that only a pod names is there too, with its default label alone. */
export interface Namespace {
  /** Unique. */
  name: string;
  /** `kubernetes.io/metadata.name` is always there and always the name. */
  labels?: Labels;
}

export interface Pod {
  /** Unique with `namespace`. */
  name: string;
  /** Default: `default`. */
  namespace?: string;
  labels?: Labels;
  /** Of either family, all of them its own alone; none as long as it has none. */
  addresses: readonly string[];
  /** Ports that policies may name. */
  ports?: readonly NamedPort[];
  /** Name of the node that it runs on. Default: not known. */
  node?: string;
  /** It has the node's addresses: no policy is for it, and no selector finds it. Default `false`. */
  hostNetwork?: boolean;
}

/** What a pod calls one of its ports. */
export interface NamedPort {
  name: string;
  /** Default `TCP`. */
  protocol?: PolicyProtocol;
  /** 1 to 65,535. */
  port: number;
}

export const POLICY_PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;

/** Protocols that rules tell apart. */
export type PolicyProtocol = (typeof POLICY_PROTOCOLS)[number];

/** In the order in which they are asked. */
export const POLICY_TIERS = ['admin', 'network', 'baseline'] as const;
export type PolicyTier = (typeof POLICY_TIERS)[number];

/** `pass`: the next tier says it. */
export const POLICY_ACTIONS = ['accept', 'deny', 'pass'] as const;
export type PolicyAction = (typeof POLICY_ACTIONS)[number];

/**
 * A policy. In the tiers `admin` and `baseline` the first rule that fits says it, policy by policy in
 * the order of priority, then name. In the tier `network` rules accept only, and a pod that a policy
 * with `ingress` (`egress`) is for takes in (sends out) nothing that no rule accepts.
 */
export interface Policy {
  /** Unique with `namespace`; in the other tiers than `network`, among those of both. */
  name: string;
  /** `network`, and there alone: its pods are the subjects. Default `default`. */
  namespace?: string;
  tier: PolicyTier;
  /** `admin` and `baseline`: 0 to 1,000, the lowest first. Default 0. */
  priority?: number;
  /** Which pods it is for; in the tier `network` without `namespaces`. */
  subject: PodSelector;
  /** Rules on what comes to a subject. Left out: it says nothing on that. */
  ingress?: readonly PolicyRule[];
  /** Rules on what a subject sends. Left out: it says nothing on that. */
  egress?: readonly PolicyRule[];
}

export interface PolicyRule {
  /** What `explain` calls it, besides its place. */
  name?: string;
  action: PolicyAction;
  /** Who is on the other side: any of these. Left out: everybody. Empty: nobody. */
  peers?: readonly PolicyPeer[];
  /** Ports of the destination: any of these. Left out: everything, ports or none. Empty: nothing. */
  ports?: readonly PolicyPort[];
}

export type PolicyPeer = PodSelector | NetworkPeer;

/** Pods whose namespace and whose own labels fit. */
export interface PodSelector {
  /** Default: the policy's namespace; in the other tiers than `network` all. */
  namespaces?: LabelSelector;
  /** Default: all. */
  pods?: LabelSelector;
}

/** Addresses, whoever has them. */
export interface NetworkPeer {
  /** `10.0.0.0/8`. */
  network: string;
  /** Networks within it that are left out. */
  except?: readonly string[];
}

export interface PolicyPort {
  /** Default `TCP`. */
  protocol?: PolicyProtocol;
  /** 1 to 65,535, or a name that the destination has for one of that protocol. Default: all. */
  port?: number | string;
  /** Last of a range that begins with `port`. */
  endPort?: number;
}

/** All of it has to fit; an empty one fits everything. */
export interface LabelSelector {
  matchLabels?: Labels;
  matchExpressions?: readonly LabelExpression[];
}

export const LABEL_OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

export interface LabelExpression {
  key: string;
  operator: (typeof LABEL_OPERATORS)[number];
  /** At least one for `In` and `NotIn` (which a missing label fits as well), none for the others. */
  values?: readonly string[];
}
