// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Network, SluiceError } from '../../lib/testing/index.js';
import { folderOf } from '../support/cli.js';
import { node, pod, service, slice, workload } from '../support/network.js';

const places = (net: Network) =>
  net.pods.map(({ namespace, name, node, addresses }) => [
    `${namespace}/${name}`,
    node,
    ...addresses,
  ]);

test('one node where there is none; pods by the name of their workload', (t) => {
  const net = Network.from([
    workload('shop/web', { replicas: 2 }),
    workload('data/db', { kind: 'StatefulSet', replicas: 2 }),
  ]);
  t.deepEqual(net.nodes, [
    { name: 'node-1', addresses: ['172.18.0.2'], podNetworks: ['10.128.0.0/20'] },
  ]);
  t.deepEqual(places(net), [
    ['data/db-0', 'node-1', '10.128.0.2'],
    ['data/db-1', 'node-1', '10.128.0.3'],
    ['shop/web-1', 'node-1', '10.128.0.4'],
    ['shop/web-2', 'node-1', '10.128.0.5'],
  ]);
  t.deepEqual(
    net.pods.map(({ workload }) => workload),
    ['db', 'db', 'web', 'web'],
  );
});

test('what is derived does not depend on the order of the objects', (t) => {
  const objects = [
    workload('b/x', { replicas: 3 }),
    service('b/x', [{ port: 80 }]),
    workload('a/y', { replicas: 2 }),
    service('a/y', [{ port: 80 }], { type: 'NodePort' }),
    pod('c/z'),
    pod('a/z'),
  ];
  const facts = (net: Network) => [net.nodes, net.pods, net.services];
  const one = Network.from(objects, { nodes: 2 });
  const other = Network.from(objects.toReversed(), { nodes: 2 });
  t.deepEqual(facts(other), facts(one));
});

test('pods are spread over nodes; selectors, names and DaemonSets are kept to', (t) => {
  const net = Network.from([
    node('n1', { labels: { disk: 'ssd' } }),
    node('n2'),
    node('n3', { labels: { disk: 'ssd' } }),
    workload('a/agent', { kind: 'DaemonSet' }),
    workload('a/fast', { replicas: 2, pod: { nodeSelector: { disk: 'ssd' } } }),
    workload('a/here', { replicas: 2, pod: { nodeName: 'n2' } }),
    workload('a/web', { replicas: 3 }),
  ]);
  t.deepEqual(
    net.pods.map(({ name, node }) => [name, node]),
    [
      ['agent-n1', 'n1'],
      ['agent-n2', 'n2'],
      ['agent-n3', 'n3'],
      ['fast-1', 'n1'],
      ['fast-2', 'n3'],
      ['here-1', 'n2'],
      ['here-2', 'n2'],
      ['web-1', 'n3'],
      ['web-2', 'n1'],
      ['web-3', 'n2'],
    ],
  );
});

test('what is given is not derived', (t) => {
  const net = Network.from([
    node('n1', {
      spec: { podCIDR: '10.1.1.0/24', podCIDRs: ['10.1.1.0/24'] },
      status: { addresses: [{ type: 'InternalIP', address: '192.168.7.1' }] },
    }),
    workload('shop/web', { replicas: 5 }),
    pod(
      'shop/web-abc',
      { nodeName: 'n2' },
      { podIP: '10.9.9.9', hostIP: '192.168.7.2' },
      { app: 'web' },
    ),
    pod('shop/new', {}, {}, {}),
    service('shop/web', [{ port: 80 }], { clusterIP: '10.96.7.7' }),
  ]);
  t.deepEqual(net.nodes, [
    { name: 'n1', addresses: ['192.168.7.1'], podNetworks: ['10.1.1.0/24'] },
    { name: 'n2', addresses: ['192.168.7.2'], podNetworks: ['10.128.0.0/20'] },
  ]);
  t.deepEqual(places(net), [
    ['shop/new', 'n1', '10.1.1.2'],
    ['shop/web-abc', 'n2', '10.9.9.9'],
  ]);
  t.deepEqual(net.services[0]!.addresses, ['10.96.7.7']);
  t.deepEqual(
    net.pods.map(({ workload }) => workload),
    [null, 'web'],
  );
});

test('pods that are over are none; ReplicaSets of a Deployment say nothing new', (t) => {
  const replicaSet = {
    ...workload('a/web', { replicas: 2 }),
    kind: 'ReplicaSet',
    metadata: { namespace: 'a', name: 'web-1', ownerReferences: [{ kind: 'Deployment' }] },
  };
  const net = Network.from([
    workload('a/web', { replicas: 2 }),
    replicaSet,
    pod('a/job', {}, { phase: 'Succeeded' }),
  ]);
  t.deepEqual(
    net.pods.map(({ name }) => name),
    ['web-1', 'web-2'],
  );
});

test('cluster IPs, node ports and addresses of load balancers', (t) => {
  const net = Network.from([
    service('a/one', [{ port: 80 }]),
    service('a/two', [{ port: 80 }], { type: 'NodePort' }),
    service(
      'b/one',
      [
        { name: 'x', port: 80, nodePort: 30_000 },
        { name: 'y', port: 81 },
      ],
      {
        type: 'LoadBalancer',
      },
    ),
    service('b/none', [{ port: 80 }], { clusterIP: 'None' }),
  ]);
  t.deepEqual(
    net.services.map(({ namespace, name, addresses, loadBalancer, ports }) => [
      `${namespace}/${name}`,
      addresses[0],
      loadBalancer[0],
      ...ports.map(({ nodePort }) => nodePort),
    ]),
    [
      ['a/one', '10.96.0.1', undefined, 0],
      ['a/two', '10.96.0.2', undefined, 30_001],
      ['b/none', undefined, undefined, 0],
      ['b/one', '10.96.0.3', '192.0.2.1', 30_000, 30_002],
    ],
  );
});

test('dual stack where a service asks for it', async (t) => {
  const net = Network.from([
    workload('a/web'),
    service('a/web', [{ port: 80, targetPort: 8080 }], { ipFamilyPolicy: 'RequireDualStack' }),
    workload('a/client'),
  ]);
  t.deepEqual(net.services[0]!.addresses, ['10.96.0.1', 'fd00:10:96::1']);
  t.deepEqual(places(net)[0], ['a/client-1', 'node-1', '10.128.0.2', 'fd00:10:128::2']);
  const { verdict, backends } = await net.probe({ from: 'a/client', to: '[fd00:10:96::1]:80' });
  t.is(verdict, 'allowed');
  t.like(backends[0], { pod: 'a/web-1', address: 'fd00:10:128::3', port: 8080 });
});

test('target ports by number and by name, which may be another number in each pod', async (t) => {
  const net = Network.from([
    workload('a/web', { ports: [{ name: 'http', containerPort: 8080 }] }),
    pod(
      'a/other',
      { containers: [{ ports: [{ name: 'http', containerPort: 9090 }] }] },
      {},
      { app: 'web' },
    ),
    workload('a/client'),
    service('a/web', [{ port: 80, targetPort: 'http' }]),
  ]);
  // The given pod is one of the Deployment's, so no others are derived.
  t.deepEqual(
    net.pods.map(({ name }) => name),
    ['other', 'client-1'],
  );
  const { backends } = await net.probe({ from: 'a/client', to: 'web:80' });
  t.deepEqual(
    backends.map(({ port }) => port),
    [9090],
  );
});

test('endpoints of given slices are pods where they say so, or their service selects some', async (t) => {
  const endpoint = (address: string, more = {}) => ({ addresses: [address], ...more });
  const net = Network.from([
    service('a/web', [{ port: 80 }]),
    slice('a/web-1', 'web', {
      ports: [{ port: 8080 }],
      endpoints: [
        endpoint('10.1.1.2', { nodeName: 'n1', targetRef: { kind: 'Pod', name: 'web-x' } }),
        endpoint('10.1.1.3', { nodeName: 'n2' }),
      ],
    }),
    service('a/outside', [{ port: 80 }], { selector: undefined }),
    slice('a/outside-1', 'outside', {
      ports: [{ port: 80 }],
      endpoints: [endpoint('203.0.113.5')],
    }),
  ]);
  t.deepEqual(places(net), [
    ['a/web-x', 'n1', '10.1.1.2'],
    ['a/web-endpoint-2', 'n2', '10.1.1.3'],
  ]);
  const { backends } = await net.probe({ from: 'a/web-x', to: 'outside:80' });
  t.like(backends[0], { pod: null, node: null, address: '203.0.113.5', verdict: 'allowed' });
});

test('what nothing depends on is passed over and told', (t) => {
  const net = Network.from([
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'y' } },
    { apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata: { name: 'z' } },
    { apiVersion: 'apps/v1', kind: 'DeploymentList', items: [workload('a/web')] },
  ]);
  t.deepEqual(net.skipped, { ConfigMap: 2, 'Service (serving.knative.dev/v1)': 1 });
  t.is(net.pods.length, 1);
});

test('a selector that finds nobody and a port that no pod has are told', (t) => {
  const net = Network.from([
    workload('a/web'),
    service('a/web', [{ port: 80, targetPort: 'http' }]),
    service('a/nobody', [{ port: 80 }]),
  ]);
  t.deepEqual(net.warnings, [
    'Service a/nobody: no pod has the labels of its selector',
    'Service a/web: none of its pods has the port http/TCP',
  ]);
});

test('what the proxies will not do is told as well', (t) => {
  const unknown = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' };
  const net = Network.from([
    service('a/one', [{ port: 80 }], { clusterIP: '10.96.0.9', selector: undefined }),
    service('a/two', [{ port: 80 }], { clusterIP: '10.96.0.9', selector: undefined }),
    slice('a/lost', 'nobody', { ports: [], endpoints: [] }),
    {
      ...unknown,
      metadata: { name: 'p', namespace: 'a' },
      spec: { podSelector: {}, ingress: [{ from: [{ galaxies: {} }] }] },
    },
  ]);
  t.deepEqual(net.warnings, [
    'EndpointSlice a/lost: there is no Service a/nobody',
    "Service a/two: its cluster IP 10.96.0.9 is not served: 10.96.0.9:80/TCP is a/one's",
    'NetworkPolicy a/p: ingress[0] has a peer that is not known: it is nobody',
  ]);
});

const MISTAKES: readonly (readonly [what: string, objects: object[], error: RegExp])[] = [
  [
    'a selector beside its template',
    [
      {
        ...workload('a/web'),
        spec: { selector: { matchLabels: { app: 'x' } }, template: { spec: {} } },
      },
    ],
    /^objects\[0\]#1: spec\.selector: Deployment a\/web: its selector does not select the pods of its template$/,
  ],
  [
    'a wrong number',
    [workload('a/web', { replicas: -1 })],
    /^objects\[0\]#1: spec\.replicas: Deployment a\/web: expected a number from 0 to 100000, found -1$/,
  ],
  [
    'a wrong field of a kind that the proxy reads',
    [service('a/web', [{ port: 0 }])],
    /^objects\[0\]#1: spec\.ports\[0\]\.port: expected a port number from 1 to 65535, found 0$/,
  ],
  [
    'a target port that is none',
    [service('a/web', [{ port: 80, targetPort: 0 }])],
    /^objects\[0\]#1: spec\.ports\[0\]\.targetPort: Service a\/web: expected a port number from 1 to 65535, found 0$/,
  ],
  [
    'no node for a pod',
    [node('n1'), workload('a/web', { pod: { nodeSelector: { disk: 'ssd' } } })],
    /^objects\[1\]#1: spec\.template\.spec\.nodeSelector: Deployment a\/web: no node has these labels$/,
  ],
  [
    'an object twice',
    [workload('a/web'), workload('a/web')],
    /^objects\[1\]#1: metadata\.name: Deployment a\/web: it is given already at objects\[0\]#1/,
  ],
  [
    'an address that is none',
    [pod('a/x', {}, { podIP: '10.0.0' })],
    /^objects\[0\]#1: status\.podIP: expected an IP address, or nothing, found "10\.0\.0"/,
  ],
];

for (const [what, objects, error] of MISTAKES) {
  test(`refused: ${what}`, (t) => {
    const thrown = t.throws(() => Network.from(objects), { instanceOf: SluiceError });
    t.is(thrown.code, 'ERR_MANIFEST');
    t.regex(thrown.message, error);
  });
}

test('load reads files, folders and texts', async (t) => {
  const folder = await folderOf(t);
  await writeFile(join(folder, 'a.json'), JSON.stringify(workload('a/web')));
  await writeFile(join(folder, 'b.yaml'), 'apiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n');
  const text = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: []}\n';
  const net = await Network.load([folder, text]);
  t.deepEqual(
    net.pods.map(({ namespace, name }) => `${namespace}/${name}`),
    ['default/p', 'a/web-1'],
  );
  await t.throwsAsync(Network.load(join(folder, 'none.yaml')), {
    message: /there is no such file/,
  });
  await t.throwsAsync(Network.load('kind: Pod\nmetadata: {name: p}\n'), {
    message: /^text 1#1: apiVersion: /,
  });
});

test('the examples of services alone load as they are', async (t) => {
  const net = await Network.load('examples/shop');
  const { verdict, backends } = await net.probe({ from: '10.9.9.9', to: 'web.default:80' });
  t.is(verdict, 'allowed');
  t.is(backends.length, 3);
});
