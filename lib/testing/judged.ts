// SPDX-License-Identifier: Apache-2.0
import type { Leg } from './walk.js';

export type Direction = 'egress' | 'ingress';

/** The policy's word on one direction. */
export interface Judged {
  readonly direction: Direction;
  /** Whose engine said it. */
  readonly node: string;
  readonly allowed: boolean;
  /** `NetworkPolicy shop/cart`: whose rule it was, or those that isolate the pod; none: no rule was for it. */
  readonly policies: readonly string[];
  /** Place of the rule within the policy's `ingress` or `egress`, from 0; `null`: the lack of one. */
  readonly rule: number | null;
  /** Name of the rule, where it has one. */
  readonly name: string | null;
}

/**
 * What was said of a direction on the way: of the nodes that were asked the one that said no, else the
 * one that had a rule, else the sender's or the receiver's; `null`: nobody was asked.
 */
export function judgedBy(legs: readonly Leg[], direction: Direction): Judged | null {
  const all = legs.flatMap(({ node, report }): Judged[] => {
    const said = report[direction];
    if (said === null) return [];
    const { tier, policies = [], rule = null, ruleName: name = null } = said.by ?? {};
    const kind = tier === 'network' ? 'NetworkPolicy' : 'ClusterNetworkPolicy';
    return [
      {
        direction,
        node: node.name,
        allowed: said.allowed,
        policies: policies.map((policy) => `${kind} ${policy}`),
        rule,
        name,
      },
    ];
  });
  const own = direction === 'egress' ? all[0] : all[all.length - 1];
  return all.find(({ allowed }) => !allowed) ?? all.find(hasRule) ?? own ?? null;
}

function hasRule({ policies }: Judged): boolean {
  return policies.length > 0;
}
