// SPDX-License-Identifier: Apache-2.0
// Who may talk to whom, by policies that kubectl applies and connections of real programs.
import test from 'ava';
import { CLUSTER_POLICY_RULES, NETWORK_POLICY_RULES } from '../contract/policy-rules.js';
import { POLICY_CASES, type PolicyCase } from '../support/policy-cases.js';
import { networkPolicy } from '../support/policy-world.js';
import { onEachKind } from './node-suites.js';
import { PolicyNet } from './policy-net.js';
import { POLICY_SCENES, play } from './policy-scenes.js';
import { check, totals } from './policy-table.js';

/** What these show is SCTP, or what others of the list show with connections, too. */
const LEFT_OUT = new Set([
  ...[
    'all pods of a namespace',
    'pods by In',
    'namespaces by Exists',
    'namespaces by DoesNotExist',
  ],
  ...['namespaces by NotIn of a label that none has', 'labels and expressions'],
  ...['egress to pods of its own namespace', 'egress to pods of a namespace'],
  ...['egress to one or the other', 'everything by CIDR', 'a CIDR of pods', 'a CIDR of one pod'],
  ...['a port over SCTP', 'two protocols', 'a range that holds both', 'a port by name over UDP'],
  ...['a number that is not served', 'egress to a name within a block'],
  ...['egress to a name that is not served', 'egress to a name', 'rules add up', 'peers and ports'],
  ...['pods of all namespaces', 'an IPv6 block', 'allow all egress', 'a subject by expression'],
]);

const toNetworks = (cidrs: readonly string[], port: number, endPort: number) =>
  networkPolicy('x', 'p', {
    policyTypes: ['Egress'],
    egress: [
      {
        to: cidrs.map((cidr) => ({ ipBlock: { cidr } })),
        ports: [
          { port, endPort },
          { protocol: 'UDP', port, endPort },
        ],
      },
    ],
  });

const BY_SERVICE: PolicyCase[] = [
  {
    name: 'egress to the addresses and ports of services opens nothing',
    policies: [toNetworks(['10.96.0.0/16', 'fd00:10:96::/112'], 1_080, 1_081)],
  },
  {
    name: 'egress to the address and ports of an endpoint opens its service',
    policies: [toNetworks(['10.1.2.2/32', 'fd00:1:2::2/128'], 80, 81)],
  },
];

/** Rules that are not of connections. */
const NOT_SEEN = ['P10'];
/** What is shown here alone. */
const SHOWN_HERE: Readonly<Record<string, readonly string[]>> = {
  P12: BY_SERVICE.map(({ name }) => name),
  P15: ['a pod of this node is deleted and created as another'],
};

const CASES = [...POLICY_CASES.filter(({ name }) => !LEFT_OUT.has(name)), ...BY_SERVICE];
const onEach = onEachKind((owner, kind) => PolicyNet.open(owner, kind));

for (const { name, policies } of CASES) {
  onEach(`the truth table: ${name}`, async (t, net) => {
    await net.applyPolicies(policies);
    await check(t, net, name, net.given({ policies }));
  });
}

for (const scene of POLICY_SCENES) onEach(scene.title, (t, net) => play(t, net, scene));

onEach('the agent complains of nothing but peers that it does not know', async (t, net) => {
  const levels = ['warn', 'error', 'fatal'];
  const complaints = net.agent.log.filter(({ level }) => levels.includes(level));
  const isRight = ({ msg }: { msg: string }) =>
    /^ClusterNetworkPolicy p: (in|e)gress\[0\] has a peer that is not known: /.test(msg);
  t.deepEqual(
    complaints.filter((each) => !isRight(each)),
    [],
  );
  t.is(complaints.length, 3);
});

test.serial('every rule that connections can show has cases here', (t) => {
  const titles = new Set([
    ...CASES.map(({ name }) => name),
    ...POLICY_SCENES.map(({ title }) => title),
  ]);
  for (const [rule, { shownBy }] of [
    ...Object.entries(NETWORK_POLICY_RULES),
    ...Object.entries(CLUSTER_POLICY_RULES),
  ]) {
    const here = [...shownBy, ...(SHOWN_HERE[rule] ?? [])].filter((each) => titles.has(each));
    if (!NOT_SEEN.includes(rule)) t.true(here.length > 0, `${rule} has no case`);
  }
  for (const name of Object.values(SHOWN_HERE).flat()) t.true(titles.has(name), name);
  for (const name of LEFT_OUT)
    t.true(
      POLICY_CASES.some((each) => each.name === name),
      name,
    );
  const count = (kind: string) =>
    CASES.filter(({ policies }) => policies.some((each) => each.kind === kind)).length;
  t.true(count('NetworkPolicy') >= 30);
  t.true(count('ClusterNetworkPolicy') >= 8);
  t.log(`${CASES.length} cases, ${POLICY_SCENES.length} scenes; ${JSON.stringify(totals)}`);
});
