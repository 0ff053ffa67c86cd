// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { POLICY_CASES } from '../support/policy-cases.js';
import { NAMESPACES, PODS } from '../support/policy-world.js';
import { ENGINES } from './engines.js';
import { POLICY_CHANGES } from './policy-changes.js';
import { NODE, PolicyNode } from './policy-node.js';
import { expectations, Table } from './policy-probes.js';
import { CLUSTER_POLICY_RULES, NETWORK_POLICY_RULES } from './policy-rules.js';
import { onScene } from './policy-scene.js';

/**
 * Who may talk to whom, by manifests and real packets, against the evaluator of policy-oracle.ts. Every case
 * goes on from the one before it, on a node that stays open.
 */

const expected = new Map<string, boolean[]>();

for (const under of ENGINES) {
  let opened: Promise<{ node: PolicyNode; table: Table }> | null = null;
  const open = async () => {
    const node = await PolicyNode.open(under);
    await node.apply({ namespaces: NAMESPACES, pods: PODS, policies: [] });
    return { node, table: new Table(node) };
  };
  test.after.always(async () => (await opened)?.node.proxy.close());

  for (const { name, policies } of POLICY_CASES) {
    under.test(`the truth table: ${name}`, async (t) => {
      opened ??= open();
      const { node, table } = await opened;
      const given = { namespaces: NAMESPACES, pods: PODS, policies, node: NODE.flat() };
      await node.apply(given);
      node.forget();
      const wanted = expected.get(name) ?? expectations(given, table.probes);
      expected.set(name, wanted);
      t.deepEqual(table.check(wanted).slice(0, 20), []);
      t.log(`${wanted.filter((each) => !each).length} of ${wanted.length} denied`);
    });
  }

  for (const { title, body } of POLICY_CHANGES) {
    for (const [family, name] of (['IPv4', 'IPv6'] as const).entries()) {
      under.test(`${title}, ${name}`, async (t) => {
        opened ??= open();
        const { node } = await opened;
        await onScene(t, node, family as 0 | 1, body);
      });
    }
  }
}

test('every rule has cases that show it, and they exist', (t) => {
  const numbers = Array.from({ length: 18 }, (_, index) => `P${index + 1}`);
  t.deepEqual(Object.keys(NETWORK_POLICY_RULES), numbers);
  t.deepEqual(Object.keys(CLUSTER_POLICY_RULES), [
    ...['kind', 'order', 'priority', 'actions', 'subject', 'peers', 'protocols'],
    ...['unknown', 'hairpin'],
  ]);
  const names = [
    ...POLICY_CASES.map(({ name }) => name),
    ...POLICY_CHANGES.map(({ title }) => title),
  ];
  t.is(new Set(names).size, names.length);
  for (const rules of [NETWORK_POLICY_RULES, CLUSTER_POLICY_RULES]) {
    for (const [rule, { shownBy }] of Object.entries(rules)) {
      t.true(shownBy.length > 0, `${rule} has no case`);
      t.deepEqual(
        shownBy.filter((name) => !names.includes(name)),
        [],
        `${rule}: no case is called so`,
      );
    }
  }
});
