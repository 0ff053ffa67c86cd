// SPDX-License-Identifier: Apache-2.0
// Changes of objects, rights, and new starts, on every API server there is.
import { configMap, mapsOf, names, refused, service, told } from './cases.js';
import type { TestCluster } from './cluster.js';
import type { Tree } from './server/objects.js';
import { newNamespace, onClusters } from './suites.js';
import { clusterNetworkPolicies, node, pod } from './workloads.js';

const onEach = onClusters();

onEach('a change of an old version is a conflict', async (t, cluster) => {
  const path = mapsOf(await newNamespace(cluster));
  const old = await cluster.create(path, configMap('a'));
  await cluster.replace(`${path}/a`, { ...old, data: { x: '1' } });
  const stale = await cluster.ask('PUT', `${path}/a`, { ...old, data: { x: '2' } });
  refused(t, stale, 409, 'Conflict');
  const { resourceVersion: _, ...metadata } = old.metadata;
  const forced = await cluster.replace(`${path}/a`, { ...old, metadata, data: { x: '3' } });
  t.is(forced.data.x, '3');
  t.is(forced.metadata.uid, old.metadata.uid);
  refused(t, await cluster.ask('POST', path, configMap('a')), 409, 'AlreadyExists');
  refused(t, await cluster.ask('GET', `${path}/none`), 404, 'NotFound');
  refused(t, await cluster.ask('DELETE', `${path}/none`), 404, 'NotFound');
  const missing = await cluster.ask('POST', mapsOf('no-such-namespace'), configMap('a'));
  refused(t, missing, 404, 'NotFound');
  const uid = '00000000-0000-0000-0000-000000000000';
  const other = await cluster.ask('DELETE', `${path}/a`, { preconditions: { uid } });
  refused(t, other, 409, 'Conflict');
});

onEach('a name can be generated', async (t, cluster) => {
  const path = mapsOf(await newNamespace(cluster));
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'some-' } };
  const { metadata } = await cluster.create(path, body);
  t.regex(metadata.name, /^some-[a-z0-9]{5}$/);
  t.is(metadata.generateName, 'some-');
});

onEach('a status is changed by itself', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const path = `/api/v1/namespaces/${namespace}/services/a`;
  await cluster.load([service(namespace, 'a', { type: 'LoadBalancer' })]);
  const made = await cluster.get(path);
  const status = { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } };
  const main = await cluster.replace(path, { ...made, status });
  t.deepEqual(main.status, { loadBalancer: {} });
  t.is(main.metadata.resourceVersion, made.metadata.resourceVersion);
  const spec = { ...made.spec, sessionAffinity: 'ClientIP' };
  const changed = await cluster.replace(`${path}/status`, { ...made, spec, status });
  t.deepEqual(changed.status.loadBalancer.ingress, [{ ip: '203.0.113.1', ipMode: 'VIP' }]);
  t.is(changed.spec.sessionAffinity, 'None');
});

onEach('there are three kinds of patches', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const path = `/api/v1/namespaces/${namespace}/services/a`;
  const ports = [
    { name: 'http', port: 80 },
    { name: 'https', port: 443 },
  ];
  await cluster.load([service(namespace, 'a', { ports })]);
  const patch = (type: string, body: Tree) =>
    cluster.json('PATCH', path, body, { type: `application/${type}+json` });
  const portsOf = ({ spec }: Tree) =>
    spec.ports.map((one: Tree) => `${one.name}:${one.targetPort}`);
  // By the number of the port.
  const strategic = { spec: { ports: [{ port: 443, targetPort: 8443 }] } };
  t.deepEqual(portsOf(await patch('strategic-merge-patch', strategic)).sort(), [
    'http:80',
    'https:8443',
  ]);
  const removal = { spec: { ports: [{ $patch: 'delete', port: 80 }] } };
  t.deepEqual(portsOf(await patch('strategic-merge-patch', removal)), ['https:8443']);
  const merge = { spec: { ports: [{ name: 'x', port: 1 }], selector: null } };
  const merged = await patch('merge-patch', merge);
  t.deepEqual(portsOf(merged), ['x:1']);
  t.is(merged.spec.selector, undefined);
  const json = [
    { op: 'test', path: '/spec/ports/0/port', value: 1 },
    { op: 'replace', path: '/spec/ports/0/targetPort', value: 'named' },
    { op: 'add', path: '/metadata/labels', value: { 'a/b': 'c' } },
    { op: 'remove', path: '/metadata/labels/a~1b' },
  ];
  t.deepEqual(portsOf(await patch('json-patch', json)), ['x:named']);
  const unknown = await cluster.ask('PATCH', path, {}, { type: 'application/json' });
  t.is(unknown.code, 415);
});

onEach('a pod that is bound ends in two steps', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const path = `/api/v1/namespaces/${namespace}/pods`;
  await cluster.load([pod({ name: 'p', namespace, node: 'n1', ips: ['10.244.1.1'] })]);
  const { resourceVersion } = (await cluster.get(path)).metadata;
  const watch = await cluster.watch(path, { resourceVersion });
  const marked = await cluster.remove(`${path}/p`);
  t.is(marked.metadata.deletionGracePeriodSeconds, 30);
  t.true(Date.parse(marked.metadata.deletionTimestamp) > Date.now() + 20_000);
  t.is((await cluster.get(`${path}/p`)).status.podIP, '10.244.1.1');
  await cluster.remove(`${path}/p`, {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    gracePeriodSeconds: 0,
  });
  await watch.until((events) => events.length >= 3);
  t.deepEqual(told(watch.events), ['MODIFIED p', 'MODIFIED p', 'DELETED p']);
  refused(t, await cluster.ask('GET', `${path}/p`), 404, 'NotFound');
  watch.close();
});

onEach('a finalizer keeps an object', async (t, cluster) => {
  const path = mapsOf(await newNamespace(cluster));
  const body = configMap('a');
  body.metadata.finalizers = ['example.com/mine'];
  await cluster.create(path, body);
  await cluster.remove(`${path}/a`);
  const kept = await cluster.get(`${path}/a`);
  t.truthy(kept.metadata.deletionTimestamp);
  await cluster.patch(`${path}/a`, { metadata: { finalizers: null } });
  refused(t, await cluster.ask('GET', `${path}/a`), 404, 'NotFound');
});

onEach('a collection is deleted by a selector', async (t, cluster) => {
  const path = mapsOf(await newNamespace(cluster));
  for (const name of ['a', 'b']) await cluster.create(path, configMap(name, { app: name }));
  await cluster.json('DELETE', path, undefined, { query: { labelSelector: 'app=a' } });
  t.false(names(await cluster.get(path)).includes('a'));
  t.true(names(await cluster.get(path)).includes('b'));
});

onEach('a namespace that ends takes nothing new', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  await cluster.create(mapsOf(namespace), configMap('a'));
  await cluster.remove(`/api/v1/namespaces/${namespace}`);
  const late = await cluster.ask('POST', mapsOf(namespace), configMap('b'));
  refused(t, late, 403, 'Forbidden');
  t.is(late.json.details.causes[0].reason, 'NamespaceTerminating');
});

onEach('a definition makes its resource appear', async (t, cluster) => {
  const path = '/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies';
  t.is((await cluster.ask('GET', path)).code, 404);
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const definition = clusterNetworkPolicies();
  await cluster.create(definitions, definition);
  for (let tries = 0; (await cluster.ask('GET', path)).code !== 200 && tries < 100; tries++) {
    await new Promise((next) => setTimeout(next, 100));
  }
  const policy = {
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name: 'p' },
    spec: { tier: 'Admin', priority: 1, subject: { namespaces: {} } },
  };
  const made = await cluster.create(path, policy);
  t.is(made.metadata.generation, 1);
  const changed = await cluster.patch(`${path}/p`, { spec: { priority: 2 } });
  t.is(changed.metadata.generation, 2);
  const list = await cluster.get(path);
  t.is(list.kind, 'ClusterNetworkPolicyList');
  t.is(list.items[0].kind, 'ClusterNetworkPolicy');
  const { resourceVersion: _, ...metadata } = changed.metadata;
  refused(t, await cluster.ask('PUT', `${path}/p`, { ...changed, metadata }), 422, 'Invalid');
  await cluster.remove(`${path}/p`);
  await cluster.remove(`${definitions}/${definition.metadata.name}`);
});

onEach('events are one thing in two forms', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const event = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'e.1', namespace },
    eventTime: '2026-01-02T03:04:05.000006Z',
    reportingController: 'sluice.dev/agent',
    reportingInstance: 'node-1',
    action: 'Sync',
    reason: 'Tested',
    type: 'Warning',
    note: 'It was.',
    regarding: { kind: 'Service', namespace, name: 's' },
  };
  await cluster.load([event]);
  const core = await cluster.get(`/api/v1/namespaces/${namespace}/events/e.1`);
  t.like(core, {
    apiVersion: 'v1',
    message: 'It was.',
    reportingComponent: 'sluice.dev/agent',
    involvedObject: { kind: 'Service', namespace, name: 's' },
  });
  const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
  t.is((await cluster.get(path)).items[0].note, 'It was.');
  const { action: _, ...incomplete } = { ...event, metadata: { name: 'e.2', namespace } };
  refused(t, await cluster.ask('POST', path, incomplete), 422, 'Invalid');
});

onEach('nodes that are made are not ready yet', async (t, cluster) => {
  await cluster.load([node({ name: 'fresh', addresses: ['192.0.2.9'] })]);
  const made = await cluster.get('/api/v1/nodes/fresh');
  t.true(made.spec.taints.some(({ key }: Tree) => key === 'node.kubernetes.io/not-ready'));
  t.is(made.status.addresses[0].address, '192.0.2.9');
  await cluster.remove('/api/v1/nodes/fresh');
});

onEach('who is unknown is not let in', async (t, cluster: TestCluster) => {
  const path = '/api/v1/services';
  const wrong = await cluster.ask('GET', path, undefined, { token: 'wrong' });
  refused(t, wrong, 401, 'Unauthorized');
  const nobody = await cluster.ask('GET', path, undefined, { token: null });
  refused(t, nobody, 403, 'Forbidden');
  for (const probe of ['/healthz', '/livez', '/readyz']) {
    t.is((await cluster.ask('GET', probe, undefined, { token: null })).text, 'ok');
  }
});

onEach('what was stored is there after a kill and a new start', async (t, cluster) => {
  const path = mapsOf(await newNamespace(cluster));
  const { metadata } = await cluster.create(path, configMap('a'));
  const watch = await cluster.watch(path, { resourceVersion: metadata.resourceVersion });
  await cluster.create(path, configMap('b'));
  await watch.until((events) => events.length === 1);
  await cluster.kill9();
  await watch.over();
  await t.throwsAsync(cluster.get(path));
  await cluster.restart();
  const list = await cluster.get(path);
  t.deepEqual(names(list), ['a', 'b']);
  t.is(list.items[0].metadata.uid, metadata.uid);
  const { resourceVersion } = list.metadata;
  const again = await cluster.watch(path, { resourceVersion });
  const c = await cluster.create(path, configMap('c'));
  t.true(Number(c.metadata.resourceVersion) > Number(resourceVersion));
  await again.until((events) => events.length >= 1);
  t.deepEqual(told(again.events), ['ADDED c']);
  again.close();
  // A server that is new has no events of before: it goes on from where it began, or says 410.
  const old = await cluster.watch(path, { resourceVersion: metadata.resourceVersion });
  await old.until((events) => events.length >= 1);
  const [first] = old.events;
  t.true(first!.type === 'ERROR' ? first!.object.code === 410 : first!.type === 'ADDED');
  old.close();
});
