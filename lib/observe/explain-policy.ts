// SPDX-License-Identifier: Apache-2.0
import type { PolicyDirection, PolicyName, ProgramView, RuleView } from '../compile/view.js';
import type { Judgement } from '../engine/engine.js';

/** The policy's word on one direction. */
export interface ExplainedJudgement {
  allowed: boolean;
  /** `null`: no rule was for it, and so it may pass. */
  rule: ExplainedRule | null;
  /** The same for people. */
  text: string;
}

/** The rule that said it. */
export interface ExplainedRule {
  direction: PolicyDirection;
  /** `NetworkPolicy shop/cart`, `ClusterNetworkPolicy edge`: whose rule it is; or those that isolate the pod. */
  policies: string[];
  /** Place within its direction, from 1; `null`: no rule of `policies` was for it. */
  number: number | null;
  name: string | null;
}

/** @param judgement - `null`: the policy was not asked */
export function explainedJudgement(
  judgement: Judgement | null,
  view: ProgramView,
): ExplainedJudgement | null {
  if (judgement === null) return null;
  const found = judgement.rule === null ? undefined : view.rule(judgement.rule);
  const rule = found === undefined ? null : explainedRule(found);
  const { allowed } = judgement;
  return { allowed, rule, text: `${allowed ? 'passes' : 'denied'}: ${ruleText(rule)}` };
}

function explainedRule(rule: RuleView): ExplainedRule {
  const { direction } = rule;
  if (rule.kind === 'isolation') {
    return { direction, policies: rule.policies.map(policyText), number: null, name: null };
  }
  const { policy, index, name } = rule;
  return { direction, policies: [policyText(policy)], number: index + 1, name };
}

function policyText({ tier, namespace, name }: PolicyName): string {
  return tier === 'network' ? `NetworkPolicy ${namespace}/${name}` : `ClusterNetworkPolicy ${name}`;
}

function ruleText(rule: ExplainedRule | null): string {
  if (rule === null) return 'no rule is for it';
  const { direction, policies, number, name } = rule;
  const whose = policies.join(', ');
  if (number === null) return `no ${direction} rule is for it of ${whose}`;
  return `${direction} rule ${number}${name === null ? '' : ` (${name})`} of ${whose}`;
}
