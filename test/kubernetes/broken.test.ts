// SPDX-License-Identifier: Apache-2.0
// Broken input never stops the agent: it is logged once, counted and passed over, what was there of it stays,
// its neighbours are served, and when it is mended it is served. Objects get past the API server's own checks.
import type { ExecutionContext } from 'ava';
import fc from 'fast-check';
import { mutations } from '../support/mutations.js';
import type { TestCluster } from './cluster.js';
import { LocalAgent, NODE, wholeService, wholeSlice } from './node-agent.js';
import type { Tree } from './server/objects.js';
import { newNamespace, onClusters } from './suites.js';
import { clusterNetworkPolicies, node, pod } from './workloads.js';

const here = onClusters({ kinds: ['in-process'] });

interface Scene {
  t: ExecutionContext;
  cluster: TestCluster;
  agent: LocalAgent;
  namespace: string;
  put(plural: string, object: Tree, key?: string): void;
  /** A service next door, whose endpoint is another one each time: in force within a time. */
  follows(): Promise<void>;
}

let scenes = 0;

async function scene(t: ExecutionContext, cluster: TestCluster, more = {}): Promise<Scene> {
  const namespace = await newNamespace(cluster);
  const agent = await LocalAgent.start(t, cluster, more);
  const server = cluster.server!;
  t.teardown(() => {
    // The next test has an agent of its own, and shall not find what was broken here.
    for (const { collection } of server.registry.resources)
      for (const { key } of server.store.collection(collection).sorted())
        if (key.startsWith(`${namespace}/`) || LEFT.has(`${collection} ${key}`))
          server.store.remove(collection, key);
    LEFT.clear();
  });
  const put = (plural: string, object: Tree, key?: string): void => {
    if (key !== undefined) LEFT.add(`${plural} ${key}`);
    server.inject(plural, object, key);
  };
  let turn = 0;
  const ip = `10.96.250.${++scenes}`;
  put('services', wholeService(namespace, 'neighbour', ip));
  return {
    t,
    cluster,
    agent,
    namespace,
    put,
    follows: async () => {
      turn += 1;
      const address = `10.250.${turn >> 8}.${turn & 255}`;
      put('endpointslices', wholeSlice(namespace, 'neighbour', [address]));
      const now = `${ip} 80/TCP=${address}:8080`;
      await agent.until(t, () => agent.serving(namespace, 'neighbour'), now);
    },
  };
}

const LEFT = new Set<string>();
const BAD_PORTS = [0, -1, 70_000, 1.5, 'x', null, 1e99, true, [], {}];

const of = (object: Tree, change: Tree): Tree => ({ ...object, ...change });
const specOf = (object: Tree, change: Tree): Tree =>
  of(object, { spec: { ...object.spec, ...change } });
const labelled = (object: Tree, labels: unknown): Tree =>
  of(object, { metadata: { ...object.metadata, labels } });

const SERVICES: readonly ((good: Tree) => Tree)[] = [
  ...BAD_PORTS.map((port) => (good: Tree) => specOf(good, { ports: [{ name: 'http', port }] })),
  (good) => specOf(good, { ports: null }),
  (good) => specOf(good, { ports: 'many' }),
  (good) => specOf(good, { ports: [null] }),
  (good) => specOf(good, { ports: [{ port: 1 }, { port: 2 }] }),
  (good) => specOf(good, { ports: [{ port: 80, nodePort: 1e99 }] }),
  (good) => specOf(good, { clusterIP: '10.96.1.300' }),
  (good) => specOf(good, { clusterIPs: '10.96.1.3' }),
  (good) => specOf(good, { clusterIPs: [7] }),
  (good) => specOf(good, { clusterIPs: ['127.0.0.1'] }),
  (good) => specOf(good, { externalIPs: ['x'] }),
  (good) => specOf(good, { sessionAffinity: 'Cookie' }),
  (good) => specOf(good, { externalTrafficPolicy: 7 }),
  (good) => specOf(good, { type: 'Other' }),
  (good) => specOf(good, { loadBalancerSourceRanges: ['10.0.0.0/33'] }),
  (good) => of(good, { spec: null }),
  (good) => of(good, { spec: [] }),
  (good) => of(good, { status: { loadBalancer: { ingress: [{ ip: 'x' }] } } }),
  (good) => labelled(good, { a: 1 }),
  (good) => labelled(good, 'a=b'),
  (good) => of(good, { kind: 'Pod' }),
];

here('Services that are broken', async (t, cluster) => {
  const { agent, namespace, put, follows } = await scene(t, cluster);
  const goods = SERVICES.map((_, index) => {
    put('endpointslices', wholeSlice(namespace, `s${index}`, [`10.1.0.${index + 1}`]));
    return wholeService(namespace, `s${index}`, `10.96.1.${index + 1}`);
  });
  const served = () => goods.map((_, index) => agent.serving(namespace, `s${index}`));
  const expected = (port: number) =>
    goods.map((_, index) => `10.96.1.${index + 1} ${port}/TCP=10.1.0.${index + 1}:8080`);
  for (const good of goods) put('services', good);
  await agent.until(t, served, expected(80));
  // The second time they are broken as before, but changed.
  for (let round = 0; round < 2; round += 1) {
    for (const [index, good] of goods.entries()) put('services', SERVICES[index]!(good));
    await agent.until(t, () => agent.refused('Service'), SERVICES.length);
    await follows();
    t.deepEqual(served(), expected(80), 'what was there stays');
    for (const [index] of goods.entries())
      t.is(agent.complaints(namespace, `s${index}`).length, 1, `s${index}`);
  }
  const mended = goods.map((good) => specOf(good, { ports: [{ name: 'http', port: 81 }] }));
  for (const good of mended) put('services', good);
  await agent.until(t, served, expected(81));
  t.is(await agent.refused('Service'), 0);
  // One that was never right, and goes: it is as if it had not been.
  put('services', SERVICES[0]!(wholeService(namespace, 'never', '10.96.1.200')));
  await agent.until(t, () => agent.refused('Service'), 1);
  cluster.server!.eject('services', `${namespace}/never`);
  await agent.until(t, () => agent.refused('Service'), 0);
  t.is(agent.complaints(namespace, 'never').length, 1);
});

const SLICES: readonly ((good: Tree) => Tree)[] = [
  ...BAD_PORTS.filter((port) => port !== 0 && port !== null).map(
    (port) => (good: Tree) => of(good, { ports: [{ name: 'http', port }] }),
  ),
  (good) => of(good, { ports: 'many' }),
  (good) => of(good, { ports: [{ name: 'http', port: 1, protocol: 'ICMP' }] }),
  (good) => of(good, { addressType: 'IPX' }),
  (good) => of(good, { addressType: null }),
  // Of the other family than it says.
  (good) => of(good, { addressType: 'IPv6' }),
  (good) => of(good, { endpoints: [{ addresses: ['fd00::1'] }] }),
  (good) => of(good, { endpoints: [{ addresses: ['999.1.1.1'] }] }),
  (good) => of(good, { endpoints: [{ addresses: '10.0.0.1' }] }),
  (good) => of(good, { endpoints: [{ addresses: [null] }] }),
  (good) => of(good, { endpoints: [{ addresses: ['10.0.0.1'], conditions: 'ready' }] }),
  (good) => of(good, { endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: 'yes' } }] }),
  (good) => of(good, { endpoints: [{ addresses: ['10.0.0.1'], hints: { forZones: [{}] } }] }),
  (good) => of(good, { endpoints: [null] }),
  (good) => of(good, { endpoints: {} }),
  (good) => of(good, { kind: 'Service' }),
];

here('slices that are broken', async (t, cluster) => {
  const { agent, namespace, put, follows } = await scene(t, cluster);
  const goods = SLICES.map((_, index) => {
    put('services', wholeService(namespace, `s${index}`, `10.96.2.${index + 1}`));
    return wholeSlice(namespace, `s${index}`, [`10.2.0.${index + 1}`]);
  });
  const served = () => goods.map((_, index) => agent.serving(namespace, `s${index}`));
  const expected = (port: number) =>
    goods.map((_, index) => `10.96.2.${index + 1} 80/TCP=10.2.0.${index + 1}:${port}`);
  for (const good of goods) put('endpointslices', good);
  await agent.until(t, served, expected(8080));
  for (let round = 0; round < 2; round += 1) {
    for (const [index, good] of goods.entries()) put('endpointslices', SLICES[index]!(good));
    await agent.until(t, () => agent.refused('EndpointSlice'), SLICES.length);
    await follows();
    t.deepEqual(served(), expected(8080), 'what was there stays');
    for (const [index] of goods.entries())
      t.is(agent.complaints(namespace, `s${index}-1`).length, 1, `s${index}`);
  }
  for (const good of goods) put('endpointslices', of(good, { ports: [{ name: 'http', port: 1 }] }));
  await agent.until(t, served, expected(1));
  t.is(await agent.refused('EndpointSlice'), 0);
});

here('slices that are odd are taken for what they say', async (t, cluster) => {
  const { agent, namespace, put, follows } = await scene(t, cluster);
  const odd: readonly Tree[] = [
    { endpoints: null },
    { endpoints: [{}] },
    { endpoints: [{ addresses: [] }] },
    { endpoints: [{ addresses: null, conditions: null, hints: null }] },
    { endpoints: [{ addresses: ['10.3.1.1'], conditions: { ready: false } }] },
    { ports: null },
    { ports: [{ name: 'http', port: 0 }] },
    { ports: [{ name: 'other', port: 8080 }] },
    { metadata: { labels: null } },
  ];
  for (const [index, change] of odd.entries()) {
    put('services', wholeService(namespace, `s${index}`, `10.96.3.${index + 1}`));
    const slice = wholeSlice(namespace, `s${index}`, [`10.3.0.${index + 1}`]);
    put('endpointslices', {
      ...slice,
      ...change,
      metadata: { ...slice.metadata, ...change.metadata },
    });
  }
  const served = () => odd.map((_, index) => agent.serving(namespace, `s${index}`));
  const expected = odd.map((_, index) => `10.96.3.${index + 1} 80/TCP=`);
  await agent.until(t, served, expected);
  await follows();
  t.deepEqual(served(), expected);
  t.is(await agent.refused('EndpointSlice'), 0);
});

here('a slice of a missing service, of 5,000 endpoints', async (t, cluster) => {
  const { agent, namespace, put, follows } = await scene(t, cluster);
  const addresses = Array.from({ length: 5_000 }, (_, i) => `10.4.${i >> 8}.${i & 255}`);
  put('endpointslices', wholeSlice(namespace, 'big', addresses));
  await follows();
  t.is(agent.serving(namespace, 'big'), null);
  t.is(agent.complaints(namespace, 'big').length, 0);
  put('services', wholeService(namespace, 'big', '10.96.4.1'));
  const count = () => agent.serving(namespace, 'big')?.split(',').length ?? 0;
  await agent.until(t, count, 5_000);
  await follows();
  put('endpointslices', wholeSlice(namespace, 'big', addresses.slice(0, 1)));
  await agent.until(t, count, 1);
  cluster.server!.eject('services', `${namespace}/big`);
  await agent.until(t, () => agent.serving(namespace, 'big'), null);
});

here('names of all kinds, labels of any size, and objects without names', async (t, cluster) => {
  const { agent, namespace, put, follows } = await scene(t, cluster);
  const words = ['constructor', 'tostring', 'hasownproperty', 'valueof', 'a'.repeat(63), '0'];
  for (const [index, word] of words.entries()) {
    const service = wholeService(namespace, word, `10.96.5.${index + 1}`);
    const labels = JSON.parse('{"__proto__": "x", "constructor": "y"}');
    labels['long'] = 'x'.repeat(200_000);
    put('services', labelled(service, labels));
    put('endpointslices', wholeSlice(namespace, word, [`10.5.0.${index + 1}`]));
  }
  const served = () => words.map((word) => agent.serving(namespace, word));
  const expected = words.map((_, i) => `10.96.5.${i + 1} 80/TCP=10.5.0.${i + 1}:8080`);
  await agent.until(t, served, expected);

  const bad = ['__proto__', 'Upper', 'a/b', '..', '-', 'x'.repeat(2_000), ''];
  for (const [index, word] of bad.entries())
    put('services', wholeService(namespace, word, '10.96.5.200'), `${namespace}/bad${index}`);
  put(
    'services',
    of(wholeService(namespace, 'x', '10.96.5.201'), { metadata: { namespace } }),
    'n1',
  );
  put('services', of(wholeService(namespace, 'x', '10.96.5.202'), { metadata: { name: 7 } }), 'n2');
  // Those that have no name are one.
  const least = bad.length;
  await agent.until(t, async () => ((await agent.refused('Service')) ?? 0) >= least, true);
  await follows();
  t.deepEqual(served(), expected);
  t.is(agent.complaints(namespace, '__proto__').length, 1);
});

here('two Services that want the same address', async (t, cluster) => {
  const { agent, namespace, put, follows } = await scene(t, cluster);
  for (const name of ['first', 'second'])
    put('endpointslices', wholeSlice(namespace, name, ['10.6.0.1']));
  put('services', wholeService(namespace, 'first', '10.96.6.1'));
  put('services', wholeService(namespace, 'second', '10.96.6.1'));
  const one = '10.96.6.1 80/TCP=10.6.0.1:8080';
  const served = () => ['first', 'second'].map((name) => agent.serving(namespace, name));
  await agent.until(t, served, [one, null]);
  await agent.until(t, () => agent.complaints(namespace, 'second').length, 1);
  put('services', wholeService(namespace, 'second', '10.96.6.1'));
  await follows();
  t.is(agent.complaints(namespace, 'second').length, 1);
  cluster.server!.eject('services', `${namespace}/first`);
  await agent.until(t, served, [null, one]);
});

here('more than there is room for', async (t, cluster) => {
  const { agent, namespace, put, follows } = await scene(t, cluster, { options: { backends: 12 } });
  await follows();
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const [index, name] of names.entries()) {
    put('services', wholeService(namespace, name, `10.96.7.${index + 1}`));
    const addresses = [1, 2, 3].map((each) => `10.7.${index}.${each}`);
    put('endpointslices', wholeSlice(namespace, name, addresses));
  }
  const full = () => names.filter((name) => agent.serving(namespace, name)?.includes(','));
  // The neighbour has one and needs another while it changes, and the API server's own has one.
  await agent.until(t, () => full().length, 3);
  await agent.until(t, () => agent.metric('sluice_source_unprogrammed_members'), 2);
  await follows();
  const without = names.filter((name) => !full().includes(name));
  for (const name of without) t.is(agent.complaints(namespace, name).length, 1, name);
  for (const name of full()) t.is(agent.complaints(namespace, name).length, 0, name);
  // One gets less, one goes: there is room for both.
  const [first, second] = full() as [string, string];
  put('endpointslices', wholeSlice(namespace, first, []));
  cluster.server!.eject('services', `${namespace}/${second}`);
  await agent.until(t, () => without.every((name) => full().includes(name)), true);
  await agent.until(t, () => agent.metric('sluice_source_unprogrammed_members'), 0);
  await follows();
});

const BROKEN_SELECTORS: readonly unknown[] = [
  'app=x',
  { matchLabels: { a: 1 } },
  { matchExpressions: [{ key: 'a', operator: 'Near', values: ['b'] }] },
  { matchExpressions: [{ key: 'a', operator: 'In' }] },
];
const BROKEN_RULES: readonly unknown[] = [
  { from: [{ ipBlock: { cidr: '10.0.0.0/99' } }] },
  { from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/8'] } }] },
  { from: [null] },
  { from: 'everywhere' },
  { ports: [{ port: 70_000 }] },
  { ports: [{ port: 80, endPort: 79 }] },
  { ports: [{ port: 1e99 }] },
  { ports: [{ protocol: 'ICMP' }] },
];

here('policies, pods, namespaces and the node that are broken', async (t, cluster) => {
  await cluster.ask('POST', CRDS, clusterNetworkPolicies());
  const addresses = { addresses: ['10.9.0.1/24'] };
  const { agent, namespace, put, follows } = await scene(t, cluster, {
    interfaces: [{ kind: 'memory', name: 'm', ...addresses }],
  });
  const [client, server] = ['client', 'server'].map((name, index) =>
    pod({ name, namespace, node: NODE, ips: [`10.9.0.${index + 2}`], labels: { app: name } }),
  ) as [Tree, Tree];
  const policy = specOf(
    { metadata: { name: 'p', namespace, uid: 'p' } },
    { podSelector: { matchLabels: { app: 'server' } }, policyTypes: ['Ingress'], ingress: [] },
  );
  const ask = async () => {
    const packet = { from: '10.9.0.2', to: '10.9.0.3', port: 80, interface: 'm' };
    return (await agent.agent.proxy.explain(packet)).ingress?.allowed;
  };
  put('pods', client);
  put('pods', server);
  put('networkpolicies', policy);
  await agent.until(t, ask, false);

  const broken: Tree[] = [
    ...BROKEN_SELECTORS.map((podSelector) => specOf(policy, { podSelector })),
    ...BROKEN_RULES.map((rule) => specOf(policy, { ingress: [rule] })),
    specOf(policy, { policyTypes: ['Sideways'] }),
    of(policy, { spec: null }),
    of(policy, { kind: 'Service' }),
  ];
  for (const each of broken) {
    put('networkpolicies', each);
    const before = agent.complaints(namespace, 'p').length;
    await agent.until(t, () => agent.complaints(namespace, 'p').length > before - 1, true);
    await agent.until(t, () => agent.refused('NetworkPolicy'), 1);
  }
  await follows();
  // Told once for each different mistake, at the most.
  t.true(agent.complaints(namespace, 'p').length <= broken.length);
  t.is(await ask(), false, 'what was there stays');
  put('networkpolicies', specOf(policy, { ingress: [{}] }));
  await agent.until(t, ask, true);
  t.is(await agent.refused('NetworkPolicy'), 0);

  // Pods: those that are there keep their addresses.
  put('networkpolicies', policy);
  await agent.until(t, ask, false);
  for (const status of [
    { podIP: 'x' },
    { podIPs: [{ ip: '10.0.0.256' }] },
    { podIPs: ['10.9.0.3'] },
    'fine',
  ]) {
    put('pods', of(server, { status }));
    await agent.until(t, () => agent.refused('Pod'), 1);
    put('namespaces', { metadata: { name: namespace, labels: { a: 7 } } }, namespace);
    await agent.until(t, () => agent.refused('Namespace'), 1);
    await follows();
    t.is(await ask(), false);
    put('pods', server);
    put('namespaces', { metadata: { name: namespace, labels: {} } }, namespace);
    await agent.until(t, () => agent.refused('Pod'), 0);
    await agent.until(t, () => agent.refused('Namespace'), 0);
  }

  // The node.
  const ours = node({ name: NODE, addresses: ['192.0.2.1'], podCIDRs: ['10.9.0.0/24'] });
  put('nodes', ours, NODE);
  await agent.until(t, () => agent.metric('sluice_source_objects', { kind: 'Node' }), 1);
  for (const change of [
    { status: { addresses: 'x' } },
    { status: { addresses: [null] } },
    { spec: { podCIDRs: ['10.9.0.0/99'] } },
    { spec: { podCIDR: 7 } },
  ]) {
    put('nodes', of(ours, change), NODE);
    await agent.until(t, () => agent.refused('Node'), 1);
    await follows();
  }
  // An address that is none is no reason to refuse the node.
  put('nodes', of(ours, { status: { addresses: [{ type: 'InternalIP', address: 'x' }] } }), NODE);
  await follows();
  put('nodes', ours, NODE);
  await agent.until(t, () => agent.refused('Node'), 0);
  await follows();
});

here('ClusterNetworkPolicies with what is not known close rather than open', async (t, cluster) => {
  await cluster.ask('POST', CRDS, clusterNetworkPolicies());
  const { agent, namespace, put, follows } = await scene(t, cluster, {
    interfaces: [{ kind: 'memory', name: 'm', addresses: ['10.8.0.1/24'] }],
  });
  for (const [index, name] of ['client', 'server'].entries())
    put('pods', pod({ name, namespace, node: NODE, ips: [`10.8.0.${index + 2}`] }));
  const ask = async () => {
    const packet = { from: '10.8.0.2', to: '10.8.0.3', port: 80, interface: 'm' };
    return (await agent.agent.proxy.explain(packet)).ingress?.allowed;
  };
  const subject = {
    namespaces: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  };
  const rules = (tier: string, ...ingress: unknown[]): Tree => ({
    metadata: { name: `cnp-${namespace}`, uid: 'cnp' },
    spec: { tier, priority: 1, subject, ingress },
  });
  const key = `cnp-${namespace}`;
  const give = (policy: Tree): void => put('clusternetworkpolicies', policy, key);
  const everybody = [{ namespaces: {} }];

  // A peer that is not known: a Deny is for everybody, an Accept for nobody.
  give(rules('Admin', { action: 'Deny', from: [{ planets: {} }] }));
  await agent.until(t, ask, false);
  give(
    rules(
      'Admin',
      { action: 'Accept', from: [{ planets: {} }] },
      { action: 'Deny', from: everybody },
    ),
  );
  await follows();
  t.is(await ask(), false);
  t.true(agent.complaints('', key).length > 0);
  const told = agent.lines.filter(({ msg }) => msg.includes(key)).length;
  give(
    labelled(
      rules(
        'Admin',
        { action: 'Accept', from: [{ planets: {} }] },
        { action: 'Deny', from: everybody },
      ),
      { changed: 'yes' },
    ),
  );
  await follows();
  t.is(agent.lines.filter(({ msg }) => msg.includes(key)).length, told, 'told once');

  // What cannot be read stays as it was.
  for (const broken of [
    specOf(rules('Admin'), { priority: 9_999 }),
    specOf(rules('Admin'), { tier: 'Middle' }),
    specOf(rules('Admin'), { subject: {} }),
    rules('Admin', { action: 'Perhaps', from: everybody }),
    rules('Admin', { action: 'Accept', from: [] }),
    rules('Admin', {
      action: 'Accept',
      from: everybody,
      protocols: [{ tcp: { destinationPort: { number: 1e99 } } }],
    }),
    { metadata: { name: key } },
  ]) {
    give(broken);
    await agent.until(t, () => agent.refused('ClusterNetworkPolicy'), 1);
    await follows();
    t.is(await ask(), false, JSON.stringify(broken));
  }
  give(rules('Admin', { action: 'Accept', from: everybody }));
  await agent.until(t, ask, true);
  t.is(await agent.refused('ClusterNetworkPolicy'), 0);
});

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

here('watches that say what makes no sense', async (t, cluster) => {
  const { agent, namespace, put, follows } = await scene(t, cluster);
  const server = cluster.server!;
  put('services', wholeService(namespace, 'web', '10.96.9.1'));
  put('endpointslices', wholeSlice(namespace, 'web', ['10.9.9.1']));
  const web = () => agent.serving(namespace, 'web');
  await agent.until(t, web, '10.96.9.1 80/TCP=10.9.9.1:8080');
  const event = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
  const filter = { path: /services$|endpointslices$/, watch: true };
  const texts = [
    'garbage\n',
    '{"type":"MODIFIED","obj',
    '\u0000\u0001\n\n\n',
    event('EXPLODED', { metadata: { resourceVersion: '7' } }),
    event('__proto__', { metadata: { resourceVersion: '7' } }),
    event('MODIFIED', null),
    event('DELETED', 'everything'),
    event('MODIFIED', { metadata: { name: 'web', namespace } }),
    event('DELETED', { metadata: { name: 'web', namespace, resourceVersion: 7 } }),
    event('ERROR', null),
    event('ERROR', { kind: 'Status', code: 410, reason: 'Expired' }),
    '[]\n',
    '7\n',
    'null\n',
    `${'x'.repeat(1_000_000)}\n`,
  ];
  for (const [index, text] of texts.entries()) {
    t.true(server.writeToWatches(text, filter) > 0, text.slice(0, 60));
    put('services', wholeService(namespace, 'web', '10.96.9.1', 1_000 + index));
    await agent.until(t, web, `10.96.9.1 ${1_000 + index}/TCP=10.9.9.1:8080`);
    await follows();
    // Until both watches are there again.
    await agent.until(t, () => server.watches(filter) >= 2, true);
  }
  const warnings = agent.lines.filter(({ level, msg }) => level >= 40 && /watch/.test(msg));
  t.true(warnings.length <= 2 * texts.length, `${warnings.length} warnings`);
  t.true((await agent.metric('sluice_source_errors_total', { kind: 'Service' }))! > 0);
});

const PLURALS: Readonly<Record<string, string>> = {
  Service: 'services',
  EndpointSlice: 'endpointslices',
  Pod: 'pods',
  Namespace: 'namespaces',
  Node: 'nodes',
  NetworkPolicy: 'networkpolicies',
  ClusterNetworkPolicy: 'clusternetworkpolicies',
};
const SEED = 20_260_601;

here('a storm of all of it, with a watch that breaks', async (t, cluster) => {
  await cluster.ask('POST', CRDS, clusterNetworkPolicies());
  const { agent, put, namespace, follows } = await scene(t, cluster);
  const server = cluster.server!;
  const before = agent.agent.proxy.services.length;
  const storm = fc.sample(mutations, { seed: SEED, numRuns: 600 });
  const keys = new Set<string>();
  // Each costs the time until the watches are there again.
  let linesLeft = 5;
  const plurals = Object.values(PLURALS);
  for (const [index, { kind, object }] of storm.entries()) {
    const plural = PLURALS[kind]!;
    // A few places, so that what is there is changed and broken again.
    const key = `storm-${plural}/${index % 7}`;
    const line = { type: index % 2 ? 'MODIFIED' : 'ADDED', object };
    if (typeof object !== 'object' || object === null || Array.isArray(object)) {
      if (linesLeft-- > 0)
        server.writeToWatches(`${JSON.stringify(line)}\n`, { path: /./, watch: true });
    } else {
      keys.add(`${plural} ${key}`);
      put(plural, object, key);
    }
    if (index % 50 === 20) server.dropWatches();
    if (index % 100 === 70) server.compact();
    if (index % 10 === 0) await follows();
  }
  await follows();
  const failures = agent.lines.filter(({ msg }) => /synchronization failed/.test(msg));
  t.deepEqual(failures, []);
  const mistakes = agent.lines.filter(({ level }) => level >= 50).length;
  t.true(mistakes > 50 && mistakes < storm.length, `${mistakes} mistakes`);

  // All of it goes. Whatever was said of it on the way: a list has the last word.
  for (const each of keys) server.eject(...(each.split(' ') as [string, string]));
  server.compact();
  server.dropWatches();
  for (const kind of Object.keys(PLURALS)) await agent.until(t, () => agent.refused(kind), 0);
  await agent.until(t, () => agent.agent.proxy.services.length, before + 1);
  await follows();
  t.not(agent.serving(namespace, 'neighbour'), null);
  t.true(plurals.every((plural) => server.watches({ path: new RegExp(`/${plural}$`) }) <= 1));
});
