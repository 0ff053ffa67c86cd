// SPDX-License-Identifier: Apache-2.0
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import type { OpenWatch } from './client.js';
import { objectPath, startCluster, type TestCluster } from './cluster.js';
import { kubectlObstacle } from './kubectl.js';
import {
  asSent,
  recordedEvents,
  recordedHead,
  recordedJson,
  shape,
  shapesOf,
} from './recordings.js';
import type { Tree } from './server/objects.js';

const test = anyTest as TestFn<{ cluster: TestCluster }>;
const SHOP = '/api/v1/namespaces/shop';

const COLLECTIONS: Readonly<Record<string, string>> = {
  services: '/api/v1/services',
  pods: '/api/v1/pods',
  nodes: '/api/v1/nodes',
  namespaces: '/api/v1/namespaces',
  networkpolicies: '/apis/networking.k8s.io/v1/networkpolicies',
  endpointslices: '/apis/discovery.k8s.io/v1/endpointslices',
};

test.beforeEach(async (t) => {
  const cluster = await startCluster('in-process', { bookmarkMs: 100 });
  t.context.cluster = cluster;
  cluster.server!.tokens.set('plain', { user: 'plain', may: () => false });
  await cluster.remove('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes');
});
test.afterEach.always((t) => t.context.cluster.stop());

/** What there was when the recorded watches began. */
async function before(cluster: TestCluster): Promise<void> {
  const labels = { team: 'a' };
  await cluster.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels } }]);
  for (const node of recordedJson('nodes.list.json').items) {
    const sent = asSent({ apiVersion: 'v1', kind: 'Node', ...node });
    await cluster.load([sent]);
  }
  for (let i = 1; i <= 7; i++) await createService(cluster, `s${i}`, [['80-8080', 80, 8080]]);
}

async function createService(
  cluster: TestCluster,
  name: string,
  ports: readonly (readonly [name: string, port: number, target: number])[],
  more: Tree = {},
): Promise<void> {
  await cluster.create(`${SHOP}/services`, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: { app: name } },
    spec: {
      ports: ports.map(([of, port, targetPort]) => ({
        name: of,
        protocol: 'TCP',
        port,
        targetPort,
      })),
      selector: { app: name },
      type: 'ClusterIP',
      ...more,
    },
  });
}

async function watchFromNow(cluster: TestCluster, path: string): Promise<OpenWatch> {
  const { metadata } = await cluster.get(path);
  const { resourceVersion } = metadata;
  return cluster.watch(path, { allowWatchBookmarks: true, resourceVersion });
}

/** The watch shows as many events as the recorded one, and the same. */
async function sameEvents(t: ExecutionContext, watch: OpenWatch, recorded: readonly Tree[]) {
  const wanted = shapesOf(recorded);
  await watch.until((events) => shapesOf(events).length >= wanted.length);
  const seen = shapesOf(watch.events);
  for (const [index, event] of wanted.entries()) t.deepEqual(seen[index], event, `event ${index}`);
  t.is(seen.length, wanted.length);
}

test('lists have the fields of the recorded ones', async (t) => {
  const { cluster } = t.context;
  await before(cluster);
  for (const kind of ['services', 'nodes', 'namespaces', 'pods', 'networkpolicies']) {
    const list = await cluster.get(COLLECTIONS[kind]!);
    const recorded = recordedJson(`${kind}.list.json`);
    t.deepEqual(Object.keys(list), Object.keys(recorded), kind);
    const [is, was] = [list, recorded].map((one) => withoutApplied(shape(one)));
    if (kind === 'services') {
      is.items[0].spec.ports[0].targetPort = was.items[0].spec.ports[0].targetPort;
    }
    t.deepEqual(is, was, kind);
    const fields = ({ metadata }: Tree): string[] =>
      Object.keys(metadata).filter((name) => name !== 'annotations');
    t.deepEqual(list.items.map(fields), recorded.items.map(fields), kind);
  }
});

/** Without the annotation of `kubectl apply`. */
function withoutApplied(list: Tree): Tree {
  for (const { metadata } of list.items) delete metadata.annotations;
  return list;
}

test('fields have the recorded managers', async (t) => {
  const { cluster } = t.context;
  await before(cluster);
  const { items } = await cluster.get(COLLECTIONS['services']!);
  const recorded = recordedJson('services.list.json').items;
  const ours = items[1].metadata.managedFields[0];
  const theirs = recorded[1].metadata.managedFields[0];
  t.deepEqual(Object.keys(ours), Object.keys(theirs));
  t.deepEqual(ours.fieldsV1, theirs.fieldsV1);
});

test('pages are those of the recording', async (t) => {
  const { cluster } = t.context;
  await before(cluster);
  const query: Record<string, string | number> = { limit: 3 };
  for (const name of ['services.page1.json', 'services.page2.json']) {
    const page = await cluster.get(COLLECTIONS['services']!, query);
    const recorded = recordedJson(name);
    const names = (list: Tree): string[] => list.items.map(({ metadata }: Tree) => metadata.name);
    t.deepEqual(names(page), names(recorded));
    t.is(page.metadata.remainingItemCount, recorded.metadata.remainingItemCount);
    const [ours, theirs] = [page, recorded].map(({ metadata }) =>
      JSON.parse(Buffer.from(metadata.continue, 'base64url').toString()),
    );
    t.is(ours.rv, Number(page.metadata.resourceVersion));
    t.deepEqual({ ...ours, rv: 0 }, { ...theirs, rv: 0 });
    query['continue'] = page.metadata.continue;
  }
  const last = await cluster.get(COLLECTIONS['services']!, query);
  t.deepEqual(Object.keys(last.metadata), ['resourceVersion']);
  t.is(last.items.length, 2);
  const selected = await cluster.get(COLLECTIONS['services']!, {
    fieldSelector: 'spec.clusterIP!=None',
  });
  t.is(selected.items.length, recordedJson('services.field-selector.json').items.length);
});

test('errors and their headers are the recorded ones', async (t) => {
  const { cluster } = t.context;
  const path = COLLECTIONS['services']!;
  const ask = (query: Record<string, string>, token?: string) =>
    cluster.ask('GET', path, undefined, { query, ...(token && { token }) });
  const current = (await cluster.get(path)).metadata.resourceVersion;
  const answers = {
    '401': await ask({}, 'wrong'),
    '403': await ask({}, 'plain'),
    '404': await cluster.ask('GET', '/apis/nothing.example/v1/things'),
    '400-continue': await ask({ limit: '3', continue: 'not-a-token' }),
    '504-future-rv': await ask({ resourceVersion: '999999999' }),
  };
  for (const [name, reply] of Object.entries(answers)) {
    const head = recordedHead(`error-${name}.headers.txt`);
    t.is(reply.code, head.code, name);
    t.deepEqual(
      Object.keys(reply.headers)
        .filter((header) => !/^(connection|keep-alive)$/.test(header))
        .sort(),
      Object.keys(head.headers).sort(),
      name,
    );
    t.is(reply.headers['content-type'], head.headers['content-type']);
    t.is(reply.headers['retry-after'], head.headers['retry-after']);
    if (name === '404') {
      t.is(reply.text, '404 page not found\n');
      continue;
    }
    const recorded = recordedJson(`error-${name}.json`);
    const message = recorded.message.replace(/current: \d+/, `current: ${current}`);
    t.deepEqual(reply.json, { ...recorded, message }, name);
  }
  const list = await ask({});
  const recorded = recordedHead('services.headers.txt');
  for (const header of Object.keys(recorded.headers)) t.true(header in list.headers, header);
});

test('the version and the groups are told as in the recording', async (t) => {
  const { cluster } = t.context;
  const version = await cluster.get('/version');
  t.deepEqual(Object.keys(version), Object.keys(recordedJson('version.json')));
  const { groups, ...rest } = await cluster.get('/apis');
  const recorded = recordedJson('apis.json');
  t.deepEqual(rest, { kind: recorded.kind, apiVersion: recorded.apiVersion });
  for (const group of groups) {
    t.deepEqual(
      group,
      recorded.groups.find(({ name }: Tree) => name === group.name),
    );
  }
});

test('bookmarks are those of the recording', async (t) => {
  const { cluster } = t.context;
  for (const [kind, path] of Object.entries(COLLECTIONS)) {
    const watch = await watchFromNow(cluster, path);
    await watch.until((events) => events.some(({ type }) => type === 'BOOKMARK'));
    const bookmark = watch.events.find(({ type }) => type === 'BOOKMARK');
    const recorded = recordedEvents(`${kind}.watch.jsonl`).find(({ type }) => type === 'BOOKMARK');
    t.deepEqual(shape(bookmark), shape(recorded));
    watch.close();
  }
});

test('a list that is streamed ends as the recorded one', async (t) => {
  const { cluster } = t.context;
  await before(cluster);
  const watch = await cluster.watch(COLLECTIONS['services']!, {
    sendInitialEvents: true,
    resourceVersionMatch: 'NotOlderThan',
    allowWatchBookmarks: true,
  });
  const recorded = recordedEvents('services.watchlist.jsonl').slice(0, 9);
  await watch.until((events) => events.length >= 9);
  const head = (event: Tree): Tree => [event.type, event.object.metadata.name, event.object.kind];
  t.deepEqual(watch.events.slice(0, 9).map(head), recorded.map(head));
  t.deepEqual(shape(watch.events[8]), shape(recorded[8]));
});

test('slices are stored and counted as the recorded ones', async (t) => {
  const { cluster } = t.context;
  await before(cluster);
  await cluster.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gone' } }]);
  // Those that were there before the watch began.
  const listed = recordedJson('endpointslices.list.json').items;
  const what = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' };
  await cluster.load(listed.map((slice: Tree) => asSent({ ...what, ...slice })));
  const watch = await watchFromNow(cluster, COLLECTIONS['endpointslices']!);
  const recorded = recordedEvents('endpointslices.watch.jsonl').filter(
    ({ type }) => type !== 'BOOKMARK',
  );
  for (const { type, object } of recorded) {
    const sent = asSent(object);
    const path = objectPath(sent);
    if (type === 'ADDED') await cluster.load([sent]);
    else if (type === 'DELETED') await cluster.remove(path);
    else await cluster.replace(path, sent);
  }
  await sameEvents(t, watch, recorded);
});

const withKubectl = kubectlObstacle() === null ? test : test.skip;
const titled = (title: string): string =>
  kubectlObstacle() === null ? title : `${title} (${kubectlObstacle()})`;

withKubectl(titled('the recorded steps on Services make the recorded events'), async (t) => {
  const { cluster } = t.context;
  await before(cluster);
  const recorded = recordedEvents('services.watch.jsonl');
  const watch = await watchFromNow(cluster, COLLECTIONS['services']!);
  const kubectl = (...args: string[]) => cluster.kubectl([...args, '--namespace=shop']);
  const patch = (name: string, spec: Tree) =>
    kubectl('patch', 'service', name, '--patch', JSON.stringify({ spec }));

  const first = recorded[0].object;
  const applied = first.metadata.annotations['kubectl.kubernetes.io/last-applied-configuration'];
  await cluster.kubectl('apply -f -', applied);
  await patch('cart', { type: 'NodePort' });
  await patch('cart', {
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    loadBalancerSourceRanges: ['192.168.0.0/24'],
  });
  const ingress = [
    { ip: '203.0.113.7' },
    { ip: '203.0.113.8', ipMode: 'Proxy' },
    { hostname: 'lb.example' },
  ];
  await cluster.json(
    'PATCH',
    `${SHOP}/services/cart/status`,
    { status: { loadBalancer: { ingress } } },
    { type: 'application/merge-patch+json' },
  );
  await patch('cart', {
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 10 } },
  });
  await patch('cart', { trafficDistribution: 'PreferSameZone' });
  await patch('cart', {
    type: 'ClusterIP',
    externalTrafficPolicy: null,
    loadBalancerSourceRanges: null,
  });
  await patch('s1', {
    type: 'ExternalName',
    externalName: 'x.example',
    selector: null,
    ports: null,
  });
  await kubectl('create', 'service', 'clusterip', 'head', '--clusterip=None', '--tcp=80:80');
  await kubectl('label', 'service', 's2', 'service.kubernetes.io/service-proxy-name=other');
  await kubectl('label', 'service', 's2', 'service.kubernetes.io/service-proxy-name-');
  await kubectl('delete', 'service', 's3');
  await kubectl('create', 'service', 'clusterip', 's3', '--tcp=81:8080');
  await cluster.kubectl('create namespace gone');
  await cluster.kubectl('create service clusterip x --tcp=1:1 --namespace=gone');
  await cluster.kubectl('delete namespace gone');
  await sameEvents(t, watch, recorded);
});

withKubectl(
  titled('the recorded steps on nodes and namespaces make the recorded events'),
  async (t) => {
    const { cluster } = t.context;
    await before(cluster);
    const nodes = await watchFromNow(cluster, COLLECTIONS['nodes']!);
    const namespaces = await watchFromNow(cluster, COLLECTIONS['namespaces']!);
    await cluster.kubectl('label node node-1 topology.kubernetes.io/zone=zone-c --overwrite');
    await cluster.kubectl('taint node node-1 ToBeDeletedByClusterAutoscaler=1:NoSchedule');
    await cluster.kubectl('create namespace gone');
    await cluster.kubectl('delete namespace gone');
    const recorded = recordedEvents('nodes.watch.jsonl');
    await sameEvents(t, nodes, recorded);
    await sameEvents(t, namespaces, recordedEvents('namespaces.watch.jsonl'));
  },
);

withKubectl(titled('the recorded steps on policies make the recorded events'), async (t) => {
  const { cluster } = t.context;
  await before(cluster);
  const recorded = recordedEvents('networkpolicies.watch.jsonl');
  const watch = await watchFromNow(cluster, COLLECTIONS['networkpolicies']!);
  for (const { type, object } of recorded) {
    if (type === 'BOOKMARK') continue;
    const { annotations } = object.metadata;
    const applied = annotations['kubectl.kubernetes.io/last-applied-configuration'];
    await cluster.kubectl('apply -f -', applied);
  }
  await sameEvents(t, watch, recorded);
});

withKubectl(titled('the recorded steps on pods make the recorded events'), async (t) => {
  const { cluster } = t.context;
  await before(cluster);
  const recorded = recordedEvents('pods.watch.jsonl').filter(({ type }) => type !== 'BOOKMARK');
  const watch = await watchFromNow(cluster, COLLECTIONS['pods']!);
  // A pod that is deleted goes on until its end is told, in two events.
  const ends = recorded.length - 3;
  for (const [index, { type, object }] of recorded.entries()) {
    const { name, annotations } = object.metadata;
    if (type === 'ADDED') {
      const applied = annotations['kubectl.kubernetes.io/last-applied-configuration'];
      await cluster.kubectl('apply -f -', applied);
    } else if (index < ends) {
      const { phase, conditions, podIP, podIPs } = object.status;
      const body = { status: { phase, conditions, podIP, podIPs } };
      const type = 'application/strategic-merge-patch+json';
      await cluster.json('PATCH', `${SHOP}/pods/${name}/status`, body, { type });
    } else if (index === ends) {
      await cluster.kubectl(`delete pod ${name} --namespace=shop --wait=false`);
    } else if (index === ends + 1) {
      await cluster.kubectl(`delete pod ${name} --namespace=shop --grace-period=0 --force`);
    }
  }
  await sameEvents(t, watch, recorded);
});
