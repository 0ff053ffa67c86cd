// SPDX-License-Identifier: Apache-2.0
import type { PolicyManifest, Selector } from './policy-oracle.js';
import { clusterPolicy as cluster, networkPolicy as network } from './policy-world.js';

/** Policies of the world of policy-world.ts, in the manner of upstream's end-to-end tests and cyclonus. */
export interface PolicyCase {
  name: string;
  policies: PolicyManifest[];
}

const labels = (key: string, value: string): Selector => ({ matchLabels: { [key]: value } });
const pod = (name: string) => labels('pod', name);
const ns = (name: string) => labels('ns', name);
const where = (key: string, operator: string, ...values: string[]): Selector => ({
  matchExpressions: [{ key, operator, ...(values.length > 0 && { values }) }],
});
const INGRESS = ['Ingress'];
const EGRESS = ['Egress'];
const BOTH = ['Ingress', 'Egress'];
const ALL = { namespaces: {} };
const pods = (namespaceSelector: Selector, podSelector: Selector) => ({
  pods: { namespaceSelector, podSelector },
});

type Spec = Parameters<typeof network>[2];

/** A case of one NetworkPolicy in x. */
const inX = (name: string, spec: Spec): PolicyCase => ({
  name,
  policies: [network('x', 'p', spec)],
});
const from = (...peers: NonNullable<NonNullable<Spec['ingress']>[number]['from']>): Spec => ({
  policyTypes: INGRESS,
  ingress: [{ from: peers }],
});
const to = (...peers: NonNullable<NonNullable<Spec['egress']>[number]['to']>): Spec => ({
  policyTypes: EGRESS,
  egress: [{ to: peers }],
});
const ports = (...list: NonNullable<NonNullable<Spec['ingress']>[number]['ports']>): Spec => ({
  policyTypes: INGRESS,
  ingress: [{ ports: list }],
});
const portsOut = (...list: NonNullable<NonNullable<Spec['egress']>[number]['ports']>): Spec => ({
  policyTypes: EGRESS,
  egress: [{ ports: list }],
});

const ISOLATION: PolicyCase[] = [
  { name: 'no policy', policies: [] },
  inX('default deny ingress', { policyTypes: INGRESS }),
  inX('default deny egress', { policyTypes: EGRESS }),
  inX('default deny all', { policyTypes: BOTH }),
  inX('deny ingress by an empty list', { ingress: [] }),
  inX('policyTypes left out, no section', {}),
  inX('policyTypes left out, an egress section', { egress: [{ to: [{ podSelector: pod('b') }] }] }),
  inX('policyTypes left out, an empty egress section', { egress: [] }),
  inX('policyTypes left out, both sections', { ingress: [{}], egress: [{}] }),
  inX('allow all ingress', { policyTypes: INGRESS, ingress: [{}] }),
  inX('allow all egress', { policyTypes: EGRESS, egress: [{}] }),
  inX('allow all by empty lists', { ingress: [{ from: [], ports: [] }] }),
  inX('a section that its types do not name', { policyTypes: EGRESS, ingress: [], egress: [{}] }),
  inX('one pod is isolated', { podSelector: pod('a'), policyTypes: BOTH }),
  inX('a subject by expression', { podSelector: where('pod', 'NotIn', 'a', 'b') }),
  inX('a subject that nobody is', { podSelector: pod('nobody'), policyTypes: BOTH }),
];

const PEERS: PolicyCase[] = [
  inX('pods of its own namespace', from({ podSelector: pod('b') })),
  inX('all pods of its own namespace', from({ podSelector: {} })),
  inX('a namespace', from({ namespaceSelector: ns('y') })),
  inX('all namespaces', from({ namespaceSelector: {} })),
  inX('pods of a namespace', from({ namespaceSelector: ns('y'), podSelector: pod('b') })),
  inX('pods of all namespaces', from({ namespaceSelector: {}, podSelector: pod('b') })),
  inX('all pods of a namespace', from({ namespaceSelector: ns('z'), podSelector: {} })),
  inX('one or the other', from({ namespaceSelector: ns('y') }, { podSelector: pod('b') })),
  inX(
    'a namespace by its default label',
    from({ namespaceSelector: labels('kubernetes.io/metadata.name', 'z') }),
  ),
  inX('pods by In', from({ podSelector: where('pod', 'In', 'b', 'c') })),
  inX('pods by NotIn', from({ namespaceSelector: {}, podSelector: where('pod', 'NotIn', 'b') })),
  inX('namespaces by Exists', from({ namespaceSelector: where('ns', 'Exists') })),
  inX('namespaces by DoesNotExist', from({ namespaceSelector: where('ns', 'DoesNotExist') })),
  inX(
    'namespaces by NotIn of a label that none has',
    from({ namespaceSelector: where('team', 'NotIn', 'a') }),
  ),
  inX('a selector that nobody fits', from({ namespaceSelector: ns('nowhere') })),
  inX(
    'labels and expressions',
    from({
      namespaceSelector: { ...ns('y'), ...where('ns', 'Exists') },
      podSelector: where('pod', 'In', 'a'),
    }),
  ),
  inX('egress to pods of its own namespace', to({ podSelector: pod('b') })),
  inX('egress to a namespace', to({ namespaceSelector: ns('y') })),
  inX('egress to pods of a namespace', to({ namespaceSelector: ns('z'), podSelector: pod('c') })),
  inX('egress to one or the other', to({ namespaceSelector: ns('z') }, { podSelector: pod('c') })),
];

const BLOCKS: PolicyCase[] = [
  inX('everything by CIDR', from({ ipBlock: { cidr: '0.0.0.0/0' } })),
  inX(
    'everything but',
    from({ ipBlock: { cidr: '0.0.0.0/0', except: ['10.1.2.0/24', '192.0.2.0/24'] } }),
  ),
  inX('a CIDR of pods', from({ ipBlock: { cidr: '10.1.2.0/24' } })),
  inX('a CIDR of one pod', from({ ipBlock: { cidr: '10.1.2.2/32' } })),
  inX('an excepted pod', from({ ipBlock: { cidr: '10.1.0.0/16', except: ['10.1.2.2/32'] } })),
  {
    name: 'an address that overlaps CIDR and except is allowed by another policy',
    policies: [
      network('x', 'p', from({ ipBlock: { cidr: '10.1.0.0/16', except: ['10.1.2.0/24'] } })),
      network('x', 'q', from({ ipBlock: { cidr: '10.1.2.2/32' } })),
    ],
  },
  inX(
    'overlapping blocks of one rule',
    to(
      { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } },
      { ipBlock: { cidr: '10.1.3.0/24', except: ['10.1.3.2/31'] } },
    ),
  ),
  inX(
    'egress to the outside alone',
    to({ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } }),
  ),
  inX(
    'blocks of both families',
    from(
      { ipBlock: { cidr: '10.1.3.0/24' } },
      { ipBlock: { cidr: 'fd00:1:3::/48', except: ['fd00:1:3::2/127'] } },
    ),
  ),
  inX('an IPv6 block', to({ ipBlock: { cidr: '2001:db8::/32', except: ['2001:db8:1::/48'] } })),
  inX(
    'the node by its address',
    from({ ipBlock: { cidr: '10.0.0.50/32' } }, { ipBlock: { cidr: 'fd00::50/128' } }),
  ),
];

const PORT_CASES: PolicyCase[] = [
  inX('a port', ports({ port: 80 })),
  inX('a port over UDP', ports({ protocol: 'UDP', port: 81 })),
  inX('a port over SCTP', ports({ protocol: 'SCTP', port: 80 })),
  inX('a protocol', ports({ protocol: 'UDP' })),
  inX('two protocols', ports({ protocol: 'TCP' }, { protocol: 'SCTP', port: 81 })),
  inX('a range', ports({ port: 79, endPort: 80 })),
  inX('a range that holds both', ports({ protocol: 'UDP', port: 1, endPort: 65_535 })),
  inX('a port by name', ports({ port: 'serve-80-tcp' })),
  inX('a port by name over UDP', ports({ protocol: 'UDP', port: 'serve-81-udp' })),
  inX('a name that does not match its protocol', ports({ protocol: 'TCP', port: 'serve-81-udp' })),
  inX('a name that is not served', ports({ port: 'serve-82-tcp' })),
  inX('a number that is not served', ports({ port: 82 })),
  inX('a name that is another number elsewhere', ports({ port: 'web' })),
  inX('egress to a port', portsOut({ port: 80 })),
  inX('egress to a name', portsOut({ port: 'serve-81-tcp' })),
  inX('egress to a name that is another number elsewhere', portsOut({ port: 'web' })),
  inX('egress to a name of some', {
    policyTypes: EGRESS,
    egress: [{ to: [{ namespaceSelector: ns('z') }], ports: [{ port: 'web' }] }],
  }),
  inX('egress to a name within a block', {
    policyTypes: EGRESS,
    egress: [{ to: [{ ipBlock: { cidr: '10.1.2.0/24' } }], ports: [{ port: 'web' }] }],
  }),
  inX('egress to a name that is not served', portsOut({ port: 'nothing' })),
  inX('peers and ports', {
    policyTypes: INGRESS,
    ingress: [
      {
        from: [{ namespaceSelector: ns('y') }],
        ports: [{ port: 80 }, { protocol: 'UDP', port: 81 }],
      },
    ],
  }),
  inX('rules add up', {
    policyTypes: INGRESS,
    ingress: [
      { from: [{ namespaceSelector: ns('y') }], ports: [{ port: 80 }] },
      { from: [{ namespaceSelector: ns('z') }], ports: [{ port: 81 }] },
    ],
  }),
];

const SEVERAL: PolicyCase[] = [
  {
    name: 'deny all and allow all',
    policies: [
      network('x', 'deny', { policyTypes: BOTH }),
      network('x', 'allow', { policyTypes: BOTH, ingress: [{}], egress: [{}] }),
    ],
  },
  {
    name: 'deny all from the source, allow all to the destination',
    policies: [network('x', 'p', { policyTypes: EGRESS }), network('y', 'p', { ingress: [{}] })],
  },
  {
    name: 'allow all from the source, deny all to the destination',
    policies: [network('x', 'p', { policyTypes: EGRESS, egress: [{}] }), network('y', 'p', {})],
  },
  {
    name: 'stacked policies with overlapping selectors',
    policies: [
      network('x', 'one', {
        podSelector: pod('a'),
        ingress: [{ from: [{ namespaceSelector: ns('y') }], ports: [{ port: 80 }] }],
      }),
      network('x', 'two', {
        podSelector: where('pod', 'In', 'a', 'b'),
        ingress: [{ from: [{ podSelector: pod('c') }], ports: [{ port: 81 }] }],
      }),
    ],
  },
  {
    name: 'ingress and egress together',
    policies: [
      network('x', 'p', {
        podSelector: pod('a'),
        policyTypes: BOTH,
        ingress: [{ from: [{ namespaceSelector: ns('y') }] }],
        egress: [
          {
            to: [{ namespaceSelector: ns('z'), podSelector: pod('b') }],
            ports: [{ protocol: 'UDP' }],
          },
        ],
      }),
    ],
  },
  {
    name: 'all namespaces deny',
    policies: ['x', 'y', 'z'].map((name) => network(name, 'p', { policyTypes: BOTH })),
  },
];

const CLUSTER: PolicyCase[] = [
  {
    name: 'admin denies a namespace',
    policies: [
      cluster('Admin', 10, 'p', { ingress: [{ action: 'Deny', from: [{ namespaces: ns('y') }] }] }),
    ],
  },
  {
    name: 'admin accepts before a network policy denies',
    policies: [
      cluster('Admin', 10, 'p', {
        ingress: [{ action: 'Accept', from: [{ namespaces: ns('y') }] }],
      }),
      network('x', 'p', { policyTypes: BOTH }),
    ],
  },
  {
    name: 'admin passes to a network policy',
    policies: [
      cluster('Admin', 10, 'p', {
        ingress: [
          { action: 'Pass', from: [{ namespaces: ns('y') }] },
          { action: 'Deny', from: [ALL] },
        ],
      }),
      network('x', 'p', from({ namespaceSelector: ns('y'), podSelector: pod('a') })),
    ],
  },
  {
    name: 'the lower priority comes first',
    policies: [
      cluster('Admin', 20, 'a', { ingress: [{ action: 'Deny', from: [ALL] }] }),
      cluster('Admin', 10, 'b', {
        ingress: [{ action: 'Accept', from: [{ namespaces: ns('z') }] }],
      }),
    ],
  },
  {
    name: 'equal priorities go by name',
    policies: [
      cluster('Admin', 10, 'b', { egress: [{ action: 'Deny', to: [ALL] }] }),
      cluster('Admin', 10, 'a', { egress: [{ action: 'Accept', to: [{ namespaces: ns('z') }] }] }),
    ],
  },
  {
    name: 'rules go in their order',
    policies: [
      cluster('Admin', 0, 'p', {
        ingress: [
          { action: 'Accept', from: [pods(ns('y'), pod('a'))] },
          { action: 'Deny', from: [{ namespaces: ns('y') }] },
          { action: 'Accept', from: [ALL] },
        ],
      }),
    ],
  },
  {
    name: 'baseline denies what nobody speaks of',
    policies: [cluster('Baseline', 0, 'p', { ingress: [{ action: 'Deny', from: [ALL] }] })],
  },
  {
    name: 'baseline after a network policy',
    policies: [
      cluster('Baseline', 0, 'p', { ingress: [{ action: 'Deny', from: [ALL] }] }),
      network('x', 'p', from({ namespaceSelector: ns('z') })),
    ],
  },
  {
    name: 'admin passes to the baseline',
    policies: [
      cluster('Admin', 0, 'p', {
        ingress: [
          { action: 'Pass', from: [{ namespaces: ns('y') }] },
          { action: 'Accept', from: [ALL] },
        ],
      }),
      cluster('Baseline', 0, 'q', { ingress: [{ action: 'Deny', from: [ALL] }] }),
    ],
  },
  {
    name: 'baseline passes to the default',
    policies: [
      cluster('Baseline', 0, 'p', {
        ingress: [
          { action: 'Pass', from: [{ namespaces: ns('y') }] },
          { action: 'Deny', from: [ALL] },
        ],
      }),
      cluster('Baseline', 1, 'q', { ingress: [{ action: 'Deny', from: [ALL] }] }),
    ],
  },
  {
    name: 'a subject by pods',
    policies: [
      cluster('Admin', 0, 'p', {
        subject: pods(ns('x'), pod('a')),
        egress: [{ action: 'Deny', to: [ALL] }],
      }),
    ],
  },
  {
    name: 'a subject of namespaces by expression',
    policies: [
      cluster('Admin', 0, 'p', {
        subject: { namespaces: where('kubernetes.io/metadata.name', 'NotIn', 'x') },
        ingress: [{ action: 'Deny', from: [pods({}, pod('b'))] }],
      }),
    ],
  },
  {
    name: 'egress to networks',
    policies: [
      cluster('Admin', 0, 'p', {
        egress: [
          { action: 'Accept', to: [{ networks: ['192.0.2.0/24', '2001:db8::/48'] }] },
          { action: 'Accept', to: [{ networks: ['10.1.2.0/24'] }] },
          { action: 'Deny', to: [{ networks: ['0.0.0.0/0', '::/0'] }] },
        ],
      }),
    ],
  },
  {
    name: 'accepted egress does not open the other side',
    policies: [
      cluster('Admin', 0, 'p', { egress: [{ action: 'Accept', to: [ALL] }] }),
      network('y', 'p', {}),
    ],
  },
  {
    name: 'ports over each protocol',
    policies: [
      cluster('Admin', 0, 'p', {
        ingress: [
          {
            action: 'Deny',
            from: [ALL],
            protocols: [{ tcp: { destinationPort: { number: 80 } } }],
          },
          {
            action: 'Deny',
            from: [{ namespaces: ns('y') }],
            protocols: [{ udp: { destinationPort: { range: { start: 81, end: 90 } } } }],
          },
          { action: 'Deny', from: [{ namespaces: ns('z') }], protocols: [{ sctp: {} }] },
        ],
      }),
    ],
  },
  {
    name: 'a named port, whatever its protocol',
    policies: [
      cluster('Admin', 0, 'p', {
        ingress: [
          {
            action: 'Deny',
            from: [ALL],
            protocols: [{ destinationNamedPort: 'serve-81-udp' }, { destinationNamedPort: 'web' }],
          },
        ],
      }),
    ],
  },
  {
    name: 'egress to a named port',
    policies: [
      cluster('Admin', 0, 'p', {
        egress: [
          {
            action: 'Deny',
            to: [{ namespaces: ns('z') }],
            protocols: [{ destinationNamedPort: 'web' }],
          },
        ],
      }),
    ],
  },
  {
    name: 'accept with a peer that is not known is for nothing',
    policies: [
      cluster('Admin', 0, 'p', {
        egress: [
          { action: 'Accept', to: [{ namespaces: ns('y') }, { domainNames: ['example.org'] }] },
          { action: 'Deny', to: [{ namespaces: ns('y') }] },
        ],
      }),
    ],
  },
  {
    name: 'networks are not known on ingress',
    policies: [
      cluster('Admin', 0, 'p', {
        ingress: [
          { action: 'Accept', from: [{ networks: ['10.1.2.0/24'] }] },
          { action: 'Deny', from: [ALL] },
        ],
      }),
    ],
  },
  {
    name: 'pass with a peer that is not known denies everything',
    policies: [
      cluster('Admin', 0, 'p', {
        subject: { namespaces: ns('x') },
        ingress: [{ action: 'Pass', from: [{ moons: {} }], protocols: [{ tcp: {} }] }],
      }),
    ],
  },
  {
    name: 'all three tiers',
    policies: [
      cluster('Admin', 5, 'p', {
        ingress: [
          { action: 'Deny', from: [pods({}, pod('c'))], protocols: [{ tcp: {} }] },
          { action: 'Pass', from: [{ namespaces: ns('x') }] },
          {
            action: 'Accept',
            from: [{ namespaces: ns('z') }],
            protocols: [{ udp: { destinationPort: { number: 80 } } }],
          },
        ],
      }),
      network('x', 'p', {
        podSelector: pod('a'),
        ingress: [{ from: [{ podSelector: pod('b') }] }],
      }),
      cluster('Baseline', 0, 'q', {
        ingress: [
          { action: 'Accept', from: [{ namespaces: ns('x') }] },
          { action: 'Deny', from: [ALL] },
        ],
      }),
    ],
  },
];

export const POLICY_CASES: readonly PolicyCase[] = [
  ...[...ISOLATION, ...PEERS, ...BLOCKS, ...PORT_CASES, ...SEVERAL, ...CLUSTER],
];
