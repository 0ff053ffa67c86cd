// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'ava';
import { checkModel } from '../../lib/model/check.js';
import { parseManifests, readManifests } from '../../lib/sources/files/manifests.js';
import { completeNode } from '../../lib/sources/kubernetes/node.js';
import { translate } from '../../lib/sources/kubernetes/translate.js';

const SERVICE =
  'apiVersion: v1\nkind: Service\nmetadata: {name: NAME}\nspec: {ports: [{port: 80}]}\n';
const named = (name: string) => SERVICE.replace('NAME', name);

test('reads what kubectl prints for several kinds', async (t) => {
  const { objects, skipped, files } = await readManifests(['test/fixtures/kubectl-get-list.yaml']);
  t.deepEqual(
    objects.services.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    ['shop/cart', 'shop/head', 'shop/s1'],
  );
  t.is(objects.endpointSlices.length, 5);
  t.deepEqual(objects.endpointSlices.at(-1)?.endpoints, []);
  t.deepEqual({ skipped, files }, { skipped: {}, files: 1 });
});

test('reads lists of the API, whose items have no kind', async (t) => {
  const { objects, files } = await readManifests([
    'test/fixtures/services.list.json',
    'test/fixtures/endpointslices.list.json',
  ]);
  t.is(files, 2);
  t.is(objects.services[0]?.spec.clusterIP, '10.96.0.1');
  t.is(objects.endpointSlices[1]?.metadata.labels['kubernetes.io/service-name'], 's2');
});

test('reads the examples', async (t) => {
  const { objects, files } = await readManifests(['examples/shop']);
  t.is(files, 4);
  t.is(objects.services.length, 4);
  t.is(objects.endpointSlices.length, 4);
});

test('the example with every way in is served in full', async (t) => {
  const { objects } = await readManifests(['examples/edge']);
  const { services, warnings } = translate(objects);
  t.deepEqual(warnings, []);
  const model = checkModel({
    services,
    node: completeNode({ name: 'worker-1' }, objects.nodes),
  });
  t.like(model.services![0], {
    families: [4, 6],
    loadBalancer: ['203.0.113.80', '2001:db8::80'],
    affinity: 3_600,
  });
  t.deepEqual(model.node?.addresses, ['192.168.0.2', 'fd00:168::2']);
});

test('a folder is read in the order of names, one level deep, manifests only', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-manifests-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'deep.yaml'));
  await writeFile(join(folder, 'deep.yaml', 'x.yaml'), named('deep'));
  await writeFile(join(folder, 'b.yml'), named('b'));
  await writeFile(join(folder, 'a.yaml'), `---\n${named('a1')}---\n# nothing\n---\n${named('a2')}`);
  await writeFile(join(folder, 'c.json'), JSON.stringify({ kind: 'Secret', apiVersion: 'v1' }));
  await writeFile(join(folder, 'notes.txt'), 'not a manifest');
  const { objects, skipped, files } = await readManifests([folder]);
  t.deepEqual(
    objects.services.map(({ metadata }) => metadata.name),
    ['a1', 'a2', 'b'],
  );
  t.deepEqual({ skipped, files }, { skipped: { Secret: 1 }, files: 3 });
});

test('- is the standard input', async (t) => {
  const stdin = Readable.from([named('a'), '---\n', named('b')]);
  const { objects } = await readManifests(['-'], { stdin });
  t.is(objects.services.length, 2);
});

test('nodes are read too', (t) => {
  const text =
    'kind: NodeList\napiVersion: v1\nitems: [{metadata: {name: a}}, {metadata: {name: b}, spec: {podCIDRs: [10.1.0.0/24]}}]';
  const { nodes } = parseManifests([{ name: 'a.yaml', text }]).objects;
  t.deepEqual(
    nodes.map(({ metadata, spec }) => [metadata.name, spec?.podCIDRs]),
    [
      ['a', undefined],
      ['b', ['10.1.0.0/24']],
    ],
  );
});

test('other kinds are passed over and counted by kind', (t) => {
  const text = [
    'kind: Deployment\napiVersion: apps/v1',
    'kind: Deployment\napiVersion: apps/v1',
    'kind: Service\napiVersion: serving.knative.dev/v1',
    'kind: SecretList\napiVersion: v1\nitems: [{}, {}]',
    'kind: AllowList\napiVersion: example.org/v1',
    'kind: constructor\napiVersion: example.org/v1',
  ].join('\n---\n');
  t.deepEqual(parseManifests([{ name: 'a.yaml', text }]).skipped, {
    Deployment: 2,
    'Service (serving.knative.dev/v1)': 1,
    Secret: 2,
    AllowList: 1,
    constructor: 1,
  });
});

test('fills in what the API server fills in', (t) => {
  const text = `${named('web')}---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: null}
addressType: IPv4
ports: [{port: 8080}]
endpoints: [{addresses: [10.1.1.2], conditions: {ready: false, serving: null}}]
`;
  const { services, endpointSlices } = parseManifests([{ name: 'a', text }]).objects;
  t.like(services[0], {
    metadata: { namespace: 'default', labels: {} },
    spec: {
      type: 'ClusterIP',
      ports: [{ name: '', protocol: 'TCP', port: 80, nodePort: 0 }],
      internalTrafficPolicy: 'Cluster',
      externalTrafficPolicy: 'Cluster',
      affinitySeconds: 0,
    },
  });
  t.like(endpointSlices[0], {
    ports: [{ name: '', protocol: 'TCP' }],
    endpoints: [{ ready: false, serving: true, terminating: false }],
  });
});
