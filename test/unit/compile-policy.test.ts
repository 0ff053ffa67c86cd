// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { Compiler, type Plan } from '../../lib/compile/compile.js';
import { NO_RULES, PENDING_RULES, type ProgramDelta } from '../../lib/compile/program.js';
import { formatPrefix, parseAddress } from '../../lib/model/address.js';
import { checkModel } from '../../lib/model/check.js';
import type { InterfaceSpec, Model } from '../../lib/model/model.js';
import type { Pod, Policy } from '../../lib/model/policy.js';
import { PolicyProgram } from '../support/policy-program.js';

const SLOTS = new Map([
  ['p0', { slot: 3 }],
  ['p1', { slot: 4 }],
]);

/** A compiler and what an engine has of it. */
class Rig {
  readonly compiler = new Compiler({ backends: 1, routes: 100 });
  readonly program = new PolicyProgram();

  plan(model: Model): Plan {
    return this.compiler.plan(checkModel(model), SLOTS);
  }

  apply(model: Model): ProgramDelta {
    const plan = this.plan(model);
    this.program.apply(plan.delta);
    plan.accept();
    return plan.delta;
  }

  /** `ok`, or what denies it. */
  verdict(source: string, destination: string, port = 80): string {
    const answer = this.program.ask({ source, destination, protocol: 6, port });
    if (answer.allowed) return 'ok';
    const rule = answer.rule === null ? undefined : this.compiler.view.rule(answer.rule);
    if (rule === undefined) return answer.reason!;
    if (rule.kind === 'rule') {
      return `${answer.reason} ${rule.policy.tier} ${rule.policy.name} ${rule.direction}[${rule.index}]`;
    }
    return `${answer.reason} ${rule.policies.map(({ name }) => name).join('+')}`;
  }
}

const pod = (number: number, over: Partial<Pod> = {}): Pod => ({
  name: `p${number}`,
  labels: { app: number % 2 === 0 ? 'even' : 'odd' },
  addresses: [`10.1.0.${number}`],
  ...over,
});
const pods = (count: number) => Array.from({ length: count }, (_, index) => pod(index + 1));
const app = (name: string) => ({ pods: { matchLabels: { app: name } } });
const only = (name: string, subject: string, peer: string): Policy => ({
  name,
  tier: 'network',
  subject: app(subject),
  ingress: [{ action: 'accept', peers: [app(peer)] }],
});
const networksOf = ({ identityNetworks: { prefix, length } }: ProgramDelta) =>
  Array.from(length, (bits, row) =>
    formatPrefix({ bytes: prefix.subarray(row * 16, row * 16 + 16), length: bits }),
  );
const sizes = (delta: ProgramDelta) => ({
  sets: [...delta.ruleSets.slot],
  identities: delta.identities.slot.length,
  networks: networksOf(delta),
  removed: [
    delta.removedRuleSets.length,
    delta.removedIdentities.length,
    delta.removedIdentityNetworks.length.length,
  ],
});

test('pods without any policy have one empty set, so that they are tracked', (t) => {
  const rig = new Rig();
  const { ruleSets, identities } = rig.apply({ pods: pods(3) });
  t.deepEqual([...ruleSets.count], [0]);
  t.deepEqual([...identities.ingress, ...identities.egress], [0, 0]);
  t.is(rig.verdict('10.1.0.1', '10.1.0.2'), 'ok');
});

test('one pod more is one row', (t) => {
  const rig = new Rig();
  rig.apply({ pods: pods(20), policies: [only('a', 'even', 'odd')] });
  const delta = rig.apply({ pods: pods(21) });
  t.deepEqual(sizes(delta), {
    sets: [],
    identities: 0,
    networks: ['10.1.0.21/32'],
    removed: [0, 0, 0],
  });
});

test('a pod that goes is one row', (t) => {
  const rig = new Rig();
  rig.apply({ pods: pods(20), policies: [only('a', 'even', 'odd')] });
  const delta = rig.apply({ pods: pods(19) });
  t.deepEqual(sizes(delta), { sets: [], identities: 0, networks: [], removed: [0, 0, 1] });
});

test('a pod that is relabelled is one row', (t) => {
  const rig = new Rig();
  rig.apply({ pods: pods(4), policies: [only('a', 'even', 'odd')] });
  t.is(rig.verdict('10.1.0.4', '10.1.0.2'), 'ingress a');
  const delta = rig.apply({ pods: [...pods(3), pod(4, { labels: { app: 'odd' } })] });
  t.deepEqual(sizes(delta).networks, ['10.1.0.4/32']);
  t.is(rig.verdict('10.1.0.4', '10.1.0.2'), 'ok');
});

test('one policy more touches its subjects and its peers alone', (t) => {
  const rig = new Rig();
  const three = [...pods(6), pod(7, { labels: { app: 'db' } })];
  rig.apply({ pods: three, policies: [only('a', 'even', 'odd')] });
  const delta = rig.apply({ policies: [only('a', 'even', 'odd'), only('b', 'db', 'odd')] });
  // The selector of its peers is there already.
  t.deepEqual(sizes(delta).networks, ['10.1.0.7/32']);
  t.is(delta.ruleSets.slot.length, 1);
  t.is(rig.verdict('10.1.0.2', '10.1.0.7'), 'ingress b');
  t.is(rig.verdict('10.1.0.1', '10.1.0.7'), 'ok');
});

test('a policy that changes is one set, whoever has it', (t) => {
  const rig = new Rig();
  rig.apply({ pods: pods(20), policies: [only('a', 'even', 'odd')] });
  t.is(rig.verdict('10.1.0.1', '10.1.0.2', 81), 'ok');
  const changed: Policy = {
    ...only('a', 'even', 'odd'),
    ingress: [{ action: 'accept', peers: [app('odd')], ports: [{ port: 80 }] }],
  };
  const delta = rig.apply({ policies: [changed] });
  t.deepEqual(
    { ...sizes(delta), sets: delta.ruleSets.slot.length },
    { sets: 1, identities: 0, networks: [], removed: [0, 0, 0] },
  );
  t.is(rig.verdict('10.1.0.1', '10.1.0.2', 80), 'ok');
  t.is(rig.verdict('10.1.0.1', '10.1.0.2', 81), 'ingress a');
});

test('a plan that is dropped leaves no trace', (t) => {
  const [rig, other] = [new Rig(), new Rig()];
  const first: Model = { pods: pods(5), policies: [only('a', 'even', 'odd')] };
  const blocks: Policy = {
    name: 'z',
    tier: 'admin',
    subject: {},
    egress: [{ action: 'deny', peers: [{ network: '10.0.0.0/8', except: ['10.1.0.1/32'] }] }],
  };
  rig.apply(first);
  other.apply(first);
  rig.plan({ pods: pods(9), policies: [only('b', 'odd', 'even'), blocks] });
  rig.plan({ pods: [], policies: [] });
  t.true(rig.plan(first).empty);
  const second: Model = { pods: pods(6), policies: [only('c', 'odd', 'odd'), blocks] };
  t.deepEqual(rig.apply(second), other.apply(second));
});

test('what goes gives its slots back', (t) => {
  const rig = new Rig();
  for (let round = 0; round < 5; round++) {
    const { ruleSets, identities } = rig.apply({
      pods: pods(4),
      policies: [only(`a${round}`, 'even', 'odd')],
    });
    t.true([...ruleSets.slot, ...identities.slot].every((slot) => slot < 6));
    rig.apply({ pods: [], policies: [] });
    t.deepEqual(rig.program.sizes, { sets: 0, identities: 0, networks: 0 });
  }
});

test('sections that are left out stay', (t) => {
  const rig = new Rig();
  rig.apply({ pods: pods(2), policies: [only('a', 'even', 'nobody')] });
  t.true(rig.plan({ services: [] }).empty);
  rig.apply({ namespaces: [{ name: 'default', labels: { team: 'a' } }] });
  t.is(rig.verdict('10.1.0.1', '10.1.0.2'), 'ingress a');
});

test('a namespace that is relabelled', (t) => {
  const rig = new Rig();
  const ofTeam: Policy = {
    name: 'team',
    tier: 'network',
    subject: {},
    ingress: [{ action: 'accept', peers: [{ namespaces: { matchLabels: { team: 'a' } } }] }],
  };
  const list = [pod(1), pod(2, { namespace: 'other' })];
  rig.apply({ pods: list, policies: [ofTeam] });
  t.is(rig.verdict('10.1.0.2', '10.1.0.1'), 'ingress team');
  const delta = rig.apply({ namespaces: [{ name: 'other', labels: { team: 'a' } }] });
  t.deepEqual(sizes(delta).networks, ['10.1.0.2/32']);
  t.is(rig.verdict('10.1.0.2', '10.1.0.1'), 'ok');
  rig.apply({ namespaces: [] });
  t.is(rig.verdict('10.1.0.2', '10.1.0.1'), 'ingress team');
});

test('pods of other nodes have no rules here, and are peers', (t) => {
  const rig = new Rig();
  const list = [1, 2, 3].map((number) => pod(number, { node: number === 3 ? 'n1' : 'n0' }));
  rig.apply({ node: { name: 'n0' }, pods: list, policies: [only('a', 'odd', 'odd')] });
  t.is(rig.verdict('10.1.0.2', '10.1.0.1'), 'ingress a');
  t.is(rig.verdict('10.1.0.3', '10.1.0.1'), 'ok', 'a peer');
  t.is(rig.verdict('10.1.0.2', '10.1.0.3'), 'ok', 'no subject');
  rig.apply({ node: { name: 'n1' } });
  t.is(rig.verdict('10.1.0.2', '10.1.0.1'), 'ok');
  t.is(rig.verdict('10.1.0.2', '10.1.0.3'), 'ingress a');
});

test('pods of other nodes that nobody selects need no row', (t) => {
  const rig = new Rig();
  const list = [pod(1, { node: 'n0' }), pod(2, { node: 'n1' })];
  t.deepEqual(networksOf(rig.apply({ node: { name: 'n0' }, pods: list })), ['10.1.0.1/32']);
});

const attached = (name: string, over: Partial<InterfaceSpec> = {}): InterfaceSpec => ({
  kind: 'memory',
  name,
  pod: 'default/p1',
  sources: ['10.1.0.1', 'fd00:1::1'],
  ...over,
});

test('a pod that is attached and not known yet is pending', (t) => {
  const rig = new Rig();
  const delta = rig.apply({ interfaces: [attached('p0')], pods: [pod(2)] });
  t.deepEqual([...delta.identities.ingress].sort(), [0, PENDING_RULES]);
  t.is(rig.verdict('10.1.0.1', '10.1.0.2'), 'pending');
  t.is(rig.verdict('10.1.0.2', '10.1.0.1'), 'pending');
  t.is(rig.verdict('fd00:1::1', 'fd00:1::2'), 'pending');

  rig.apply({ pods: [pod(2), pod(3, { addresses: ['10.1.0.1'] })] });
  t.is(rig.verdict('10.1.0.1', '10.1.0.2'), 'pending', 'another pod has the address');
  rig.apply({ pods: [pod(1), pod(2)] });
  t.is(rig.verdict('10.1.0.1', '10.1.0.2'), 'ok');
  t.is(rig.verdict('fd00:1::1', 'fd00:1::2'), 'pending', 'that address is not known yet');
  rig.apply({ pods: [pod(1, { addresses: ['10.1.0.1', 'fd00:1::1'] }), pod(2)] });
  t.is(rig.verdict('fd00:1::1', 'fd00:1::2'), 'ok');
  rig.apply({ pods: [pod(2)] });
  t.is(rig.verdict('10.1.0.1', '10.1.0.2'), 'pending');
  rig.apply({ interfaces: [] });
  t.is(rig.verdict('10.1.0.1', '10.1.0.2'), 'ok', 'nobody says that it is a pod');
});

test('an interface makes its pod one of this node', (t) => {
  const rig = new Rig();
  const list = [pod(1, { node: 'n1' }), pod(2, { node: 'n0' })];
  const policies = [only('a', 'odd', 'nobody')];
  rig.apply({ node: { name: 'n0' }, pods: list, policies });
  t.is(rig.verdict('10.1.0.2', '10.1.0.1'), 'ok');
  rig.apply({ interfaces: [attached('p0')] });
  t.is(rig.verdict('10.1.0.2', '10.1.0.1'), 'ingress a');
});

test('who may send, and the routes to it', (t) => {
  const rig = new Rig();
  const interfaces = [
    attached('p0'),
    { kind: 'memory' as const, name: 'p1', sources: ['10.2.0.0/16'], addresses: ['10.2.0.1/16'] },
  ];
  const routes = [{ prefix: 'fd00:1::1/128', dev: 'p1' }];
  const { sources } = rig.apply({ interfaces, routes });
  t.deepEqual([...sources!.interface], [3, 3, 4]);
  t.deepEqual([...sources!.length], [32, 128, 16]);
  t.is(rig.compiler.view.route(parseAddress('10.1.0.1')!)?.hops[0]?.interface, 3);
  t.is(
    rig.compiler.view.route(parseAddress('fd00:1::1')!)?.hops[0]?.interface,
    4,
    'one that is given',
  );
  t.true(rig.plan({ interfaces, routes }).empty);
  rig.compiler.forgetInterface(3);
  const again = rig.plan({});
  t.is(again.delta.sources?.length.length, 3);
  t.deepEqual([...again.delta.routes.length], [32]);
});

test('a port that a new pod calls by the name makes egress to it new', (t) => {
  const rig = new Rig();
  const ports = (port: number) => [{ name: 'web', port }];
  const toWeb: Policy = {
    name: 'web',
    tier: 'network',
    subject: app('even'),
    egress: [{ action: 'accept', ports: [{ port: 'web' }] }],
  };
  rig.apply({ pods: [pod(1, { ports: ports(80) }), pod(2)], policies: [toWeb] });
  t.is(rig.verdict('10.1.0.2', '10.1.0.1', 80), 'ok');
  t.is(rig.verdict('10.1.0.2', '10.1.0.1', 81), 'egress web');
  const three = [pod(1, { ports: ports(80) }), pod(2), pod(3, { ports: ports(81) })];
  rig.apply({ pods: three });
  t.is(rig.verdict('10.1.0.2', '10.1.0.3', 81), 'ok');
  t.is(rig.verdict('10.1.0.2', '10.1.0.3', 80), 'egress web');
  t.is(rig.verdict('10.1.0.2', '10.1.0.1', 81), 'egress web');
  t.true(rig.plan({ pods: three }).empty);
});

test('the view names rules and isolation', (t) => {
  const rig = new Rig();
  const deny: Policy = {
    name: 'guard',
    tier: 'admin',
    subject: {},
    ingress: [
      { action: 'accept', peers: [app('odd')], ports: [{ port: 80 }] },
      { name: 'no odd ones', action: 'deny', peers: [app('odd')] },
    ],
  };
  rig.apply({
    pods: pods(2),
    policies: [deny, only('b', 'even', 'nobody'), only('a', 'even', 'x')],
  });
  t.is(rig.verdict('10.1.0.1', '10.1.0.2', 81), 'ingress admin guard ingress[1]');
  t.is(rig.verdict('10.1.0.9', '10.1.0.2', 81), 'ingress a+b');
  const { rule } = rig.program.ask({
    source: '10.1.0.1',
    destination: '10.1.0.2',
    protocol: 6,
    port: 81,
  });
  t.deepEqual(rig.compiler.view.rule(rule!), {
    kind: 'rule',
    direction: 'ingress',
    policy: { tier: 'admin', namespace: null, name: 'guard' },
    index: 1,
    name: 'no odd ones',
    action: 'deny',
  });
});

test('networks hold pods as well, and pods without rules here', (t) => {
  const rig = new Rig();
  const block: Policy = {
    name: 'block',
    tier: 'network',
    subject: app('odd'),
    ingress: [{ action: 'accept', peers: [{ network: '10.1.0.0/30', except: ['10.1.0.3/32'] }] }],
  };
  const list = [1, 2, 3].map((number) => pod(number, { node: number === 1 ? 'n0' : 'n1' }));
  const { identities } = rig.apply({ node: { name: 'n0' }, pods: list, policies: [block] });
  t.true([...identities.ingress].includes(NO_RULES));
  t.is(rig.verdict('10.1.0.2', '10.1.0.1'), 'ok');
  t.is(rig.verdict('10.1.0.3', '10.1.0.1'), 'ingress block');
});
