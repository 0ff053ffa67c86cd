// SPDX-License-Identifier: Apache-2.0
// Lists and watches, on every API server there is.
import { configMap, mapsOf, names, refused, service, told } from './cases.js';
import { newNamespace, onClusters } from './suites.js';
import { pod } from './workloads.js';

const onEach = onClusters();

onEach('pages are of one state, whatever happens meanwhile', async (t, cluster) => {
  const path = mapsOf(await newNamespace(cluster));
  for (const name of ['a', 'b', 'c', 'd', 'e']) await cluster.create(path, configMap(name));
  const first = await cluster.get(path, { limit: 2 });
  t.deepEqual(names(first), ['a', 'b']);
  t.is(first.metadata.remainingItemCount, 3);
  await cluster.remove(`${path}/c`);
  await cluster.create(path, configMap('bb'));
  await cluster.patch(`${path}/d`, { data: { changed: 'yes' } });
  const second = await cluster.get(path, { limit: 2, continue: first.metadata.continue });
  t.deepEqual(names(second), ['c', 'd']);
  t.deepEqual(second.items[1].data, undefined);
  t.is(second.metadata.resourceVersion, first.metadata.resourceVersion);
  const third = await cluster.get(path, { limit: 2, continue: second.metadata.continue });
  t.deepEqual(names(third), ['e']);
  t.is(third.metadata.continue, undefined);
  const now = await cluster.get(path);
  t.deepEqual(names(now), ['a', 'b', 'bb', 'd', 'e']);
  const { resourceVersion } = first.metadata;
  const then = await cluster.get(path, { resourceVersion, resourceVersionMatch: 'Exact' });
  t.deepEqual(names(then), ['a', 'b', 'c', 'd', 'e']);
});

onEach('a watch goes on from a resourceVersion and tells each change once', async (t, cluster) => {
  const path = mapsOf(await newNamespace(cluster));
  const { metadata } = await cluster.create(path, configMap('a'));
  await cluster.create(path, configMap('b'));
  await cluster.patch(`${path}/a`, { data: { x: '1' } });
  const watch = await cluster.watch(path, { resourceVersion: metadata.resourceVersion });
  await cluster.remove(`${path}/b`);
  // Nothing changes, nothing is told.
  await cluster.patch(`${path}/a`, { data: { x: '1' } });
  const { resourceVersion } = (await cluster.create(path, configMap('c'))).metadata;
  await watch.until((events) => events.length >= 4);
  t.deepEqual(told(watch.events), ['ADDED b', 'MODIFIED a', 'DELETED b', 'ADDED c']);
  const versions = watch.events.map(({ object }) => Number(object.metadata.resourceVersion));
  t.deepEqual(
    versions,
    versions.toSorted((a, b) => a - b),
  );
  t.is(String(versions.at(-1)), resourceVersion);
  t.is(watch.events[0]!.object.kind, 'ConfigMap');
  watch.close();
  const initial = await cluster.watch(path, { resourceVersion: 0 });
  await initial.until((events) => events.length >= 2);
  t.deepEqual(told(initial.events).sort(), ['ADDED a', 'ADDED c']);
  initial.close();
});

onEach('a watch ends when its time is over', async (t, cluster) => {
  const path = mapsOf(await newNamespace(cluster));
  const { metadata } = await cluster.get(path);
  const began = Date.now();
  const { resourceVersion } = metadata;
  const watch = await cluster.watch(path, { resourceVersion, timeoutSeconds: 1 });
  await watch.over();
  t.true(Date.now() - began >= 900);
  t.deepEqual(watch.events, []);
});

onEach('a list that is streamed ends with a bookmark', async (t, cluster) => {
  const path = mapsOf(await newNamespace(cluster));
  await cluster.create(path, configMap('a'));
  const { minor } = await cluster.get('/version');
  if (Number.parseInt(minor, 10) < 32) {
    t.pass('only newer servers do it');
    return;
  }
  const watch = await cluster.watch(path, {
    sendInitialEvents: true,
    resourceVersionMatch: 'NotOlderThan',
    allowWatchBookmarks: true,
  });
  await watch.until((events) => events.some(({ type }) => type === 'BOOKMARK'));
  await cluster.create(path, configMap('b'));
  await watch.until((events) => told(events).length >= 2);
  t.deepEqual(
    watch.events.slice(0, 3).map(({ type }) => type),
    ['ADDED', 'BOOKMARK', 'ADDED'],
  );
  const { annotations } = watch.events[1]!.object.metadata;
  t.is(annotations['k8s.io/initial-events-end'], 'true');
  watch.close();
  const asked = await cluster.ask('GET', path, undefined, {
    query: { watch: true, sendInitialEvents: true },
  });
  refused(t, asked, 422, 'Invalid');
});

onEach('what begins to fit a selector is added, what ceases is deleted', async (t, cluster) => {
  const path = mapsOf(await newNamespace(cluster));
  const { resourceVersion } = (await cluster.get(path)).metadata;
  const watch = await cluster.watch(path, { resourceVersion, labelSelector: 'app=web' });
  await cluster.create(path, configMap('a', { app: 'web' }));
  await cluster.create(path, configMap('b', { app: 'db' }));
  await cluster.patch(`${path}/b`, { metadata: { labels: { app: 'web' } } });
  await cluster.patch(`${path}/a`, { metadata: { labels: { app: null } } });
  await cluster.patch(`${path}/b`, { data: { x: '1' } });
  await cluster.remove(`${path}/a`);
  await cluster.remove(`${path}/b`);
  await watch.until((events) => events.length >= 5);
  t.deepEqual(told(watch.events), ['ADDED a', 'ADDED b', 'DELETED a', 'MODIFIED b', 'DELETED b']);
  // It is as it was when it was wanted, with the resourceVersion of the change.
  const { object } = watch.events[2]!;
  t.is(object.metadata.labels.app, 'web');
  t.true(
    Number(object.metadata.resourceVersion) >
      Number(watch.events[1]!.object.metadata.resourceVersion),
  );
  watch.close();
});

onEach('label selectors have all their operators', async (t, cluster) => {
  const path = mapsOf(await newNamespace(cluster));
  await cluster.create(path, configMap('a', { app: 'web', tier: '1' }));
  await cluster.create(path, configMap('b', { app: 'db' }));
  await cluster.create(path, configMap('c', { tier: '2', 'example.com/x': '' }));
  for (const [labelSelector, wanted] of [
    ['app=web', 'a'],
    ['app==web', 'a'],
    ['app!=web', 'bc'],
    ['app', 'ab'],
    ['!app', 'c'],
    ['app in (web,db)', 'ab'],
    ['app notin (web, x)', 'bc'],
    ['tier>1', 'c'],
    ['tier<2', 'a'],
    ['app,tier=1', 'a'],
    ['example.com/x=', 'c'],
    ['app in (db),!tier', 'b'],
  ] as const) {
    const list = await cluster.get(path, { labelSelector });
    t.is(names(list).join(''), wanted, labelSelector);
  }
  const wrong = await cluster.ask('GET', path, undefined, { query: { labelSelector: 'a=(' } });
  refused(t, wrong, 400, 'BadRequest');
});

onEach('field selectors are those that the kind has', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const services = `/api/v1/namespaces/${namespace}/services`;
  await cluster.load([service(namespace, 'a'), service(namespace, 'b', { clusterIP: 'None' })]);
  const selected = async (fieldSelector: string) =>
    names(await cluster.get(services, { fieldSelector }));
  t.deepEqual(await selected('spec.clusterIP!=None'), ['a']);
  t.deepEqual(await selected('metadata.name=b'), ['b']);
  t.deepEqual(await selected('metadata.name=b,spec.clusterIP!=None'), []);
  const all = await cluster.get('/api/v1/services', {
    fieldSelector: `metadata.namespace=${namespace}`,
  });
  t.deepEqual(names(all), ['a', 'b']);
  const query = { fieldSelector: 'spec.sessionAffinity=None' };
  refused(t, await cluster.ask('GET', services, undefined, { query }), 400, 'BadRequest');
  await cluster.load([pod({ name: 'p', namespace, node: 'n1', ips: ['10.244.1.1'] })]);
  const pods = await cluster.get(`/api/v1/namespaces/${namespace}/pods`, {
    fieldSelector: 'spec.nodeName=n1,status.phase=Running',
  });
  t.deepEqual(names(pods), ['p']);
});
