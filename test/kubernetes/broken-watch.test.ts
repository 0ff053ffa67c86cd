// SPDX-License-Identifier: Apache-2.0
// Watches that break and say nonsense, and objects of any shape at random: the agent runs on.
import fc from 'fast-check';
import { mutations } from '../support/mutations.js';
import { CRDS, scene } from './broken-scene.js';
import { wholeService, wholeSlice } from './node-agent.js';
import { onClusters } from './suites.js';
import { clusterNetworkPolicies } from './workloads.js';

const here = onClusters({ kinds: ['in-process'] });

here('watches that say what makes no sense', async (t, cluster) => {
  const { agent, namespace, put, follows } = await scene(t, cluster);
  const server = cluster.server!;
  put('services', wholeService(namespace, 'web', '10.96.9.1'));
  put('endpointslices', wholeSlice(namespace, 'web', ['10.9.9.1']));
  const web = () => agent.serving(namespace, 'web');
  await agent.until(t, web, '10.96.9.1 80/TCP=10.9.9.1:8080');
  const event = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
  const filter = { path: /services$|endpointslices$/, watch: true };
  const texts = [
    'garbage\n',
    '{"type":"MODIFIED","obj',
    '\u0000\u0001\n\n\n',
    event('EXPLODED', { metadata: { resourceVersion: '7' } }),
    event('__proto__', { metadata: { resourceVersion: '7' } }),
    event('MODIFIED', null),
    event('DELETED', 'everything'),
    event('MODIFIED', { metadata: { name: 'web', namespace } }),
    event('DELETED', { metadata: { name: 'web', namespace, resourceVersion: 7 } }),
    event('ERROR', null),
    event('ERROR', { kind: 'Status', code: 410, reason: 'Expired' }),
    '[]\n',
    '7\n',
    'null\n',
    `${'x'.repeat(1_000_000)}\n`,
  ];
  for (const [index, text] of texts.entries()) {
    t.true(server.writeToWatches(text, filter) > 0, text.slice(0, 60));
    put('services', wholeService(namespace, 'web', '10.96.9.1', 1_000 + index));
    await agent.until(t, web, `10.96.9.1 ${1_000 + index}/TCP=10.9.9.1:8080`);
    await follows();
    // Until both watches are there again.
    await agent.until(t, () => server.watches(filter) >= 2, true);
  }
  const warnings = agent.lines.filter(({ level, msg }) => level >= 40 && /watch/.test(msg));
  t.true(warnings.length <= 2 * texts.length, `${warnings.length} warnings`);
  t.true((await agent.metric('sluice_source_errors_total', { kind: 'Service' }))! > 0);
});

const PLURALS: Readonly<Record<string, string>> = {
  Service: 'services',
  EndpointSlice: 'endpointslices',
  Pod: 'pods',
  Namespace: 'namespaces',
  Node: 'nodes',
  NetworkPolicy: 'networkpolicies',
  ClusterNetworkPolicy: 'clusternetworkpolicies',
};
const SEED = 20_260_601;

here('a storm of all of it, with a watch that breaks', async (t, cluster) => {
  await cluster.ask('POST', CRDS, clusterNetworkPolicies());
  const { agent, put, namespace, follows } = await scene(t, cluster);
  const server = cluster.server!;
  const before = agent.agent.proxy.services.length;
  const storm = fc.sample(mutations, { seed: SEED, numRuns: 600 });
  const keys = new Set<string>();
  // Each costs the time until the watches are there again.
  let linesLeft = 5;
  const plurals = Object.values(PLURALS);
  for (const [index, { kind, object }] of storm.entries()) {
    const plural = PLURALS[kind]!;
    // A few places, so that what is there is changed and broken again.
    const key = `storm-${plural}/${index % 7}`;
    const line = { type: index % 2 ? 'MODIFIED' : 'ADDED', object };
    if (typeof object !== 'object' || object === null || Array.isArray(object)) {
      if (linesLeft-- > 0)
        server.writeToWatches(`${JSON.stringify(line)}\n`, { path: /./, watch: true });
    } else {
      keys.add(`${plural} ${key}`);
      put(plural, object, key);
    }
    if (index % 50 === 20) server.dropWatches();
    if (index % 100 === 70) server.compact();
    if (index % 10 === 0) await follows();
  }
  await follows();
  const failures = agent.lines.filter(({ msg }) => /synchronization failed/.test(msg));
  t.deepEqual(failures, []);
  const mistakes = agent.lines.filter(({ level }) => level >= 50).length;
  t.true(mistakes > 50 && mistakes < storm.length, `${mistakes} mistakes`);

  // All of it goes. Whatever was said of it on the way: a list has the last word.
  for (const each of keys) server.eject(...(each.split(' ') as [string, string]));
  server.compact();
  server.dropWatches();
  for (const kind of Object.keys(PLURALS)) await agent.until(t, () => agent.refused(kind), 0);
  await agent.until(t, () => agent.agent.proxy.services.length, before + 1);
  await follows();
  t.not(agent.serving(namespace, 'neighbour'), null);
  t.true(plurals.every((plural) => server.watches({ path: new RegExp(`/${plural}$`) }) <= 1));
});
