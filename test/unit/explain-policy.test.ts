// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { Compiler } from '../../lib/compile/compile.js';
import type { Explanation } from '../../lib/engine/engine.js';
import { checkModel } from '../../lib/model/check.js';
import type { Policy } from '../../lib/model/policy.js';
import { explainReport } from '../../lib/observe/explain-report.js';

const POLICIES: Policy[] = [
  { name: 'one', namespace: 'shop', tier: 'network', subject: {}, ingress: [] },
  { name: 'two', namespace: 'shop', tier: 'network', subject: {}, ingress: [] },
  {
    name: 'guard',
    tier: 'admin',
    subject: {},
    egress: [
      { action: 'accept', peers: [{ network: '192.0.2.0/24' }] },
      { name: 'not to the outside', action: 'deny', peers: [{ network: '0.0.0.0/0' }] },
    ],
  },
];

const DROPPED: Explanation = {
  fate: 'drop',
  reason: 'policy_denied_egress',
  rejected: false,
  tuple: null,
  scope: null,
  flow: null,
  frontend: null,
  pool: null,
  maglevSlot: null,
  affinity: false,
  backend: null,
  egress: null,
  ingress: null,
  masquerade: false,
  rewrite: null,
  route: null,
  neighbour: null,
};

/** The report on what rules with these numbers said. */
function report(judgements: Partial<Explanation>) {
  const compiler = new Compiler({ backends: 1, routes: 1 });
  const pods = [{ name: 'a', namespace: 'shop', addresses: ['10.1.0.1'] }];
  const plan = compiler.plan(checkModel({ pods, policies: POLICIES }), new Map());
  plan.accept();
  const { rule, action } = plan.delta.rules;
  const numberOf = (kind: 'rule' | 'isolation') =>
    rule.find((number, row) => action[row] === 0 && compiler.view.rule(number)?.kind === kind)!;
  return explainReport(
    {
      ...DROPPED,
      ...judgements,
      ...(judgements.egress?.rule === -1 && {
        egress: { allowed: false, rule: numberOf('rule') },
      }),
      ...(judgements.ingress?.rule === -1 && {
        ingress: { allowed: false, rule: numberOf('isolation') },
      }),
    },
    'up',
    compiler.view,
    () => undefined,
  );
}

const lines = ({ text }: { text: string[] }) => text.filter((line) => /^(e|in)gress/.test(line));

test('the policy and the rule that denied it', (t) => {
  const denied = report({ egress: { allowed: false, rule: -1 } });
  t.deepEqual(denied.egress, {
    allowed: false,
    by: { tier: 'admin', policies: ['guard'], rule: 1, ruleName: 'not to the outside' },
  });
  t.deepEqual(lines(denied), [
    'egress     denied by guard (tier admin), egress[1] (not to the outside)',
  ]);
});

test('the policies that isolate the pod', (t) => {
  const denied = report({
    egress: { allowed: true, rule: null },
    ingress: { allowed: false, rule: -1 },
  });
  t.deepEqual(denied.egress, { allowed: true, by: null });
  t.deepEqual(denied.ingress, {
    allowed: false,
    by: { tier: 'network', policies: ['shop/one', 'shop/two'], rule: null, ruleName: null },
  });
  t.deepEqual(lines(denied), [
    'egress     allowed: no rule is for it',
    'ingress    denied: shop/one, shop/two isolate the pod, and no rule accepts it',
  ]);
});

test('nothing where policy was not asked', (t) => {
  const { egress, ingress, ...rest } = report({});
  t.deepEqual([egress, ingress], [null, null]);
  t.deepEqual(lines(rest), []);
});
