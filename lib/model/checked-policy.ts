// SPDX-License-Identifier: Apache-2.0
import type { Prefix } from './address.js';
import type {
  LABEL_OPERATORS,
  Labels,
  PolicyAction,
  PolicyProtocol,
  PolicyTier,
} from './policy.js';

/** The label of every namespace that holds its name. */
export const NAMESPACE_NAME_LABEL = 'kubernetes.io/metadata.name';

export interface CheckedNamespace {
  readonly name: string;
  /** The default label included. */
  readonly labels: Labels;
}

export interface CheckedPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /** Canonical text. */
  readonly addresses: readonly string[];
  readonly ports: readonly CheckedNamedPort[];
  /** `null`: not known. */
  readonly node: string | null;
  readonly hostNetwork: boolean;
}

export interface CheckedNamedPort {
  readonly name: string;
  readonly protocol: PolicyProtocol;
  readonly port: number;
}

export interface CheckedPolicy {
  readonly name: string;
  /** `null` in the other tiers than `network`. */
  readonly namespace: string | null;
  readonly tier: PolicyTier;
  readonly priority: number;
  readonly subject: CheckedPodSelector;
  /** `null`: it says nothing on that direction. */
  readonly ingress: readonly CheckedPolicyRule[] | null;
  readonly egress: readonly CheckedPolicyRule[] | null;
}

export interface CheckedPolicyRule {
  readonly name: string | null;
  readonly action: PolicyAction;
  /** `null`: everybody. */
  readonly peers: readonly CheckedPolicyPeer[] | null;
  /** `null`: everything. */
  readonly ports: readonly CheckedPolicyPort[] | null;
}

export type CheckedPolicyPeer = CheckedPodSelector | CheckedNetworkPeer;

/** A policy's own namespace is a selector like any other, of the default label. */
export interface CheckedPodSelector {
  readonly kind: 'pods';
  readonly namespaces: CheckedLabelSelector;
  readonly pods: CheckedLabelSelector;
}

export interface CheckedNetworkPeer {
  readonly kind: 'network';
  readonly network: Prefix;
  readonly except: readonly Prefix[];
}

/** A range of numbers, or a name. */
export type CheckedPolicyPort =
  | { readonly protocol: PolicyProtocol; readonly first: number; readonly last: number }
  | { readonly protocol: PolicyProtocol; readonly name: string };

/** `matchLabels` are expressions like the others, `In` with one value, and come first. */
export type CheckedLabelSelector = readonly CheckedLabelExpression[];

export interface CheckedLabelExpression {
  readonly key: string;
  readonly operator: (typeof LABEL_OPERATORS)[number];
  readonly values: readonly string[];
}

/** `namespace/name`, or the name of one without a namespace. Unique among policies. */
export function policyKey({ namespace, name }: Pick<CheckedPolicy, 'namespace' | 'name'>): string {
  return namespace === null ? name : `${namespace}/${name}`;
}
