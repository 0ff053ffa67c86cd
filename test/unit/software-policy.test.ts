// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { ACTION, ANY_PEER, NO_RULES, type RuleColumns, TIER } from '../../lib/compile/program.js';
import { addressOfRow, networkOf } from '../../lib/engine/software/base/address.js';
import { IdentityTable } from '../../lib/engine/software/table/identities.js';
import { NO_ROW, RuleSet } from '../../lib/engine/software/table/policy.js';
import { mapped } from '../support/program.js';

interface Rule {
  selector: number;
  protocol: number;
  portFirst: number;
  portLast: number;
  action: number;
  tier: number;
}

const TCP = 6;
const ICMP = 1;
const SELECTORS = [0, 1, 2, 3, 0xfffffffe];

const anyRule: fc.Arbitrary<Rule> = fc
  .record({
    selector: fc.constantFrom(...SELECTORS, ANY_PEER),
    protocol: fc.constantFrom(0, TCP, 17),
    ports: fc.tuple(fc.nat(4), fc.nat(4)),
    action: fc.constantFrom(...Object.values(ACTION)),
    tier: fc.constantFrom(...Object.values(TIER)),
  })
  .map(({ ports, ...rest }) => ({
    ...rest,
    portFirst: Math.min(...ports),
    portLast: Math.max(...ports),
  }));

function columns(rules: readonly Rule[]): RuleColumns {
  return {
    selector: Uint32Array.from(rules, ({ selector }) => selector),
    protocol: Uint8Array.from(rules, ({ protocol }) => protocol),
    portFirst: Uint16Array.from(rules, ({ portFirst }) => portFirst),
    portLast: Uint16Array.from(rules, ({ portLast }) => portLast),
    action: Uint8Array.from(rules, ({ action }) => action),
    tier: Uint8Array.from(rules, ({ tier }) => tier),
    rule: Uint32Array.from(rules, (_, row) => 100 + row),
  };
}

/** Row after row, as docs/packet-path.md says it. */
function scan(
  rules: readonly Rule[],
  peer: readonly number[],
  protocol: number,
  port: number,
  isSelf: boolean,
): number {
  let passed = -1;
  for (const [row, rule] of rules.entries()) {
    if (rule.tier <= passed || (isSelf && rule.tier === TIER.network)) continue;
    if (rule.selector !== ANY_PEER && !peer.includes(rule.selector)) continue;
    const isOfPort =
      protocol !== ICMP &&
      rule.protocol === protocol &&
      port >= rule.portFirst &&
      port <= rule.portLast;
    if (rule.protocol !== 0 && !isOfPort) continue;
    if (rule.action !== ACTION.pass) return row;
    passed = rule.tier;
  }
  return NO_ROW;
}

test('a rule set answers as a scan of its rules does', (t) => {
  fc.assert(
    fc.property(
      fc.array(anyRule, { maxLength: 12 }),
      fc.array(anyRule, { maxLength: 3 }),
      fc.subarray(SELECTORS),
      fc.constantFrom(TCP, 17, 132, ICMP),
      fc.nat(5),
      fc.boolean(),
      (unsorted, before, peer, protocol, port, isSelf) => {
        const rules = [...unsorted].sort((a, b) => a.tier - b.tier);
        // The set's rows lie somewhere among those of others.
        const all = columns([...before, ...rules, ...before]);
        const set = new RuleSet(all, before.length, rules.length);
        const memberships = Uint32Array.from(peer);
        const row = set.ask({ memberships }, protocol, port, protocol !== ICMP, isSelf);
        t.is(row, scan(rules, peer, protocol, port, isSelf));
        t.is(set.accepts(row), row === NO_ROW || rules[row]!.action === ACTION.accept);
        if (row !== NO_ROW) t.is(set.ruleAt(row), 100 + before.length + row);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('a rule set keeps its rules when the columns change', (t) => {
  const rules = columns([
    { selector: 1, protocol: 0, portFirst: 0, portLast: 0, action: ACTION.deny, tier: 0 },
  ]);
  const set = new RuleSet(rules, 0, 1);
  for (const column of Object.values(rules)) column.fill(2);
  const row = set.ask({ memberships: Uint32Array.of(1) }, TCP, 1, true, false);
  t.is(row, 0);
  t.false(set.accepts(row));
});

test('identities: of the longest network, and counted by who names them', (t) => {
  const address = (text: string) => addressOfRow(mapped(text), 0);
  const network = (text: string, length: number) => networkOf(address(text), length);
  const table = new IdentityTable();
  const of = (text: string) => table.of(Int32Array.from([9, ...address(text)]), 1);
  const [one, two] = [1, 2].map((n) => ({
    ingress: n,
    egress: NO_RULES,
    memberships: Uint32Array.of(n),
  }));
  table.put(1, one!);
  table.put(2, two!);
  table.putNetwork(network('10.0.0.0', 8), 1);
  table.putNetwork(network('10.1.0.2', 32), 2);
  table.putNetwork(network('::', 0), 2);
  t.is(of('10.1.0.2'), two);
  t.is(of('10.1.0.3'), one);
  t.is(of('fd00::1'), two);
  t.deepEqual(of('11.0.0.1'), {
    ingress: NO_RULES,
    egress: NO_RULES,
    memberships: new Uint32Array(),
  });
  t.deepEqual([table.usesOf(1), table.usesOf(2), table.usesOfRuleSet(1)], [1, 2, 1]);
  // In another's place.
  table.putNetwork(network('10.1.0.2', 32), 1);
  t.is(of('10.1.0.2'), one);
  t.deepEqual([table.usesOf(1), table.usesOf(2)], [2, 1]);
  table.put(1, two!);
  t.is(of('10.1.0.2'), two);
  t.deepEqual([table.usesOfRuleSet(1), table.usesOfRuleSet(2)], [0, 2]);
  for (const gone of [network('10.1.0.2', 32), network('10.1.0.2', 32), network('::', 0)]) {
    table.removeNetwork(gone);
  }
  t.is(of('10.1.0.2'), two);
  t.deepEqual([table.usesOf(1), table.usesOf(2)], [1, 0]);
  table.remove(2);
  table.remove(2);
  t.is(table.usesOfRuleSet(2), 1);
});
