// SPDX-License-Identifier: Apache-2.0
// The demo with the services of an API server: what it shows, and that nothing of it stays.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { nativeObstacle } from '../../lib/cli/demo/prerequisites.js';
import { preferredEngine } from '../../lib/engine/choose.js';
import { folderOf } from '../support/cli.js';
import { lastLine, said, startDemo } from '../support/demo.js';
import { type ClusterKind, kubeconfigOf, type TestCluster } from './cluster.js';
import type { Tree } from './server/objects.js';
import { onClusters } from './suites.js';

/** Of a process's own, as a user's would be; the other one is for what is to go wrong. */
const KINDS: readonly ClusterKind[] = ['process', 'real'];

// Before the first test is declared: AVA has it so.
const engines: ('software' | 'dpdk')[] = ['software'];
if (preferredEngine().kind === 'dpdk' && (await nativeObstacle()) === null) engines.push('dpdk');

const onEach = onClusters({ kinds: KINDS });
const onFaulty = onClusters({ kinds: ['in-process'] });
for (const engine of engines)
  onEach(`${engine}: the demo shows the services of a cluster`, async (t, cluster) => {
    const others = await otherObjects(cluster);
    const demo = startDemo(t, [
      '--kubeconfig',
      cluster.kubeconfig,
      '--once',
      '--json',
      '--engine',
      engine,
    ]);
    t.is(await demo.code, 0, demo.stderr());
    const outcome = lastLine(demo);
    for (const { name, ok, detail } of outcome.checks) t.true(ok, `${name}: ${detail}`);
    const names = outcome.checks.map(({ name }) => name);
    for (const name of ['http spread', 'dns answered', 'api change followed', 'cleaned up'])
      t.true(names.includes(name), name);
    t.is(outcome.engine, engine);
    t.is(outcome.cluster?.server, cluster.url);
    t.regex(outcome.cluster!.namespace, /^sluice-demo-[0-9a-f]{6}$/);
    // The server gave them, not the manifests.
    for (const { address } of outcome.services) t.regex(address, /^10\.96\.\d+\.\d+$/);
    t.is(new Set(outcome.services.map(({ address }) => address)).size, 4);
    await isGone(t, cluster);
    t.deepEqual(await otherObjects(cluster), others);
  });

for (const [when, moment] of [
  ['while it makes its objects', /namespace sluice-demo/],
  ['in the middle of traffic', /HTTP connections/],
  ['in the middle of a change', /is terminating/],
] as const)
  onEach(`Ctrl-C ${when} leaves nothing behind`, async (t, cluster) => {
    const demo = startDemo(t, [
      '--kubeconfig',
      cluster.kubeconfig,
      '--once',
      '--json',
      '--engine',
      'software',
    ]);
    await said(demo, moment);
    demo.child.kill('SIGINT');
    demo.child.kill('SIGINT');
    t.is(await demo.code, 130, demo.stderr());
    t.like(lastLine(demo).checks.at(-1)!, { name: 'cleaned up', ok: true });
    await isGone(t, cluster);
  });

onEach('the live table follows the API server', async (t, cluster) => {
  const demo = startDemo(t, ['--kubeconfig', cluster.kubeconfig, '--json', '--engine', 'software']);
  await said(demo, /services of sluice-demo-[\s\S]*INTERFACE[\s\S]*echo-vhost +up +[1-9]/);
  demo.child.kill('SIGTERM');
  t.is(await demo.code, 0, demo.stderr());
  await isGone(t, cluster);
});

onFaulty('who may not create namespaces is told so', async (t, cluster) => {
  cluster.server!.tokens.set('reader', { user: 'bob', may: (verb) => verb !== 'create' });
  const path = join(await folderOf(t), 'kubeconfig');
  writeFileSync(path, kubeconfigOf(cluster.url, cluster.caFile, 'reader'));
  t.regex(
    await failed(t, path),
    /^namespace sluice-demo-\w+ cannot be created: https:.*: 403 Forbidden: .* User "bob" cannot create/,
  );
  await isGone(t, cluster);
});

onFaulty('a server that refuses half-way is left as it was', async (t, cluster) => {
  const path = /\/endpointslices$/;
  cluster.server!.faults.add({ method: 'POST', path, status: 422, times: 1 });
  t.regex(await failed(t, cluster.kubeconfig), /^EndpointSlice dns-1 cannot be created: .*422/);
  await isGone(t, cluster);
});

onFaulty('a namespace goes even where the server is away for a moment', async (t, cluster) => {
  const { faults } = cluster.server!;
  faults.add({ method: 'POST', path: /\/services$/, status: 500, times: 1 });
  faults.add({ method: 'DELETE', path: '/api/v1/namespaces/', status: 503, times: 3 });
  await failed(t, cluster.kubeconfig);
  faults.clear();
  await isGone(t, cluster);
});

test('a server that is not there and files that are wrong are told in a sentence', async (t) => {
  const folder = await folderOf(t);
  const fileOf = (text: string): string => {
    const path = join(folder, 'kubeconfig');
    writeFileSync(path, text);
    return path;
  };
  const dead = kubeconfigOf('https://127.0.0.1:1', '', 'x').replace(
    '"certificate-authority":""',
    '"insecure-skip-tls-verify":true',
  );
  t.regex(await failed(t, fileOf(dead)), /^https:\/\/127\.0\.0\.1:1\/.*ECONNREFUSED/);
  t.regex(await failed(t, join(folder, 'none')), /none: there is no such file/);
  t.regex(await failed(t, fileOf('{}')), /no current context/);
  t.regex(await failed(t, fileOf('a: [')), /not YAML/);
});

/** @returns why the demo ended */
async function failed(t: ExecutionContext, kubeconfig: string): Promise<string> {
  const demo = startDemo(t, [
    '--kubeconfig',
    kubeconfig,
    '--once',
    '--json',
    '--engine',
    'software',
  ]);
  t.is(await demo.code, 1, demo.stderr());
  const { checks } = lastLine(demo);
  t.deepEqual(
    checks.map(({ name, ok }) => ({ name, ok })),
    [
      { name: 'run to the end', ok: false },
      { name: 'cleaned up', ok: true },
    ],
  );
  t.false(checks[0]!.detail.includes('\n'));
  return checks[0]!.detail;
}

/** Nothing that makes it go is running where kube-apiserver is alone: there it is on its way out. */
async function isGone(t: ExecutionContext, cluster: TestCluster): Promise<void> {
  const labelSelector = 'app.kubernetes.io/managed-by=sluice-demo';
  const find = async (): Promise<Tree[]> =>
    (await cluster.get('/api/v1/namespaces', { labelSelector })).items;
  if (cluster.kind === 'real') {
    for (const { metadata } of await find()) t.truthy(metadata.deletionTimestamp, metadata.name);
    return;
  }
  const end = Date.now() + 5_000;
  while ((await find()).length > 0 && Date.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 50));
  t.deepEqual(await find(), []);
}

/** What is in the cluster besides the demo's own. */
async function otherObjects(cluster: TestCluster): Promise<string[]> {
  const found: string[] = [];
  for (const path of [
    '/api/v1/namespaces',
    '/api/v1/services',
    '/apis/discovery.k8s.io/v1/endpointslices',
  ])
    for (const { metadata } of (await cluster.get(path)).items)
      if (!`${metadata.namespace ?? metadata.name}`.startsWith('sluice-demo-'))
        found.push(`${path} ${metadata.namespace}/${metadata.name} ${metadata.uid}`);
  return found;
}
