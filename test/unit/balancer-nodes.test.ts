// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { checkModel } from '../../lib/model/check.js';
import { checkBalancer } from '../../lib/model/check-balancer.js';
import type { Backend, BalancerSpec, Service } from '../../lib/model/model.js';
import { balance } from '../../lib/sources/kubernetes/balancer.js';
import { tunnelNames } from '../../lib/sources/kubernetes/balancer-nodes.js';
import { readNode } from '../../lib/sources/kubernetes/objects.js';
import { warningText } from '../../lib/sources/kubernetes/translate.js';
import { type Row, table } from '../support/broken.js';

const SPEC: BalancerSpec = { tunnel: 'gre', local: '10.0.0.1' };

const node = (name: string, addresses: readonly string[], over: object = {}) =>
  readNode({
    metadata: { name },
    status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
    ...over,
  });
const meta = (more: object) => ({ metadata: { name: 'b', ...more } });

const service = (policy: 'Cluster' | 'Local', backends: readonly Backend[] = []): Service => ({
  name: 'web',
  namespace: 'default',
  addresses: ['10.96.0.10'],
  externalIPs: ['203.0.113.10'],
  externalTrafficPolicy: policy,
  ports: [{ protocol: 'TCP', port: 80, nodePort: 30_080, backends }],
});
const at = (number: number, host: string, over: Partial<Backend> = {}): Backend => ({
  address: `10.244.0.${number}`,
  port: 8_080,
  node: host,
  ready: true,
  serving: true,
  terminating: false,
  ...over,
});

/** `NODE-ADDRESS STATE` of each backend of the first port. */
function shown({ services }: ReturnType<typeof balance>): string[] {
  return (services[0]?.ports[0]?.backends ?? []).map(({ address, ready, serving, terminating }) => {
    if (ready === true) return `${address} ready`;
    return `${address} ${terminating === true ? 'last' : serving === true ? 'keeps' : 'nothing'}`;
  });
}

const A = node('a', ['10.0.0.11']);
const CHOICES: [name: string, second: ReturnType<typeof node>, expected: string[]][] = [
  ['two nodes', node('b', ['10.0.0.12']), ['10.0.0.11 ready', '10.0.0.12 ready']],
  [
    'one that says it is ready',
    node('b', ['10.0.0.12'], {
      status: {
        addresses: [{ type: 'InternalIP', address: '10.0.0.12' }],
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    }),
    ['10.0.0.11 ready', '10.0.0.12 ready'],
  ],
  ...['False', 'Unknown'].map((status): [string, ReturnType<typeof node>, string[]] => [
    `one whose condition Ready is ${status} is left out`,
    node('b', [], {
      status: {
        addresses: [{ type: 'InternalIP', address: '10.0.0.12' }],
        conditions: [
          { type: 'MemoryPressure', status: 'False' },
          { type: 'Ready', status },
        ],
      },
    }),
    ['10.0.0.11 ready'],
  ]),
  [
    'one that is excluded is left out, whatever the label says',
    node(
      'b',
      ['10.0.0.12'],
      meta({ labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': 'false' } }),
    ),
    ['10.0.0.11 ready'],
  ],
  [
    'one that is cordoned keeps what it has',
    node('b', ['10.0.0.12'], { spec: { unschedulable: true } }),
    ['10.0.0.11 ready', '10.0.0.12 last'],
  ],
  [
    'one that the autoscaler is to delete keeps what it has',
    node('b', ['10.0.0.12'], { spec: { taints: [{ key: 'ToBeDeletedByClusterAutoscaler' }] } }),
    ['10.0.0.11 ready', '10.0.0.12 last'],
  ],
  [
    'another taint is nothing',
    node('b', ['10.0.0.12'], { spec: { taints: [{ key: 'dedicated' }] } }),
    ['10.0.0.11 ready', '10.0.0.12 ready'],
  ],
  [
    'one that is being deleted keeps what it has',
    node('b', ['10.0.0.12'], meta({ deletionTimestamp: '2026-01-01T00:00:00Z' })),
    ['10.0.0.11 ready', '10.0.0.12 last'],
  ],
  [
    'one with the annotation keeps what it has',
    node('b', ['10.0.0.12'], meta({ annotations: { 'sluice/drain': 'true' } })),
    ['10.0.0.11 ready', '10.0.0.12 last'],
  ],
  [
    'the annotation may say no',
    node('b', ['10.0.0.12'], meta({ annotations: { 'sluice/drain': 'false' } })),
    ['10.0.0.11 ready', '10.0.0.12 ready'],
  ],
  ['one of the other family is left out', node('b', ['fd00::12']), ['10.0.0.11 ready']],
  ['one with the address of another is left out', node('b', ['10.0.0.11']), ['10.0.0.11 ready']],
  ['the balancer itself is left out', node('b', ['10.0.0.1']), ['10.0.0.11 ready']],
];

for (const [name, second, expected] of CHOICES) {
  test(`nodes of a balancer: ${name}`, (t) => {
    const balancing = balance([service('Cluster')], [second, A], checkBalancer(SPEC, 'balancer'));
    t.deepEqual(shown(balancing), expected);
    t.deepEqual(
      balancing.tunnels.map(({ name: tunnel, remote }) => `${tunnel} ${remote}`),
      expected.map((row, index) => `to-${'ab'[index]} ${row.split(' ')[0]}`),
    );
  });
}

const LOCALS: [name: string, backends: Backend[], expected: string[]][] = [
  ['no endpoint, no node', [], []],
  ['one endpoint, one node', [at(1, 'b')], ['10.0.0.12 ready']],
  ['nobody else counts', [at(1, 'c'), { address: '10.244.0.9', port: 1 }], []],
  [
    'a ready one beside one that is not',
    [at(1, 'a', { ready: false, serving: false }), at(2, 'a')],
    ['10.0.0.11 ready'],
  ],
  [
    'one that is terminating, still serving, is the last resort',
    [at(1, 'a', { ready: false, terminating: true }), at(2, 'b')],
    ['10.0.0.11 last', '10.0.0.12 ready'],
  ],
  [
    'one that serves and is not ready keeps connections',
    [at(1, 'a', { ready: false })],
    ['10.0.0.11 keeps'],
  ],
  [
    'one that does not serve',
    [at(1, 'a', { ready: false, serving: false, terminating: true })],
    [],
  ],
  ['IPv6 endpoints are not for IPv4', [{ ...at(1, 'a'), address: 'fd00:244::1' }], []],
];

for (const [name, backends, expected] of LOCALS) {
  test(`nodes with policy Local: ${name}`, (t) => {
    const nodes = [A, node('b', ['10.0.0.12'])];
    const balancing = balance([service('Local', backends)], nodes, checkBalancer(SPEC, 'balancer'));
    t.deepEqual(shown(balancing), expected);
    t.notThrows(() => checkModel({ services: balancing.services }));
  });
}

test('a node that drains is the last resort with policy Local, too', (t) => {
  const cordoned = node('a', ['10.0.0.11'], { spec: { unschedulable: true } });
  const nodes = [cordoned, node('b', ['10.0.0.12'])];
  const services = [service('Local', [at(1, 'a'), at(2, 'b')])];
  t.deepEqual(shown(balance(services, nodes, checkBalancer(SPEC, 'balancer'))), [
    '10.0.0.11 last',
    '10.0.0.12 ready',
  ]);
});

test('services of nodes: external addresses alone, and each backend by its tunnel', (t) => {
  const dual: Service = {
    ...service('Cluster'),
    externalIPs: ['203.0.113.10', '2001:db8::10'],
    loadBalancer: { addresses: ['203.0.113.11'], sourceRanges: ['198.51.100.0/24'] },
    affinity: { timeoutSeconds: 60 },
  };
  const inside: Service = { ...service('Cluster'), name: 'inside', externalIPs: [] };
  const nodes = [
    node('a', ['10.0.0.11', 'fd00::11', '10.9.0.11'], meta({ name: 'a', labels: { role: 'lb' } })),
    node('b', ['10.0.0.12']),
  ];
  const spec: BalancerSpec = {
    ...{ tunnel: 'vxlan', local: ['fd00::1', '10.0.0.1'], vni: 7, mtu: 8_000 },
    nodeMac: '02:00:00:00:00:0A',
    nodes: { role: 'lb' },
  };
  const balancing = balance([dual, inside], nodes, checkBalancer(spec, 'balancer'));
  const through = { dev: 'to-a', mac: '02:00:00:00:00:0a' };
  const more = { ready: true, node: 'a', through };
  const { addresses: _, ports: __, externalTrafficPolicy: ___, ...kept } = dual;
  t.deepEqual(balancing, {
    services: [
      {
        ...kept,
        addresses: [],
        ports: [
          {
            protocol: 'TCP',
            port: 80,
            backends: [
              { address: '10.0.0.11', ...more },
              { address: 'fd00::11', ...more },
            ],
          },
        ],
      },
    ],
    tunnels: [
      { kind: 'vxlan', vni: 7, mtu: 8_000, name: 'to-a', local: 'fd00::1', remote: 'fd00::11' },
    ],
    warnings: [],
  });
  t.notThrows(() => checkModel({ services: balancing.services }));
});

test('what cannot be reached is told of', (t) => {
  const nodes = [node('b', []), node('c', ['10.0.0.1']), A, node('d', ['10.0.0.11'])];
  const { warnings } = balance([], nodes, checkBalancer(SPEC, 'balancer'));
  t.deepEqual(warnings.map(warningText), [
    'Node b: it has no InternalIP of IPv4, so nothing is sent to it',
    "Node c: its InternalIP 10.0.0.1 is the balancer's own, so nothing is sent to it",
    'Node d: its InternalIP 10.0.0.11 is that of a: nothing is sent to it',
  ]);
});

test('names of tunnels: short, legal, none twice, whatever the order of the nodes', (t) => {
  const many = Array.from({ length: 1_000 }, (_, i) => `worker-${i}.zone-a.example.internal`);
  const nodes = ['a', 'twelve-chars', 'thirteen-char', ...many];
  const names = tunnelNames(nodes);
  t.is(names.get('a'), 'to-a');
  t.is(names.get('twelve-chars'), 'to-twelve-chars');
  t.regex(names.get('thirteen-char')!, /^to-thirt_[0-9a-f]{6}$/);
  t.is(new Set(names.values()).size, nodes.length);
  for (const name of names.values()) t.regex(name, /^[A-Za-z0-9._-]{1,15}$/);
  const few = tunnelNames(['thirteen-char', 'a']);
  t.is(few.get('thirteen-char'), names.get('thirteen-char'));
});

const BROKEN: Row[] = [
  [7, 'balancer', 'expected an object with tunnel, local'],
  [{ ...SPEC, peer: 1 }, 'balancer.peer', 'port'],
  [{ ...SPEC, tunnel: 'geneve' }, 'balancer.tunnel', 'gre'],
  [{ tunnel: 'gre' }, 'balancer.local', 'our own address, such as 192.0.2.1'],
  [{ ...SPEC, local: [] }, 'balancer.local', 'or one of each family'],
  [{ ...SPEC, local: '10.0.0' }, 'balancer.local', 'an IP address such as'],
  [{ ...SPEC, local: 'fe80::1' }, 'balancer.local', 'unicast'],
  [{ ...SPEC, local: ['10.0.0.1', '127.0.0.1'] }, 'balancer.local[1]', 'unicast'],
  [{ ...SPEC, local: ['10.0.0.1', '10.0.0.2'] }, 'balancer.local[1]', 'a second one of IPv4'],
  [{ ...SPEC, nodes: { role: 1 } }, 'balancer.nodes["role"]', 'quote numbers'],
  [{ ...SPEC, nodeMac: '02:00:00:00:00:01' }, 'balancer.nodeMac', 'behind a gre tunnel'],
  [{ ...SPEC, tunnel: 'vxlan', vni: 7 }, 'balancer.nodeMac', 'needs nodeMac'],
  [
    { ...SPEC, tunnel: 'vxlan', vni: 7, nodeMac: '01:00:00:00:00:01' },
    'balancer.nodeMac',
    'unicast',
  ],
];
table('a balancer', 'ERR_MODEL', BROKEN, (value) => checkBalancer(value, 'balancer'));

const NO_TUNNELS: Row[] = [
  [{ ...SPEC, key: 'some' }, 'balancer.key', 'flow'],
  [{ ...SPEC, vni: 7 }, 'balancer.vni', 'vni'],
  [{ ...SPEC, tunnel: 'vxlan', nodeMac: '02:00:00:00:00:01' }, 'balancer.vni', 'needs vni'],
  [{ ...SPEC, ttl: 0 }, 'balancer.ttl', 'from 1 to 255'],
  [{ ...SPEC, mtu: 100 }, 'balancer.mtu', 'from 576'],
];
table('tunnels of a balancer', 'ERR_INTERFACE_SPEC', NO_TUNNELS, (value) =>
  checkBalancer(value, 'balancer'),
);
