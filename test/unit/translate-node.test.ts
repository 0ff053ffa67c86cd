// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { NodeSpec } from '../../lib/model/model.js';
import { completeNode } from '../../lib/sources/kubernetes/node.js';
import { readNode } from '../../lib/sources/kubernetes/objects.js';

const NODE = readNode({
  metadata: { name: 'worker-1', labels: { 'topology.kubernetes.io/zone': 'zone-a' } },
  spec: { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24', 'fd00:1::/64'] },
  status: {
    addresses: [
      { type: 'Hostname', address: 'worker-1' },
      { type: 'InternalIP', address: '192.168.0.2' },
      { type: 'InternalIP', address: 'fd00::2' },
      { type: 'ExternalIP', address: '192.0.2.2' },
      { type: 'ExternalIP', address: '192.168.0.2' },
      { type: 'InternalIP', address: '127.0.0.1' },
    ],
  },
});

const CASES: [name: string, given: NodeSpec, expected: NodeSpec][] = [
  [
    'fills in zone, addresses and pod networks',
    { name: 'worker-1', masqueradeAll: true },
    {
      name: 'worker-1',
      masqueradeAll: true,
      zone: 'zone-a',
      addresses: ['192.168.0.2', 'fd00::2', '192.0.2.2'],
      podNetworks: ['10.1.0.0/24', 'fd00:1::/64'],
    },
  ],
  [
    'what is given stays, be it empty',
    { name: 'worker-1', zone: 'z', addresses: [], podNetworks: ['10.2.0.0/16'] },
    { name: 'worker-1', zone: 'z', addresses: [], podNetworks: ['10.2.0.0/16'] },
  ],
  ['another node is nothing to us', { name: 'worker-2' }, { name: 'worker-2' }],
  ['without a name there is no node', { zone: 'z' }, { zone: 'z' }],
];

for (const [name, given, expected] of CASES) {
  test(`the Node object: ${name}`, (t) => t.deepEqual(completeNode(given, [NODE]), expected));
}

test('internal addresses go before external ones, whatever comes first', (t) => {
  const addresses = [
    { type: 'ExternalIP', address: '192.0.2.2' },
    { type: 'InternalIP', address: 'fd00::2' },
    { type: 'InternalIP', address: '192.168.0.2' },
  ];
  const node = readNode({ metadata: { name: 'a' }, status: { addresses } });
  t.deepEqual(completeNode({ name: 'a' }, [node]).addresses, [
    'fd00::2',
    '192.168.0.2',
    '192.0.2.2',
  ]);
});

test('a node that says little', (t) => {
  const bare = readNode({ metadata: { name: 'a' }, spec: { podCIDR: '10.1.0.0/24' } });
  t.deepEqual(completeNode({ name: 'a' }, [bare]), {
    name: 'a',
    addresses: [],
    podNetworks: ['10.1.0.0/24'],
  });
});
