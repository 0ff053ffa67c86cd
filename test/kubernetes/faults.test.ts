// SPDX-License-Identifier: Apache-2.0
// What only the API server in this process can do: go wrong when it is asked to.
import type { Tree } from './server/objects.js';
import { newNamespace, onClusters } from './suites.js';
import { slice } from './workloads.js';

const here = onClusters({ kinds: ['in-process'], bookmarkMs: 50 });
const ours = onClusters({ kinds: ['in-process', 'process'] });

const SERVICES = '/api/v1/services';
const configMap = (name: string, data: Tree = { x: 'y' }): Tree => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});
const mapsOf = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`;

ours('history that was compacted is gone: for watches, lists and pages', async (t, cluster) => {
  const path = mapsOf(await newNamespace(cluster));
  for (const name of ['a', 'b', 'c']) await cluster.create(path, configMap(name));
  const page = await cluster.get(path, { limit: 1 });
  const { resourceVersion } = page.metadata;
  await cluster.create(path, configMap('d'));
  await cluster.compact!();
  const watch = await cluster.watch(path, { resourceVersion });
  await watch.over();
  t.is(watch.events.length, 1);
  t.is(watch.events[0]!.type, 'ERROR');
  t.like(watch.events[0]!.object, { kind: 'Status', reason: 'Expired', code: 410 });
  const query = { limit: 1, continue: page.metadata.continue };
  const next = await cluster.ask('GET', path, undefined, { query });
  t.is(next.code, 410);
  t.is(next.json.reason, 'Expired');
  // The rest, as it is now.
  const rest = await cluster.get(path, { continue: next.json.metadata.continue });
  t.deepEqual(
    rest.items.map(({ metadata }: Tree) => metadata.name),
    ['b', 'c', 'd'],
  );
  const exact = { resourceVersion, resourceVersionMatch: 'Exact' };
  t.is((await cluster.ask('GET', path, undefined, { query: exact })).code, 410);
});

here('bookmarks come by the clock and before the end', async (t, cluster) => {
  const path = mapsOf(await newNamespace(cluster));
  const { resourceVersion } = (await cluster.get(path)).metadata;
  const watch = await cluster.watch(path, { resourceVersion, allowWatchBookmarks: true });
  await newNamespace(cluster);
  await watch.until((events) =>
    events.some(
      ({ type, object }) =>
        type === 'BOOKMARK' && Number(object.metadata.resourceVersion) > Number(resourceVersion),
    ),
  );
  t.true(watch.events.every(({ type }) => type === 'BOOKMARK'));
  watch.close();
});

here('tokens change while it runs, and users have rights', async (t, cluster) => {
  const server = cluster.server!;
  const code = async (token: string, path = SERVICES) =>
    (await cluster.ask('GET', path, undefined, { token })).code;
  server.tokens.set('new', {
    user: 'new',
    may: (verb, resource) => resource === 'services' && verb === 'list',
  });
  t.is(await code('new'), 200);
  t.is(await code('new', '/api/v1/pods'), 403);
  server.tokens.delete('new');
  t.is(await code('new'), 401);
});

here('what is asked is noted', async (t, cluster) => {
  const server = cluster.server!;
  server.requests = [];
  await cluster.get(SERVICES, { limit: 5 });
  const watch = await cluster.watch(SERVICES, { labelSelector: 'a=b' });
  t.is(server.watches({ path: SERVICES }), 1);
  const [list, open] = server.requests;
  t.like(list, { method: 'GET', path: SERVICES, isWatch: false, user: 'admin', code: 200 });
  t.is(list!.query.get('limit'), '5');
  t.true(open!.isWatch);
  t.is(open!.query.get('labelSelector'), 'a=b');
  t.is(server.dropWatches({ path: SERVICES }), 1);
  await watch.over();
  t.is(server.watches(), 0);
});

here('answers are late, refused, cut, slow or nonsense', async (t, cluster) => {
  const { faults } = cluster.server!;
  const began = Date.now();
  faults.add({ path: SERVICES, delayMs: 100, times: 1 });
  await cluster.get(SERVICES);
  t.true(Date.now() - began >= 100);

  faults.add({ path: SERVICES, status: 429, retryAfterSeconds: 2, times: 1 });
  const limited = await cluster.ask('GET', SERVICES);
  t.is(limited.code, 429);
  t.is(limited.headers['retry-after'], '2');
  t.is(limited.json.reason, 'TooManyRequests');
  faults.add({ path: /services$/, status: 500, times: 1 });
  t.is((await cluster.ask('GET', SERVICES)).code, 500);
  faults.add({ watch: true, status: 410, times: 1 });
  t.is((await cluster.ask('GET', SERVICES, undefined, { query: { watch: true } })).code, 410);

  faults.add({ path: SERVICES, cutAfterBytes: 50, times: 1 });
  await t.throwsAsync(cluster.get(SERVICES));
  faults.add({ path: SERVICES, chunkBytes: 100, everyMs: 1, times: 1 });
  t.is((await cluster.get(SERVICES)).kind, 'ServiceList');
  faults.add({ path: SERVICES, body: '{"kind":', times: 1 });
  await t.throwsAsync(cluster.get(SERVICES), { instanceOf: SyntaxError });

  const remove = faults.add({ path: SERVICES, status: 503 });
  t.is((await cluster.ask('GET', SERVICES)).code, 503);
  remove();
  t.is((await cluster.ask('GET', SERVICES)).code, 200);
});

here('connections are refused, and accepted again', async (t, cluster) => {
  const server = cluster.server!;
  const watch = await cluster.watch(SERVICES);
  await server.refuse();
  await watch.over();
  await t.throwsAsync(cluster.get(SERVICES), { code: 'ECONNREFUSED' });
  await server.listen();
  t.is((await cluster.get(SERVICES)).kind, 'ServiceList');
});

here('events come in halves and in pairs', async (t, cluster) => {
  const path = mapsOf(await newNamespace(cluster));
  const { faults } = cluster.server!;
  for (const fault of [{ chunkBytes: 1 }, { chunkBytes: 7, everyMs: 1 }, { coalesceMs: 50 }]) {
    const { resourceVersion } = (await cluster.get(path)).metadata;
    faults.add({ ...fault, watch: true, times: 1 });
    const watch = await cluster.watch(path, { resourceVersion });
    await cluster.create(path, configMap('a', { x: 'ü€😀' }));
    await cluster.remove(`${path}/a`);
    await watch.until((events) => events.length >= 2);
    t.is(watch.events[1]!.object.data.x, 'ü€😀');
    watch.close();
  }
});

here('objects of any shape are injected', async (t, cluster) => {
  const server = cluster.server!;
  const { resourceVersion } = (await cluster.get(SERVICES)).metadata;
  const watch = await cluster.watch(SERVICES, { resourceVersion });
  const spec = { ports: 'none', clusterIPs: [7] };
  server.inject('services', { metadata: { namespace: 'default', name: 'odd' }, spec });
  await watch.until((events) => events.length === 1);
  t.deepEqual(watch.events[0]!.object.spec, spec);
  server.eject('services', 'default/odd');
  await watch.until((events) => events.length === 2);
  t.is(watch.events[1]!.type, 'DELETED');
  const client = await cluster.watch(SERVICES, { resourceVersion });
  await client.until((events) => events.length === 2);
  t.is(server.writeToWatches('{"type":"MODIFIED","object":7}\n', { path: SERVICES }), 2);
  await client.until((events) => events.length === 3);
  t.is(client.events[2]!.object, 7);
  watch.close();
  client.close();
});

ours('ten thousand services and slices are loaded and listed', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const services = Array.from({ length: 10_000 }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `s${i}`, namespace },
    spec: { ports: [{ port: 80 }] },
  }));
  const slices = services.map(({ metadata }, i) => {
    const endpoints = Array.from({ length: 10 }, (_, j) => ({
      address: `10.${128 + (i >> 8)}.${i & 255}.${j + 1}`,
      node: `n${j}`,
    }));
    return slice({ service: metadata.name, namespace, endpoints, ports: { '': 80 } });
  });
  const began = Date.now();
  await cluster.load(services);
  await cluster.load(slices);
  const loaded = Date.now();
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
  let query: Record<string, string | number> = { limit: 500 };
  let count = 0;
  for (;;) {
    const page = await cluster.get(path, query);
    count += page.items.length;
    if (!page.metadata.continue) break;
    query = { limit: 500, continue: page.metadata.continue };
  }
  t.is(count, 10_000);
  t.log(`loaded in ${loaded - began} ms, listed in ${Date.now() - loaded} ms`);
  t.true(loaded - began < 30_000);
});
