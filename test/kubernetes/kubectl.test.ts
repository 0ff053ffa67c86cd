// SPDX-License-Identifier: Apache-2.0
// kubectl against every API server there is.
import type { Tree } from './server/objects.js';
import { newNamespace, onClusters } from './suites.js';
import { apply, node, pod, removeNamespace, removePod, setStatus, slice } from './workloads.js';

const onEach = onClusters({ kubectl: true });

const deployment = (namespace: string): Tree => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'none', ports: [{ containerPort: 80 }] }] },
    },
  },
});

onEach('kubectl creates, changes and deletes', async (t, cluster) => {
  const namespace = `by-kubectl-${process.pid}`;
  const path = `/api/v1/namespaces/${namespace}/services`;
  const run = (args: string, stdin?: Tree) =>
    cluster.kubectl([...args.split(' '), `--namespace=${namespace}`], stdin);
  await cluster.kubectl(`create namespace ${namespace}`);
  await run('create service clusterip a --tcp=80:8080');
  await run('create service nodeport b --tcp=80:8080');
  await run('create service externalname c --external-name=x.example');
  await run('create service clusterip d --clusterip=None --tcp=80');
  t.is((await run('get services --output=name')).split('\n').filter(Boolean).length, 4);
  await run('label service a tier=1');
  await run('annotate service a note=x');
  await run('set selector service a app=other');
  await cluster.kubectl([
    'patch',
    'service',
    'a',
    '-n',
    namespace,
    '-p',
    '{"spec":{"type":"NodePort"}}',
  ]);
  t.like(await cluster.get(`${path}/a`), {
    metadata: { labels: { app: 'a', tier: '1' }, annotations: { note: 'x' } },
    spec: { type: 'NodePort', selector: { app: 'other' } },
  });
  await run('delete service a b');
  t.is((await cluster.ask('GET', `${path}/a`)).code, 404);

  await run('apply -f -', deployment(namespace));
  t.regex(await run('apply -f -', deployment(namespace)), /unchanged/);
  await run('scale deployment web --replicas=3');
  const apps = `/apis/apps/v1/namespaces/${namespace}/deployments/web`;
  t.is((await cluster.get(apps)).spec.replicas, 3);
  await run('expose deployment web --port=80');
  t.deepEqual((await cluster.get(`${path}/web`)).spec.selector, { app: 'web' });
  await run('create configmap m --from-literal=a=b');
  await run('delete configmaps --all');
  await t.throwsAsync(run('get configmap m'), { message: /NotFound/ });
  await removeNamespace(cluster, namespace);
  t.is((await cluster.ask('GET', `/api/v1/namespaces/${namespace}`)).code, 404);
});

onEach('kubectl labels and taints nodes', async (t, cluster) => {
  const name = `node-${process.pid}`;
  await apply(cluster, node({ name, addresses: ['192.0.2.7'], podCIDRs: ['10.244.7.0/24'] }));
  await cluster.kubectl(`label node ${name} topology.kubernetes.io/zone=a`);
  await cluster.kubectl(`taint node ${name} ToBeDeletedByClusterAutoscaler=1:NoSchedule`);
  await cluster.kubectl(`wait --for=condition=Ready node/${name} --timeout=10s`);
  const made = await cluster.get(`/api/v1/nodes/${name}`);
  t.is(made.metadata.labels['topology.kubernetes.io/zone'], 'a');
  t.true(made.spec.taints.some(({ key }: Tree) => key === 'ToBeDeletedByClusterAutoscaler'));
  t.is(made.status.addresses[0].address, '192.0.2.7');
  await cluster.kubectl(`taint node ${name} ToBeDeletedByClusterAutoscaler-`);
  await cluster.kubectl(`delete node ${name}`);
});

onEach('workloads are made without controllers', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const web = pod({
    name: 'web-1',
    namespace,
    node: 'n1',
    ips: ['10.244.1.5', 'fd00:10:244::5'],
    labels: { app: 'web' },
    ports: { http: 80 },
  });
  const endpoints = [
    { address: '10.244.1.5', node: 'n1', pod: 'web-1', zone: 'a', forZones: ['a'] },
  ];
  const ports = { '': 80 };
  await apply(cluster, web, slice({ service: 'web', namespace, endpoints, ports }));
  const path = `/api/v1/namespaces/${namespace}/pods/web-1`;
  t.like((await cluster.get(path)).status, { phase: 'Running', podIP: '10.244.1.5' });
  await setStatus(cluster, web, { conditions: [{ type: 'Ready', status: 'False' }] });
  t.is((await cluster.get(path)).status.conditions[0].status, 'False');
  await cluster.kubectl(`delete pod web-1 -n ${namespace} --wait=false`);
  t.truthy((await cluster.get(path)).metadata.deletionTimestamp);
  await removePod(cluster, 'web-1', namespace);
  t.is((await cluster.ask('GET', path)).code, 404);
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
  t.deepEqual((await cluster.get(slices)).items[0].endpoints[0], {
    addresses: ['10.244.1.5'],
    conditions: { ready: true, serving: true, terminating: false },
    nodeName: 'n1',
    zone: 'a',
    targetRef: { kind: 'Pod', namespace, name: 'web-1' },
    hints: { forZones: [{ name: 'a' }] },
  });
});
