// SPDX-License-Identifier: Apache-2.0
// What an API server accepts and a node agent cannot serve as it is, or not yet.
import { objectPath } from './cluster.js';
import { LocalAgent, NODE } from './node-agent.js';
import type { Tree } from './server/objects.js';
import { newNamespace, onClusters } from './suites.js';
import { slice } from './workloads.js';

const onEach = onClusters({ kinds: ['process', 'real'] });

const service = (namespace: string, name: string, spec: Tree = {}): Tree => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { ports: [{ name: 'http', port: 80 }], ...spec },
});

onEach('a slice of 1,000 endpoints that comes before its Service', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const agent = await LocalAgent.start(t, cluster);
  const endpoints = Array.from({ length: 1_000 }, (_, index) => ({
    address: `10.1.${index >> 8}.${index & 255}`,
  }));
  const many = slice({ service: 'late', namespace, endpoints, ports: { http: 8080 } });
  await cluster.load([many, service(namespace, 'early')]);
  await agent.until(t, () => agent.serving(namespace, 'early') !== null, true);
  t.is(agent.serving(namespace, 'late'), null);
  t.is(agent.complaints(namespace, 'late').length, 0);
  await cluster.load([service(namespace, 'late')]);
  const count = () => agent.serving(namespace, 'late')?.split(',').length ?? 0;
  await agent.until(t, count, 1_000);
  await cluster.patch(objectPath(many), { endpoints: many.endpoints.slice(0, 2) });
  await agent.until(t, count, 2);
  await cluster.remove(objectPath(many));
  await agent.until(t, count, 1);
});

onEach('endpoints of odd shapes', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const agent = await LocalAgent.start(t, cluster);
  const good = slice({
    service: 'web',
    namespace,
    endpoints: [{ address: '10.2.0.1' }],
    ports: { http: 8080 },
  });
  const odd = (name: string, change: Tree): Tree => ({
    ...good,
    ...change,
    metadata: { ...good.metadata, name, ...change.metadata },
  });
  await cluster.load([
    service(namespace, 'web'),
    good,
    odd('none', { endpoints: [] }),
    odd('names', { addressType: 'FQDN', endpoints: [{ addresses: ['www.example'] }] }),
    odd('six', { addressType: 'IPv6', endpoints: [{ addresses: ['fd00::1'] }] }),
    odd('other', { ports: [{ name: 'other', port: 1 }] }),
    odd('portless', { ports: [] }),
    odd('twice', {}),
    odd('going', {
      endpoints: [
        {
          addresses: ['10.2.0.9'],
          conditions: { ready: false, serving: true, terminating: true },
        },
      ],
    }),
    odd('nobodys', { metadata: { labels: {} } }),
  ]);
  const { spec } = await cluster.get(`/api/v1/namespaces/${namespace}/services/web`);
  const now = `${spec.clusterIP} 80/TCP=10.2.0.1:8080`;
  await agent.until(t, () => agent.serving(namespace, 'web'), now);
  await cluster.patch(objectPath(good), { endpoints: [{ addresses: ['10.2.0.2'] }] });
  await cluster.remove(objectPath(odd('twice', {})));
  const then = `${spec.clusterIP} 80/TCP=10.2.0.2:8080`;
  await agent.until(t, () => agent.serving(namespace, 'web'), then);
  t.is(await agent.refused('EndpointSlice'), 0);
});

onEach(
  'an external IP of the other family is an Event, and the rest is served',
  async (t, cluster) => {
    const namespace = await newNamespace(cluster);
    const agent = await LocalAgent.start(t, cluster);
    const externalIPs = ['192.0.2.77', '2001:db8::77'];
    await cluster.load([
      service(namespace, 'web', {
        externalIPs,
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
      }),
    ]);
    const external = () =>
      agent.agent.proxy.services.find((each) => each.namespace === namespace)?.externalIPs;
    await agent.until(t, external, ['192.0.2.77']);
    await agent.until(t, () => agent.complaints(namespace, 'web').length, 1);
    const found = async (): Promise<Tree[]> => {
      const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
      const { items } = await cluster.get(path);
      return items
        .filter(({ reason }: Tree) => reason === 'KubeProxyIncorrectIPVersion')
        .map(({ type, regarding, note, reportingInstance }: Tree) => ({
          type,
          kind: regarding.kind,
          name: regarding.name,
          says: note.includes('2001:db8::77'),
          by: reportingInstance.includes(NODE),
        }));
    };
    await agent.until(t, found, [
      { type: 'Warning', kind: 'Service', name: 'web', says: true, by: true },
    ]);
    // What stays wrong is no news.
    await cluster.patch(`/api/v1/namespaces/${namespace}/services/web`, {
      metadata: { labels: { changed: 'yes' } },
    });
    await cluster.load([service(namespace, 'other')]);
    await agent.until(t, () => agent.serving(namespace, 'other') !== null, true);
    t.is(agent.complaints(namespace, 'web').length, 1);
  },
);
