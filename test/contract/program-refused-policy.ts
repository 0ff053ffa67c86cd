// SPDX-License-Identifier: Apache-2.0
import type { ProgramDelta } from '../../lib/compile/program.js';
import type { PolicyLiteral } from '../support/policy.js';
import type { Refused } from './refused.js';

/** Deltas that break the rules of policy, docs/program.md 17 to 25. */

const TOO_MANY = 2 ** 20;
const SET = { slot: 5, rules: ['accept @1 tcp/80', 'deny any'] };
const IDENTITY = { slot: 6, ingress: 5, selectors: [1, 2], networks: ['10.1.0.70'] };
const GOOD: PolicyLiteral = { ruleSets: [SET], identities: [IDENTITY] };

const spoilt = (title: string, path: string, spoil: (columns: ProgramDelta) => void): Refused => ({
  title,
  path,
  literal: GOOD,
  spoil,
});

const SOURCES: readonly Refused[] = [
  {
    title: 'source of no interface',
    path: 'sources.interface[1]',
    literal: {
      sources: [
        { on: 1, from: '10.1.0.2' },
        { on: 7, from: '10.1.0.2' },
      ],
    },
  },
  {
    title: 'source: length 33',
    path: 'sources.length[0]',
    literal: { sources: [{ on: 1, from: '10.1.0.2/33' }] },
  },
  {
    title: 'source: host bits',
    path: 'sources.prefix[1]',
    literal: {
      sources: [
        { on: 1, from: '10.1.0.0/16' },
        { on: 1, from: 'fd01::2/64' },
      ],
    },
  },
  {
    title: 'sources: a column of another type',
    path: 'sources.interface',
    literal: { sources: [] },
    spoil: (columns) => {
      Object.assign(columns.sources ?? {}, { interface: new Uint32Array(0) });
    },
  },
  {
    title: 'sources: columns of unequal length',
    path: 'sources.interface',
    literal: { sources: [{ on: 1, from: '10.1.0.2' }] },
    spoil: ({ sources }) => {
      if (sources !== null) sources.interface = new Uint16Array(2);
    },
  },
];

const RULES: readonly Refused[] = [
  {
    ...spoilt('rule set: slot beyond the limit', 'ruleSets.slot[0]', ({ ruleSets }) => {
      ruleSets.slot[0] = TOO_MANY;
    }),
    code: 'ERR_CAPACITY',
  },
  {
    title: 'rule set: slot twice',
    path: 'ruleSets.slot[1]',
    literal: { ruleSets: [SET, SET] },
  },
  spoilt('rule set: columns of unequal length', 'ruleSets.count', ({ ruleSets }) => {
    ruleSets.count = new Uint32Array(2);
  }),
  spoilt('rule set that begins beyond the rules', 'ruleSets.first[0]', ({ ruleSets }) => {
    ruleSets.first[0] = 2;
  }),
  spoilt('rule set that ends beyond the rules', 'ruleSets.count[0]', ({ ruleSets }) => {
    ruleSets.count[0] = 3;
  }),
  spoilt('rule set that overflows 32 bits', 'ruleSets.count[0]', ({ ruleSets }) => {
    ruleSets.first[0] = 1;
    ruleSets.count[0] = 0xffffffff;
  }),
  {
    title: 'rule sets that share rules',
    path: 'ruleSets.first[1]',
    literal: { ruleSets: [SET, { slot: 7, rules: ['deny any'] }] },
    spoil: ({ ruleSets }) => {
      ruleSets.first[1] = 1;
    },
  },
  spoilt('rules: columns of unequal length', 'rules.rule', ({ rules }) => {
    rules.rule = new Uint32Array(1);
  }),
  spoilt('rule of ICMP', 'rules.protocol[1]', ({ rules }) => {
    rules.protocol[1] = 1;
  }),
  spoilt('rule whose last port is before its first', 'rules.portLast[0]', ({ rules }) => {
    rules.portLast[0] = 79;
  }),
  spoilt('rule: action 3', 'rules.action[1]', ({ rules }) => {
    rules.action[1] = 3;
  }),
  spoilt('rule: tier 3', 'rules.tier[1]', ({ rules }) => {
    rules.tier[1] = 3;
  }),
  {
    title: 'rule of an earlier tier than the one before',
    path: 'rules.tier[1]',
    literal: { ruleSets: [{ slot: 5, rules: ['baseline deny any', 'deny any'] }] },
  },
  {
    ...spoilt('rule that no set refers to', 'rules.action[1]', ({ ruleSets, rules }) => {
      ruleSets.count[0] = 1;
      rules.action[1] = 3;
    }),
  },
];

const IDENTITIES: readonly Refused[] = [
  {
    ...spoilt('identity: slot beyond the limit', 'identities.slot[0]', ({ identities }) => {
      identities.slot[0] = TOO_MANY;
    }),
    code: 'ERR_CAPACITY',
  },
  {
    title: 'identity: slot twice',
    path: 'identities.slot[1]',
    literal: { identities: [{ slot: 6 }, { slot: 6 }] },
  },
  spoilt('identities: columns of unequal length', 'identities.egress', ({ identities }) => {
    identities.egress = new Uint32Array(2);
  }),
  spoilt('identity of an ingress that there is not', 'identities.ingress[0]', ({ identities }) => {
    identities.ingress[0] = 0xfffffffd;
  }),
  {
    title: 'identity of an egress that there is not',
    path: 'identities.egress[0]',
    literal: { ...GOOD, identities: [{ ...IDENTITY, egress: 9 }] },
  },
  spoilt('identity that begins beyond the memberships', 'identities.first[0]', (columns) => {
    columns.identities.first[0] = 2;
  }),
  spoilt('identity that ends beyond the memberships', 'identities.count[0]', ({ identities }) => {
    identities.count[0] = 3;
  }),
  {
    title: 'identities that share memberships',
    path: 'identities.first[1]',
    literal: { ...GOOD, identities: [IDENTITY, { slot: 7, selectors: [3] }] },
    spoil: ({ identities }) => {
      identities.first[1] = 1;
    },
  },
  spoilt('membership twice', 'memberships.selector[1]', ({ memberships }) => {
    memberships.selector[1] = 1;
  }),
  spoilt('memberships out of order', 'memberships.selector[1]', ({ memberships }) => {
    memberships.selector.set([2, 1]);
  }),
  spoilt('membership in whoever there is', 'memberships.selector[1]', ({ memberships }) => {
    memberships.selector[1] = 0xffffffff;
  }),
];

const NETWORKS: readonly Refused[] = [
  {
    title: 'identity network: host bits',
    path: 'identityNetworks.prefix[0]',
    literal: { ...GOOD, identities: [{ ...IDENTITY, networks: ['10.1.0.71/31'] }] },
  },
  {
    title: 'identity network: length 129',
    path: 'identityNetworks.length[1]',
    literal: { ...GOOD, identities: [{ ...IDENTITY, networks: ['10.1.0.70', 'fd01::2/129'] }] },
  },
  {
    title: 'identity network twice',
    path: 'identityNetworks.prefix[1]',
    literal: { ...GOOD, identityNetworks: [{ network: '10.1.0.70', identity: 6 }] },
  },
  {
    title: 'identity network of nobody',
    path: 'identityNetworks.identity[1]',
    literal: { ...GOOD, identityNetworks: [{ network: '10.1.0.71', identity: 9 }] },
  },
  spoilt('identity networks: columns of unequal length', 'identityNetworks.identity', (columns) => {
    columns.identityNetworks.identity = new Uint32Array(2);
  }),
  {
    title: 'identity network of an identity that goes',
    path: 'identityNetworks.identity[0]',
    before: GOOD,
    literal: {
      identityNetworks: [{ network: '10.1.0.71', identity: 6 }],
      removedIdentities: [6],
      removedIdentityNetworks: ['10.1.0.70'],
    },
  },
  {
    title: 'removed identity network: host bits',
    path: 'removedIdentityNetworks.prefix[0]',
    literal: { removedIdentityNetworks: ['10.1.0.1/16'] },
  },
];

const REMOVED: readonly Refused[] = [
  {
    title: 'identity of a rule set that goes',
    path: 'identities.ingress[0]',
    before: GOOD,
    literal: { identities: [IDENTITY], removedRuleSets: [5] },
  },
  {
    title: 'removed rule set that an identity still names',
    path: 'removedRuleSets[1]',
    before: GOOD,
    literal: { removedRuleSets: [9, 5] },
  },
  {
    title: 'removed rule set that an identity still names the other way',
    path: 'removedRuleSets[0]',
    before: {
      ruleSets: [SET],
      identities: [
        { slot: 6, ingress: 5 },
        { slot: 7, egress: 5 },
      ],
    },
    literal: { removedRuleSets: [5], identities: [{ slot: 6 }] },
  },
  {
    title: 'removed identity that a network still has',
    path: 'removedIdentities[1]',
    before: GOOD,
    literal: { removedIdentities: [9, 6] },
  },
  {
    title: 'removed identity that another network still has',
    path: 'removedIdentities[0]',
    before: { ...GOOD, identityNetworks: [{ network: '10.1.0.71', identity: 6 }] },
    // The same network twice is one.
    literal: { removedIdentities: [6], removedIdentityNetworks: ['10.1.0.71', '10.1.0.71'] },
  },
];

export const POLICY_REFUSED: readonly Refused[] = [
  ...SOURCES,
  ...RULES,
  ...IDENTITIES,
  ...NETWORKS,
  ...REMOVED,
];
