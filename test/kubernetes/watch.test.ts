// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { ClusterWatch } from '../../lib/sources/apiserver/cluster-watch.js';
import { ApiConnection } from '../../lib/sources/apiserver/connection.js';
import { EventRecorder } from '../../lib/sources/apiserver/event-recorder.js';
import { watchedResources } from '../../lib/sources/apiserver/resources.js';
import type { WatchedKind } from '../../lib/sources/kubernetes/watched.js';
import { ManualClock } from '../support/manual-clock.js';
import { until } from '../support/scripted-server.js';
import { WrittenSink } from '../support/watch-rig.js';
import { kubeconfigOf, type TestCluster } from './cluster.js';
import { newNamespace, onClusters } from './suites.js';
import { clusterNetworkPolicies, node, slice } from './workloads.js';

interface Options {
  kinds?: WatchedKind[];
  pageSize?: number;
  kubeconfig?: string;
  sink?: WrittenSink;
}

/** Watches a cluster; time stands unless a test lets it pass. */
async function watchOf(t: ExecutionContext, cluster: TestCluster, options: Options = {}) {
  const clock = new ManualClock();
  const sink = options.sink ?? new WrittenSink();
  const connection = await ApiConnection.open({
    kubeconfig: options.kubeconfig ?? cluster.kubeconfig,
    clock,
    qps: 0,
  });
  const all = watchedResources({ nodeName: 'node-1' });
  const resources = all.filter(({ kind }) => options.kinds?.includes(kind) ?? true);
  const quiet = { debug() {}, info() {}, warn() {} };
  const { pageSize = 250 } = options;
  const watch = new ClusterWatch(connection, resources, sink, {
    onChange() {},
    log: quiet,
    clock,
    pageSize,
  });
  t.teardown(async () => {
    await watch.close();
    connection.close();
  });
  watch.start();
  const has = (name: string): boolean => sink.names().includes(name);
  /** Lets back-offs pass, until something holds. */
  const settle = (condition: () => boolean): Promise<void> =>
    until(() => {
      const [wait = 0] = clock.waits().filter((ms) => ms < 45_000);
      if (wait > 0) clock.advance(wait);
      return condition();
    }, String(condition));
  return { clock, sink, connection, watch, has, settle };
}

const service = (name: string, spec: object = {}, labels: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, labels },
  spec: { ports: [{ port: 80 }], ...spec },
});

const SERVICES = '/api/v1/services';
const test = onClusters({ bookmarkMs: 100 });
const testFaults = onClusters({ bookmarkMs: 100, kinds: ['in-process'] });

test('everything is listed in pages, and followed', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const path = `/api/v1/namespaces/${namespace}/services`;
  for (const name of ['a', 'b', 'c', 'd', 'e']) await cluster.create(path, service(name));
  await cluster.create('/api/v1/nodes', node({ name: 'node-1', addresses: ['192.0.2.1'] }));
  await cluster.create('/api/v1/nodes', node({ name: 'node-2', addresses: ['192.0.2.2'] }));
  t.teardown(() => cluster.remove('/api/v1/nodes/node-1'));
  t.teardown(() => cluster.remove('/api/v1/nodes/node-2'));
  const { watch, sink, has } = await watchOf(t, cluster, { pageSize: 2 });
  await watch.synced;
  for (const name of ['a', 'b', 'c', 'd', 'e', 'kubernetes']) t.true(has(`Service ${name}`), name);
  t.true(has('Node node-1'));
  t.false(has('Node node-2'));
  t.true(has(`Namespace ${namespace}`));
  for (const { kind, synced, errors } of watch.state()) {
    t.true(synced, kind);
    t.is(errors, 0, kind);
  }
  await cluster.create(path, service('f'));
  await until(() => has('Service f'));
  await cluster.remove(`${path}/a`);
  await until(() => !has('Service a'));
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
  const endpoints = [{ address: '10.1.0.1' }];
  await cluster.create(slices, slice({ service: 'f', namespace, endpoints, ports: { http: 80 } }));
  await until(() => has('EndpointSlice f-ipv4'));
  t.is(sink.entries.filter((entry) => entry === 'begin Service').length, 1);
});

test('what is not for us does not come', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const path = `/api/v1/namespaces/${namespace}/services`;
  const label = 'service.kubernetes.io/service-proxy-name';
  await cluster.create(path, service('headless', { clusterIP: 'None' }));
  await cluster.create(path, service('others', {}, { [label]: 'x' }));
  await cluster.create(path, service('turns'));
  await cluster.create(path, service('named', { type: 'ExternalName', externalName: 'a.example' }));
  const { watch, sink, has } = await watchOf(t, cluster);
  await watch.synced;
  t.deepEqual(
    ['headless', 'others', 'turns', 'named'].filter((name) => has(`Service ${name}`)),
    ['turns', 'named'],
  );
  await cluster.patch(`${path}/turns`, { metadata: { labels: { [label]: '' } } });
  await until(() => !has('Service turns'));
  await cluster.patch(`${path}/turns`, { metadata: { labels: { [label]: null } } });
  await until(() => has('Service turns'));
  await cluster.patch(`${path}/others`, { metadata: { labels: { [label]: null } } });
  await until(() => has('Service others'));
  // A Service without clusterIP passes; one that becomes headless goes.
  const named = {
    type: 'ExternalName',
    externalName: 'b.example',
    clusterIP: null,
    clusterIPs: null,
  };
  await cluster.patch(`${path}/turns`, { spec: named });
  await until(() => sink.entries.filter((entry) => entry === 'put Service turns').length === 3);
  const headless = { type: 'ClusterIP', clusterIP: 'None', externalName: null };
  await cluster.patch(`${path}/turns`, { spec: headless });
  await until(() => !has('Service turns'));
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
  const endpoints = [{ address: '10.1.0.1' }];
  const labels = { 'service.kubernetes.io/headless': '' };
  const ports = { http: 80 };
  await cluster.create(slices, slice({ service: 'headless', namespace, endpoints, ports, labels }));
  await cluster.create(slices, slice({ service: 'others', namespace, endpoints, ports }));
  await until(() => has('EndpointSlice others-ipv4'));
  t.false(has('EndpointSlice headless-ipv4'));
});

test('a server that dies and comes back: nothing goes, and changes arrive', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const path = `/api/v1/namespaces/${namespace}/services`;
  await cluster.create(path, service('stays'));
  await cluster.create(path, service('goes'));
  const { watch, sink, has, settle } = await watchOf(t, cluster, { kinds: ['Service', 'Pod'] });
  await watch.synced;
  const names = sink.names();
  await cluster.kill9();
  await settle(() => watch.state().every(({ errors }) => errors > 3));
  t.deepEqual(sink.names(), names);
  await cluster.restart();
  await cluster.remove(`${path}/goes`);
  await cluster.create(path, service('comes'));
  await settle(() => has('Service comes') && !has('Service goes'));
  t.true(has('Service stays'));
  t.false(sink.entries.includes('remove Service stays'));
});

test('a kind that is installed later is found, and one that is taken away is empty', async (t, cluster) => {
  const { watch, has, settle, sink } = await watchOf(t, cluster, {
    kinds: ['ClusterNetworkPolicy'],
  });
  await watch.synced;
  t.true(watch.state()[0]?.absent);
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const definition = clusterNetworkPolicies();
  await cluster.create(definitions, definition);
  const path = '/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies';
  const served = async (): Promise<boolean> => (await cluster.ask('GET', path)).code === 200;
  for (let tries = 0; tries < 100 && !(await served()); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await cluster.create(path, {
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name: 'first' },
    spec: { tier: 'Admin', priority: 1, subject: { namespaces: {} } },
  });
  await settle(() => has('ClusterNetworkPolicy first'));
  await cluster.remove(`${definitions}/${definition.metadata.name}`);
  // kube-apiserver removes the objects; the other two leave them, and the watch, to a restart.
  if (cluster.kind !== 'real') {
    await cluster.kill9();
    await cluster.restart();
  }
  await settle(() => sink.names().length === 0);
  if (cluster.kind !== 'real') t.true(watch.state()[0]?.absent);
  else t.pass();
});

test('the server takes our Events, and their series', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const { connection, clock } = await watchOf(t, cluster, { kinds: ['Service'] });
  const log = { debug() {}, info() {}, warn: (fields: object) => t.log(JSON.stringify(fields)) };
  const recorder = new EventRecorder(connection, { nodeName: 'node-1', log, clock });
  t.teardown(() => recorder.close());
  const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
  const object = { apiVersion: 'v1', kind: 'Service', namespace, name: 'a' };
  const record = () =>
    recorder.record({ object, type: 'Warning', reason: 'WrongFamily', message: 'x' });
  const seriesIs = async (count: number | undefined): Promise<boolean> => {
    const { items } = await cluster.get(path);
    return items.length === 1 && items[0].series?.count === count;
  };
  const comesTo = async (count: number | undefined): Promise<void> => {
    for (let tries = 0; tries < 100 && !(await seriesIs(count)); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    t.true(await seriesIs(count), String(count));
  };
  record();
  await comesTo(undefined);
  await new Promise((resolve) => setTimeout(resolve, 50));
  record();
  await comesTo(2);
  t.is(recorder.dropped, 0);
});

testFaults(
  '410 between pages, and in a watch: listed again, and nothing flaps',
  async (t, cluster) => {
    const server = cluster.server!;
    const namespace = await newNamespace(cluster);
    const path = `/api/v1/namespaces/${namespace}/services`;
    for (const name of ['a', 'b', 'c']) await cluster.create(path, service(name));
    const sink = new WrittenSink();
    let compactions = 0;
    const put = sink.put.bind(sink);
    sink.put = (kind, object) => {
      put(kind, object);
      if (compactions > 0) return;
      compactions += 1;
      server.load([{ ...service('d'), metadata: { name: 'd', namespace } }]);
      server.compact();
    };
    server.requests = [];
    const rig = await watchOf(t, cluster, { kinds: ['Service'], pageSize: 1, sink });
    await rig.settle(() => rig.watch.state()[0]!.synced);
    for (const name of ['a', 'b', 'c', 'd']) t.true(rig.has(`Service ${name}`));
    const lists = server.requests.filter(({ path, isWatch }) => path === SERVICES && !isWatch);
    t.true(lists.some(({ code, query }) => code === 410 && query.has('continue')));
    await until(() => server.watches({ path: SERVICES }) === 1);
    // Away, and then too late for a watch.
    t.teardown(() => server.faults.clear());
    const undo = server.faults.add({ path: SERVICES, status: 503 });
    server.dropWatches({ path: SERVICES });
    await cluster.remove(`${path}/a`);
    server.load([{ ...service('e'), metadata: { name: 'e', namespace } }]);
    server.compact();
    t.true(rig.has('Service a'));
    undo();
    await rig.settle(() => rig.has('Service e') && !rig.has('Service a'));
    t.false(sink.entries.some((entry) => entry.startsWith('remove')));
  },
);

testFaults('bookmarks move the point that a watch goes on from', async (t, cluster) => {
  const server = cluster.server!;
  const { watch, sink, settle } = await watchOf(t, cluster, { kinds: ['Service'] });
  await watch.synced;
  const before = Number(watch.state()[0]?.resourceVersion);
  await newNamespace(cluster);
  await until(() => Number(watch.state()[0]?.resourceVersion) > before);
  const reached = watch.state()[0]?.resourceVersion;
  const entries = sink.entries.length;
  server.requests = [];
  server.dropWatches({ path: SERVICES });
  await settle(() => server.requests.some(({ path }) => path === SERVICES));
  const asked = server.requests.filter(({ path }) => path === SERVICES);
  t.deepEqual(
    asked.map(({ isWatch }) => isWatch),
    [true],
  );
  t.true(Number(asked[0]?.query.get('resourceVersion')) >= Number(reached));
  t.is(sink.entries.length, entries);
});

testFaults('a token that is replaced: reading goes on', async (t, cluster) => {
  const server = cluster.server!;
  const token = join(cluster.folder, 'token');
  const file = join(cluster.folder, 'rotating');
  const config = JSON.parse(kubeconfigOf(cluster.url, cluster.caFile, ''));
  config.users[0].user = { tokenFile: token };
  writeFileSync(file, JSON.stringify(config));
  writeFileSync(token, 'first\n');
  server.tokens.set('first', { user: 'admin' });
  const { watch, settle } = await watchOf(t, cluster, { kinds: ['Service'], kubeconfig: file });
  await watch.synced;
  await until(() => server.watches({ path: SERVICES }) === 1);
  writeFileSync(token, 'second\n');
  server.tokens.set('second', { user: 'admin' });
  server.tokens.delete('first');
  server.dropWatches({ path: SERVICES });
  await settle(() => watch.state()[0]!.watches > 1 && server.watches({ path: SERVICES }) === 1);
  t.notRegex(watch.state()[0]?.lastError ?? '', /401/);
});

testFaults('connections that are slow, and that break anywhere', async (t, cluster) => {
  const server = cluster.server!;
  const namespace = await newNamespace(cluster);
  const path = `/api/v1/namespaces/${namespace}/services`;
  await cluster.create(path, service('a', {}, { note: 'x'.repeat(60) }));
  t.teardown(() => server.faults.clear());
  server.faults.add({ path: SERVICES, watch: false, times: 2, cutAfterBytes: 200 });
  server.faults.add({ path: SERVICES, watch: true, times: 6, chunkBytes: 7, cutAfterBytes: 900 });
  server.faults.add({ path: SERVICES, watch: true, chunkBytes: 11 });
  const { watch, has, settle } = await watchOf(t, cluster, { kinds: ['Service'] });
  await settle(() => watch.state()[0]!.synced);
  for (const name of ['b', 'c', 'd', 'e']) await cluster.create(path, service(name));
  await settle(() => ['b', 'c', 'd', 'e'].every((name) => has(`Service ${name}`)));
  t.true(watch.state()[0]!.errors >= 2);
  server.writeToWatches('{"type":"AD\n', { path: SERVICES });
  await cluster.create(path, service('f'));
  await settle(() => has('Service f'));
});
