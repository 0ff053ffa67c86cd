// SPDX-License-Identifier: Apache-2.0
// Broken policies, pods, namespaces and nodes: what was there of them stays in force.
import { CRDS, labelled, of, scene, specOf } from './broken-scene.js';
import { NODE } from './node-agent.js';
import type { Tree } from './server/objects.js';
import { onClusters } from './suites.js';
import { clusterNetworkPolicies, node, pod } from './workloads.js';

const here = onClusters({ kinds: ['in-process'] });
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
