// SPDX-License-Identifier: Apache-2.0
// Policies for the benchmarks: as many rules as asked for, over the backends as pods. The clients are
// let in by the last rule of each policy, so that all before it are asked in vain.
import type { Model, Pod, Policy, PolicyRule } from '../../lib/index.js';
import { backendAddresses, CLIENT_NETWORK, type Services } from './network.js';

export interface Policing {
  /** Over all policies. */
  rules: number;
  /** Rules of one policy. */
  each: number;
}

/** Pods have one of so many labels, and each policy is for one label. */
const APPS = 10;

/** `policies` are none where no rules are asked for: nor are the pods known then. */
export function policyModel(services: Services, { rules, each }: Policing): Model {
  if (rules === 0) return {};
  return { pods: podsOf(services), policies: policiesOf({ rules, each }) };
}

export function podsOf(services: Services): Pod[] {
  return backendAddresses(services).map((address, index) => podAt(index, address));
}

export function podAt(index: number, address: string): Pod {
  return { name: `pod-${index}`, labels: { app: `app-${index % APPS}` }, addresses: [address] };
}

export function policiesOf({ rules, each }: Policing): Policy[] {
  return Array.from({ length: Math.ceil(rules / each) }, (_, policy) => ({
    name: `policy-${policy}`,
    tier: 'network' as const,
    subject: { pods: { matchLabels: { app: `app-${policy % APPS}` } } },
    ingress: Array.from({ length: each }, (_, rule) =>
      rule === each - 1 ? LET_CLIENTS_IN : ruleOf(policy * each + rule),
    ),
  }));
}

const LET_CLIENTS_IN: PolicyRule = { action: 'accept', peers: [{ network: CLIENT_NETWORK }] };

/** A third of them by labels, the others by networks; none is for a client. */
function ruleOf(number: number): PolicyRule {
  const ports = [{ protocol: 'UDP' as const, port: 1 + (number % 65_000) }];
  if (number % 3 === 0) {
    const pods = { matchLabels: { app: `app-${number % APPS}` } };
    return { action: 'accept', peers: [{ pods }], ports };
  }
  const network = `${100 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}.0/24`;
  return { action: 'accept', peers: [{ network }], ports };
}
