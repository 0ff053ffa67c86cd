// SPDX-License-Identifier: Apache-2.0
// Broken input never stops the agent: it is logged once, counted and passed over, what was there of it stays,
// its neighbours are served, and when it is mended it is served. Objects get past the API server's own checks.
import { labelled, of, scene, specOf } from './broken-scene.js';
import { wholeService, wholeSlice } from './node-agent.js';
import type { Tree } from './server/objects.js';
import { onClusters } from './suites.js';

const here = onClusters({ kinds: ['in-process'] });
const BAD_PORTS = [0, -1, 70_000, 1.5, 'x', null, 1e99, true, [], {}];

const SERVICES: readonly ((good: Tree) => Tree)[] = [
  ...BAD_PORTS.map((port) => (good: Tree) => specOf(good, { ports: [{ name: 'http', port }] })),
  (good) => specOf(good, { ports: null }),
  (good) => specOf(good, { ports: 'many' }),
  (good) => specOf(good, { ports: [null] }),
  (good) => specOf(good, { ports: [{ port: 1 }, { port: 2 }] }),
  (good) => specOf(good, { ports: [{ port: 80, nodePort: 1e99 }] }),
  (good) => specOf(good, { clusterIP: '10.96.1.300' }),
  (good) => specOf(good, { clusterIPs: '10.96.1.3' }),
  (good) => specOf(good, { clusterIPs: [7] }),
  (good) => specOf(good, { clusterIPs: ['127.0.0.1'] }),
  (good) => specOf(good, { externalIPs: ['x'] }),
  (good) => specOf(good, { sessionAffinity: 'Cookie' }),
  (good) => specOf(good, { externalTrafficPolicy: 7 }),
  (good) => specOf(good, { type: 'Other' }),
  (good) => specOf(good, { loadBalancerSourceRanges: ['10.0.0.0/33'] }),
  (good) => of(good, { spec: null }),
  (good) => of(good, { spec: [] }),
  (good) => of(good, { status: { loadBalancer: { ingress: [{ ip: 'x' }] } } }),
  (good) => labelled(good, { a: 1 }),
  (good) => labelled(good, 'a=b'),
  (good) => of(good, { kind: 'Pod' }),
];

here('Services that are broken', async (t, cluster) => {
  const { agent, namespace, put, follows } = await scene(t, cluster);
  const goods = SERVICES.map((_, index) => {
    put('endpointslices', wholeSlice(namespace, `s${index}`, [`10.1.0.${index + 1}`]));
    return wholeService(namespace, `s${index}`, `10.96.1.${index + 1}`);
  });
  const served = () => goods.map((_, index) => agent.serving(namespace, `s${index}`));
  const expected = (port: number) =>
    goods.map((_, index) => `10.96.1.${index + 1} ${port}/TCP=10.1.0.${index + 1}:8080`);
  for (const good of goods) put('services', good);
  await agent.until(t, served, expected(80));
  // The second time they are broken as before, but changed.
  for (let round = 0; round < 2; round += 1) {
    for (const [index, good] of goods.entries()) put('services', SERVICES[index]!(good));
    await agent.until(t, () => agent.refused('Service'), SERVICES.length);
    await follows();
    t.deepEqual(served(), expected(80), 'what was there stays');
    for (const [index] of goods.entries())
      t.is(agent.complaints(namespace, `s${index}`).length, 1, `s${index}`);
  }
  const mended = goods.map((good) => specOf(good, { ports: [{ name: 'http', port: 81 }] }));
  for (const good of mended) put('services', good);
  await agent.until(t, served, expected(81));
  t.is(await agent.refused('Service'), 0);
  // One that was never right, and goes: it is as if it had not been.
  put('services', SERVICES[0]!(wholeService(namespace, 'never', '10.96.1.200')));
  await agent.until(t, () => agent.refused('Service'), 1);
  cluster.server!.eject('services', `${namespace}/never`);
  await agent.until(t, () => agent.refused('Service'), 0);
  t.is(agent.complaints(namespace, 'never').length, 1);
});

const SLICES: readonly ((good: Tree) => Tree)[] = [
  ...BAD_PORTS.filter((port) => port !== 0 && port !== null).map(
    (port) => (good: Tree) => of(good, { ports: [{ name: 'http', port }] }),
  ),
  (good) => of(good, { ports: 'many' }),
  (good) => of(good, { ports: [{ name: 'http', port: 1, protocol: 'ICMP' }] }),
  (good) => of(good, { addressType: 'IPX' }),
  (good) => of(good, { addressType: null }),
  // Of the other family than it says.
  (good) => of(good, { addressType: 'IPv6' }),
  (good) => of(good, { endpoints: [{ addresses: ['fd00::1'] }] }),
  (good) => of(good, { endpoints: [{ addresses: ['999.1.1.1'] }] }),
  (good) => of(good, { endpoints: [{ addresses: '10.0.0.1' }] }),
  (good) => of(good, { endpoints: [{ addresses: [null] }] }),
  (good) => of(good, { endpoints: [{ addresses: ['10.0.0.1'], conditions: 'ready' }] }),
  (good) => of(good, { endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: 'yes' } }] }),
  (good) => of(good, { endpoints: [{ addresses: ['10.0.0.1'], hints: { forZones: [{}] } }] }),
  (good) => of(good, { endpoints: [null] }),
  (good) => of(good, { endpoints: {} }),
  (good) => of(good, { kind: 'Service' }),
];

here('slices that are broken', async (t, cluster) => {
  const { agent, namespace, put, follows } = await scene(t, cluster);
  const goods = SLICES.map((_, index) => {
    put('services', wholeService(namespace, `s${index}`, `10.96.2.${index + 1}`));
    return wholeSlice(namespace, `s${index}`, [`10.2.0.${index + 1}`]);
  });
  const served = () => goods.map((_, index) => agent.serving(namespace, `s${index}`));
  const expected = (port: number) =>
    goods.map((_, index) => `10.96.2.${index + 1} 80/TCP=10.2.0.${index + 1}:${port}`);
  for (const good of goods) put('endpointslices', good);
  await agent.until(t, served, expected(8080));
  for (let round = 0; round < 2; round += 1) {
    for (const [index, good] of goods.entries()) put('endpointslices', SLICES[index]!(good));
    await agent.until(t, () => agent.refused('EndpointSlice'), SLICES.length);
    await follows();
    t.deepEqual(served(), expected(8080), 'what was there stays');
    for (const [index] of goods.entries())
      t.is(agent.complaints(namespace, `s${index}-1`).length, 1, `s${index}`);
  }
  for (const good of goods) put('endpointslices', of(good, { ports: [{ name: 'http', port: 1 }] }));
  await agent.until(t, served, expected(1));
  t.is(await agent.refused('EndpointSlice'), 0);
});

here('slices that are odd are taken for what they say', async (t, cluster) => {
  const { agent, namespace, put, follows } = await scene(t, cluster);
  const odd: readonly Tree[] = [
    { endpoints: null },
    { endpoints: [{}] },
    { endpoints: [{ addresses: [] }] },
    { endpoints: [{ addresses: null, conditions: null, hints: null }] },
    { endpoints: [{ addresses: ['10.3.1.1'], conditions: { ready: false } }] },
    { ports: null },
    { ports: [{ name: 'http', port: 0 }] },
    { ports: [{ name: 'other', port: 8080 }] },
    { metadata: { labels: null } },
  ];
  for (const [index, change] of odd.entries()) {
    put('services', wholeService(namespace, `s${index}`, `10.96.3.${index + 1}`));
    const slice = wholeSlice(namespace, `s${index}`, [`10.3.0.${index + 1}`]);
    put('endpointslices', {
      ...slice,
      ...change,
      metadata: { ...slice.metadata, ...change.metadata },
    });
  }
  const served = () => odd.map((_, index) => agent.serving(namespace, `s${index}`));
  const expected = odd.map((_, index) => `10.96.3.${index + 1} 80/TCP=`);
  await agent.until(t, served, expected);
  await follows();
  t.deepEqual(served(), expected);
  t.is(await agent.refused('EndpointSlice'), 0);
});

here('a slice of a missing service, of 5,000 endpoints', async (t, cluster) => {
  const { agent, namespace, put, follows } = await scene(t, cluster);
  const addresses = Array.from({ length: 5_000 }, (_, i) => `10.4.${i >> 8}.${i & 255}`);
  put('endpointslices', wholeSlice(namespace, 'big', addresses));
  await follows();
  t.is(agent.serving(namespace, 'big'), null);
  t.is(agent.complaints(namespace, 'big').length, 0);
  put('services', wholeService(namespace, 'big', '10.96.4.1'));
  const count = () => agent.serving(namespace, 'big')?.split(',').length ?? 0;
  await agent.until(t, count, 5_000);
  await follows();
  put('endpointslices', wholeSlice(namespace, 'big', addresses.slice(0, 1)));
  await agent.until(t, count, 1);
  cluster.server!.eject('services', `${namespace}/big`);
  await agent.until(t, () => agent.serving(namespace, 'big'), null);
});

here('names of all kinds, labels of any size, and objects without names', async (t, cluster) => {
  const { agent, namespace, put, follows } = await scene(t, cluster);
  const words = ['constructor', 'tostring', 'hasownproperty', 'valueof', 'a'.repeat(63), '0'];
  for (const [index, word] of words.entries()) {
    const service = wholeService(namespace, word, `10.96.5.${index + 1}`);
    const labels = JSON.parse('{"__proto__": "x", "constructor": "y"}');
    labels['long'] = 'x'.repeat(200_000);
    put('services', labelled(service, labels));
    put('endpointslices', wholeSlice(namespace, word, [`10.5.0.${index + 1}`]));
  }
  const served = () => words.map((word) => agent.serving(namespace, word));
  const expected = words.map((_, i) => `10.96.5.${i + 1} 80/TCP=10.5.0.${i + 1}:8080`);
  await agent.until(t, served, expected);

  const bad = ['__proto__', 'Upper', 'a/b', '..', '-', 'x'.repeat(2_000), ''];
  for (const [index, word] of bad.entries())
    put('services', wholeService(namespace, word, '10.96.5.200'), `${namespace}/bad${index}`);
  put(
    'services',
    of(wholeService(namespace, 'x', '10.96.5.201'), { metadata: { namespace } }),
    'n1',
  );
  put('services', of(wholeService(namespace, 'x', '10.96.5.202'), { metadata: { name: 7 } }), 'n2');
  // Those that have no name are one.
  const least = bad.length;
  await agent.until(t, async () => ((await agent.refused('Service')) ?? 0) >= least, true);
  await follows();
  t.deepEqual(served(), expected);
  t.is(agent.complaints(namespace, '__proto__').length, 1);
});

here('two Services that want the same address', async (t, cluster) => {
  const { agent, namespace, put, follows } = await scene(t, cluster);
  for (const name of ['first', 'second'])
    put('endpointslices', wholeSlice(namespace, name, ['10.6.0.1']));
  put('services', wholeService(namespace, 'first', '10.96.6.1'));
  put('services', wholeService(namespace, 'second', '10.96.6.1'));
  const one = '10.96.6.1 80/TCP=10.6.0.1:8080';
  const served = () => ['first', 'second'].map((name) => agent.serving(namespace, name));
  await agent.until(t, served, [one, null]);
  await agent.until(t, () => agent.complaints(namespace, 'second').length, 1);
  put('services', wholeService(namespace, 'second', '10.96.6.1'));
  await follows();
  t.is(agent.complaints(namespace, 'second').length, 1);
  cluster.server!.eject('services', `${namespace}/first`);
  await agent.until(t, served, [null, one]);
});

here('more than there is room for', async (t, cluster) => {
  const { agent, namespace, put, follows } = await scene(t, cluster, { options: { backends: 12 } });
  await follows();
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const [index, name] of names.entries()) {
    put('services', wholeService(namespace, name, `10.96.7.${index + 1}`));
    const addresses = [1, 2, 3].map((each) => `10.7.${index}.${each}`);
    put('endpointslices', wholeSlice(namespace, name, addresses));
  }
  const full = () => names.filter((name) => agent.serving(namespace, name)?.includes(','));
  // The neighbour has one and needs another while it changes, and the API server's own has one.
  await agent.until(t, () => full().length, 3);
  await agent.until(t, () => agent.metric('sluice_source_unprogrammed_members'), 2);
  await follows();
  const without = names.filter((name) => !full().includes(name));
  for (const name of without) t.is(agent.complaints(namespace, name).length, 1, name);
  for (const name of full()) t.is(agent.complaints(namespace, name).length, 0, name);
  // One gets less, one goes: there is room for both.
  const [first, second] = full() as [string, string];
  put('endpointslices', wholeSlice(namespace, first, []));
  cluster.server!.eject('services', `${namespace}/${second}`);
  await agent.until(t, () => without.every((name) => full().includes(name)), true);
  await agent.until(t, () => agent.metric('sluice_source_unprogrammed_members'), 0);
  await follows();
});
