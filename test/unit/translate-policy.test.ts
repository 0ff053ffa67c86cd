// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { checkModel } from '../../lib/model/check.js';
import {
  readClusterNetworkPolicy,
  readNamespace,
  readNetworkPolicy,
  readPod,
} from '../../lib/sources/kubernetes/objects.js';
import { translatePolicy } from '../../lib/sources/kubernetes/translate-policy.js';

const NOTHING = { namespaces: [], pods: [], networkPolicies: [], clusterNetworkPolicies: [] };

function pods(...values: object[]) {
  const translated = translatePolicy({ ...NOTHING, pods: values.map(readPod) });
  assertModel(translated);
  return translated;
}

/** What is translated is a model. */
function assertModel({ namespaces, pods, policies }: ReturnType<typeof translatePolicy>): void {
  checkModel({ namespaces, pods, policies });
}

const pod = (name: string, over: { spec?: object; status?: object; metadata?: object } = {}) => ({
  metadata: { name, namespace: 'shop', ...over.metadata },
  spec: { containers: [], ...over.spec },
  status: { phase: 'Running', ...over.status },
});

test('a pod', (t) => {
  const { pods: rows, warnings } = pods(
    pod('cart', {
      metadata: { labels: { app: 'cart' } },
      spec: {
        nodeName: 'n1',
        containers: [
          { ports: [{ name: 'http', containerPort: 8080 }, { containerPort: 9 }] },
          { ports: [{ name: 'dns', containerPort: 53, protocol: 'UDP' }] },
        ],
        initContainers: [
          { ports: [{ name: 'once', containerPort: 1 }] },
          { restartPolicy: 'Always', ports: [{ name: 'mesh', containerPort: 2 }] },
        ],
      },
      status: { podIP: '10.1.0.5', podIPs: [{ ip: '10.1.0.5' }, { ip: 'FD00:1::5' }] },
    }),
  );
  t.deepEqual(rows, [
    {
      name: 'cart',
      namespace: 'shop',
      labels: { app: 'cart' },
      addresses: ['10.1.0.5', 'fd00:1::5'],
      ports: [
        { name: 'http', protocol: 'TCP', port: 8080 },
        { name: 'dns', protocol: 'UDP', port: 53 },
        { name: 'mesh', protocol: 'TCP', port: 2 },
      ],
      node: 'n1',
    },
  ]);
  t.deepEqual(warnings, []);
});

test('pods that have ended are nobody, those that wait have no address', (t) => {
  const { pods: rows } = pods(
    pod('done', { status: { phase: 'Succeeded', podIP: '10.1.0.1' } }),
    pod('failed', { status: { phase: 'Failed', podIP: '10.1.0.1' } }),
    pod('waits', { status: { phase: 'Pending', podIP: '' } }),
    pod('host', { spec: { hostNetwork: true }, status: { podIP: '10.0.0.1' } }),
    pod('other-host', { spec: { hostNetwork: true }, status: { podIP: '10.0.0.1' } }),
  );
  t.deepEqual(
    rows.map(({ name, addresses, hostNetwork }) => [name, addresses, hostNetwork]),
    [
      ['host', ['10.0.0.1'], true],
      ['other-host', ['10.0.0.1'], true],
      ['waits', [], undefined],
    ],
  );
});

test('an address that two pods have is not that of the one about to go', (t) => {
  const status = { podIP: '10.1.0.1' };
  const { pods: rows, warnings } = pods(
    pod('a', { status, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
    pod('b', { status }),
  );
  t.deepEqual(
    rows.map(({ addresses }) => addresses),
    [[], ['10.1.0.1']],
  );
  t.deepEqual(warnings, [
    {
      kind: 'Pod',
      namespace: 'shop',
      name: 'a',
      message: "its address 10.1.0.1 is another pod's",
    },
  ]);
});

test('a namespace has its default label, whatever it says', (t) => {
  const labels = { team: 'a', 'kubernetes.io/metadata.name': 'other' };
  const objects = [{ metadata: { name: 'shop', labels } }, { metadata: { name: 'a' } }];
  const { namespaces } = translatePolicy({ ...NOTHING, namespaces: objects.map(readNamespace) });
  t.deepEqual(namespaces, [
    { name: 'a', labels: { 'kubernetes.io/metadata.name': 'a' } },
    { name: 'shop', labels: { team: 'a', 'kubernetes.io/metadata.name': 'shop' } },
  ]);
});

function networkPolicy(spec: object) {
  const object = { metadata: { name: 'p', namespace: 'shop' }, spec };
  const translated = translatePolicy({ ...NOTHING, networkPolicies: [readNetworkPolicy(object)] });
  assertModel(translated);
  return { policy: translated.policies[0]!, warnings: translated.warnings };
}

const TYPES: [name: string, spec: object, directions: string[]][] = [
  ['no section', {}, ['ingress']],
  ['an ingress section', { ingress: [{}] }, ['ingress']],
  ['an egress section', { egress: [{}] }, ['ingress', 'egress']],
  ['an empty egress section', { egress: [] }, ['ingress']],
  ['types that say so', { policyTypes: ['Egress'], ingress: [{}] }, ['egress']],
  ['no types', { policyTypes: null, egress: null }, ['ingress']],
];

for (const [name, spec, directions] of TYPES) {
  test(`isolates by direction: ${name}`, (t) => {
    const { policy } = networkPolicy(spec);
    t.deepEqual(
      ['ingress', 'egress'].filter((key) => key in policy),
      directions,
    );
  });
}

test('a NetworkPolicy', (t) => {
  const { policy, warnings } = networkPolicy({
    podSelector: { matchLabels: { app: 'cart' } },
    ingress: [
      {
        from: [
          { podSelector: {} },
          { namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'Exists' }] } },
          { ipBlock: { cidr: '192.0.2.1/24', except: ['192.0.2.128/25'] } },
        ],
        ports: [{ port: 'http' }, { protocol: 'UDP', port: 1000, endPort: 2000 }, {}],
      },
      {},
    ],
  });
  t.deepEqual(policy, {
    name: 'p',
    namespace: 'shop',
    tier: 'network',
    subject: { pods: { matchLabels: { app: 'cart' } } },
    ingress: [
      {
        action: 'accept',
        peers: [
          { pods: {} },
          { namespaces: { matchExpressions: [{ key: 'team', operator: 'Exists' }] } },
          { network: '192.0.2.0/24', except: ['192.0.2.128/25'] },
        ],
        ports: [
          { protocol: 'TCP', port: 'http' },
          { protocol: 'UDP', port: 1000, endPort: 2000 },
          { protocol: 'TCP' },
        ],
      },
      { action: 'accept' },
    ],
  });
  t.deepEqual(warnings, []);
});

test('a peer that is not known is nobody, and not everybody', (t) => {
  const { policy, warnings } = networkPolicy({ ingress: [{ from: [{ moonSelector: {} }] }] });
  t.deepEqual(policy.ingress, [{ action: 'accept', peers: [] }]);
  t.is(warnings[0]?.message, 'ingress[0] has a peer that is not known: it is nobody');
});

function clusterPolicy(rules: object) {
  const spec = { tier: 'Admin', priority: 7, subject: { namespaces: {} }, ...rules };
  const object = readClusterNetworkPolicy({ metadata: { name: 'p' }, spec });
  const translated = translatePolicy({ ...NOTHING, clusterNetworkPolicies: [object] });
  assertModel(translated);
  return { policy: translated.policies[0]!, warnings: translated.warnings };
}

test('a ClusterNetworkPolicy', (t) => {
  const app = { matchLabels: { app: 'cart' } };
  const { policy, warnings } = clusterPolicy({
    subject: { pods: { namespaceSelector: {}, podSelector: app } },
    ingress: [
      { name: 'first', action: 'Deny', from: [{ namespaces: {} }, { pods: { podSelector: app } }] },
    ],
    egress: [
      {
        action: 'Accept',
        to: [{ networks: ['192.0.2.0/24', '2001:db8::/32'] }],
        protocols: [
          { tcp: { destinationPort: { number: 80 } } },
          { udp: { destinationPort: { range: { start: 1, end: 9 } } } },
          { sctp: {} },
        ],
      },
      { action: 'Pass', to: [{ namespaces: {} }], protocols: [{ destinationNamedPort: 'web' }] },
    ],
  });
  t.deepEqual(policy, {
    name: 'p',
    tier: 'admin',
    priority: 7,
    subject: { namespaces: {}, pods: app },
    ingress: [
      { name: 'first', action: 'deny', peers: [{ namespaces: {} }, { namespaces: {}, pods: app }] },
    ],
    egress: [
      {
        action: 'accept',
        peers: [{ network: '192.0.2.0/24' }, { network: '2001:db8::/32' }],
        ports: [
          { protocol: 'TCP', port: 80 },
          { protocol: 'UDP', port: 1, endPort: 9 },
          { protocol: 'SCTP' },
        ],
      },
      {
        action: 'pass',
        peers: [{ namespaces: {} }],
        ports: ['TCP', 'UDP', 'SCTP'].map((protocol) => ({ protocol, port: 'web' })),
      },
    ],
  });
  t.deepEqual(warnings, []);
});

const namespaces = { namespaces: {} };
const UNKNOWN: [name: string, rule: object, made: object][] = [
  [
    'accept a domain',
    { action: 'Accept', to: [{ domainNames: ['a.b'] }] },
    { action: 'accept', peers: [] },
  ],
  [
    'accept a node',
    { action: 'Accept', to: [namespaces, { nodes: {} }] },
    { action: 'accept', peers: [] },
  ],
  ['deny a node', { action: 'Deny', to: [{ nodes: {} }] }, { action: 'deny' }],
  [
    'pass what is not known',
    { action: 'Pass', to: [{}], protocols: [{ tcp: {} }] },
    { action: 'deny' },
  ],
  [
    'accept a protocol',
    { action: 'Accept', to: [namespaces], protocols: [{ icmp: {} }] },
    { action: 'accept', peers: [] },
  ],
  [
    'deny a port',
    { action: 'Deny', to: [namespaces], protocols: [{ tcp: { destinationPort: { set: 1 } } }] },
    { action: 'deny' },
  ],
];

for (const [name, rule, made] of UNKNOWN) {
  test(`fails closed: ${name}`, (t) => {
    const { policy, warnings } = clusterPolicy({ egress: [rule] });
    t.deepEqual(policy.egress, [made] as never);
    t.is(warnings.length, 1);
    t.regex(warnings[0]!.message, /^egress\[0\] has a (peer|protocol) that is not known: the rule/);
  });
}

test('networks are no peers of ingress', (t) => {
  const { policy } = clusterPolicy({
    ingress: [{ action: 'Accept', from: [{ networks: ['192.0.2.0/24'] }] }],
  });
  t.deepEqual(policy.ingress, [{ action: 'accept', peers: [] }]);
});
