// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import type { IdentityLiteral, PolicyLiteral, RuleSetLiteral } from '../support/policy.js';
import { BACKEND_PORTS, mostly, NODE_PORT, pick, SERVICE_PORTS, WORLDS } from './world.js';

/** Who may talk to whom: rule sets, identities and networks by which random packets are judged. */

const RULE_SETS = 4;
const IDENTITIES = 6;
const SELECTORS = [0, 1, 2, 3, 4, 0xfffffffe];

/** Everybody that random packets name, one by one and together. */
const NETWORKS: readonly string[] = WORLDS.flatMap(({ clients, backends, networks }) => [
  ...clients,
  ...backends,
  ...networks.connected,
  networks.behindGateway,
  networks.everything,
]);
const PODS: readonly string[] = WORLDS.flatMap(({ backends }) => backends);
const CLIENTS: readonly string[] = WORLDS.flatMap(({ clients }) => clients);

const anySet = fc.nat(RULE_SETS - 1);
const anyIdentity = fc.nat(IDENTITIES - 1);

const ports = mostly(
  3,
  pick(...SERVICE_PORTS, ...BACKEND_PORTS, NODE_PORT).map((port) => `${port}`),
  pick('0-60', '53-80', '81-65535', '1000-1002'),
);
const traffic = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: pick(' tcp', ' udp', ' sctp') },
  {
    weight: 2,
    arbitrary: fc.tuple(pick(' tcp', ' udp', ' sctp'), ports).map((all) => all.join('/')),
  },
);
const peer = mostly(
  3,
  pick(...SELECTORS).map((selector) => `@${selector}`),
  fc.constant('any'),
);

const TIERS = ['admin', 'network', 'baseline'] as const;

const rule = fc
  .record({
    tier: pick(...TIERS),
    action: pick('accept', 'accept', 'pass', 'deny', 'deny'),
    peer,
    traffic,
  })
  .map(({ tier, action, peer, traffic }) => ({
    tier,
    text: `${tier} ${action} ${peer}${traffic}`,
  }));

const ruleSetAt = (slot: number): fc.Arbitrary<RuleSetLiteral> =>
  fc.array(rule, { maxLength: 6 }).map((rules) => ({
    slot,
    rules: TIERS.flatMap((tier) => rules.filter((each) => each.tier === tier)).map(
      ({ text }) => text,
    ),
  }));

/** Of what there is a set; now and then of what there is not. */
const rulesOf = mostly<{ set?: number | 'pending' }>(
  14,
  fc.oneof(
    { weight: 3, arbitrary: anySet.map((set) => ({ set })) },
    { weight: 2, arbitrary: fc.constant({}) },
  ),
  pick<{ set: number | 'pending' }>({ set: 'pending' }, { set: 'pending' }, { set: RULE_SETS }),
);

const identityAt = (slot: number): fc.Arbitrary<IdentityLiteral> =>
  fc
    .record({ ingress: rulesOf, egress: rulesOf, selectors: fc.subarray(SELECTORS) })
    .map(({ ingress, egress, selectors }) => ({
      slot,
      selectors,
      ...(ingress.set !== undefined && { ingress: ingress.set }),
      ...(egress.set !== undefined && { egress: egress.set }),
    }));

const networkOf = (network: string) => anyIdentity.map((identity) => ({ network, identity }));

const networks = fc.uniqueArray(pick(...NETWORKS).chain(networkOf), {
  minLength: 1,
  maxLength: 3,
  selector: ({ network }) => network,
});

const PODS_NETWORKS = WORLDS.map((world) => ({ on: 1, from: world.networks.pods }));

const sources: fc.Arbitrary<NonNullable<PolicyLiteral['sources']>> = pick(
  [],
  PODS_NETWORKS,
  PODS.map((from) => ({ on: 1, from })),
  [...PODS_NETWORKS, ...CLIENTS.map((from) => ({ on: 0, from }))],
  [...PODS_NETWORKS.slice(0, 1), { on: 2, from: '0.0.0.0/0' }],
  [{ on: 7, from: '10.0.0.0/8' }], // no such interface: to be refused
);

/** A change of policy; now and then one that must be refused. */
export const policyChange: fc.Arbitrary<PolicyLiteral> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ ruleSets: fc.tuple(anySet.chain(ruleSetAt)) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ identities: fc.tuple(anyIdentity.chain(identityAt)) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      identityNetworks: networks,
      removedIdentityNetworks: fc.array(pick(...NETWORKS), { maxLength: 2 }),
    }),
  },
  // Mostly somebody still names them.
  {
    weight: 1,
    arbitrary: fc.record({
      removedRuleSets: fc.array(fc.nat(RULE_SETS), { maxLength: 1 }),
      removedIdentities: fc.array(anyIdentity, { maxLength: 1 }),
    }),
  },
  // An identity goes, and whoever had it is somebody else.
  {
    weight: 1,
    arbitrary: fc.tuple(anyIdentity, anyIdentity).map(([gone, other]) => ({
      removedIdentities: [gone],
      identities: [{ slot: (gone + 1) % IDENTITIES }],
      identityNetworks: NETWORKS.map((network) => ({
        network,
        identity: other === gone ? (gone + 1) % IDENTITIES : other,
      })),
    })),
  },
  { weight: 1, arbitrary: fc.record({ sources }) },
);

/** What a run begins with: mostly nobody has rules, so that the rest is seen as well. */
export const startPolicy: fc.Arbitrary<PolicyLiteral> = mostly<PolicyLiteral>(
  2,
  fc.constant({
    ruleSets: Array.from({ length: RULE_SETS }, (_, slot) => ({ slot, rules: [] })),
    identities: Array.from({ length: IDENTITIES }, (_, slot) => ({ slot })),
  }),
  fc.record({
    ruleSets: fc.tuple(...Array.from({ length: RULE_SETS }, (_, slot) => ruleSetAt(slot))),
    identities: fc.tuple(
      ...Array.from({ length: IDENTITIES }, (_, slot) =>
        identityAt(slot).map(({ ingress, egress, ...rest }) => ({
          ...rest,
          // All of the program must be good, or nothing happens in the run.
          ...(ingress !== undefined && ingress !== RULE_SETS && { ingress }),
          ...(egress !== undefined && egress !== RULE_SETS && { egress }),
        })),
      ),
    ),
    identityNetworks: fc
      .subarray([...PODS, ...CLIENTS], { minLength: 4 })
      .chain((hosts) => fc.tuple(...hosts.map(networkOf))),
    sources: mostly<NonNullable<PolicyLiteral['sources']>>(
      3,
      fc.constant([]),
      fc.constant(PODS_NETWORKS),
    ),
  }),
);
