// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { WATCHED_KINDS, type WatchedKind } from '../../lib/sources/kubernetes/watched.js';
import { at, pod, Scene, service, slice } from '../support/cluster.js';
import { everyMutation, mutations } from '../support/mutations.js';

const web = (spec: object = {}) => service('web', spec);

/** What becomes of an object of another name, where it is, and how it is called. */
const REFUSED: [name: string, kind: WatchedKind, object: unknown, path: string, message: string][] =
  [
    ['nothing', 'Service', null, '', 'expected an object, found nothing'],
    ['a text', 'Pod', 'pod', '', 'expected an object, found "pod"'],
    ['another kind', 'Service', { ...web(), kind: 'Pod' }, 'kind', 'expected Service, found "Pod"'],
    ['a Status', 'EndpointSlice', { kind: 'Status', code: 410 }, 'kind', 'expected EndpointSlice'],
    ['no metadata', 'Service', { spec: {} }, 'metadata', 'an object with the name, found nothing'],
    ['no name', 'Service', { metadata: {}, spec: {} }, 'metadata.name', 'found nothing'],
    ['a name of another kind', 'Service', { metadata: { name: 7 } }, 'metadata.name', 'found 7'],
    ['__proto__ as a name', 'Service', service('__proto__'), 'metadata.name', 'lower-case letters'],
    ['port 0', 'Service', web({ ports: [{ port: 0 }] }), 'spec.ports[0].port', 'found 0'],
    [
      'port 70000',
      'Service',
      web({ ports: [{ port: 70_000 }] }),
      'spec.ports[0].port',
      'found 70000',
    ],
    ['port -1', 'Service', web({ ports: [{ port: -1 }] }), 'spec.ports[0].port', 'found -1'],
    ['port x', 'Service', web({ ports: [{ port: 'x' }] }), 'spec.ports[0].port', 'found "x"'],
    ['no port', 'Service', web({ ports: null }), 'spec.ports', 'at least one port'],
    [
      'the other family',
      'EndpointSlice',
      slice('a', 'web', [at('fd00::1')]),
      'endpoints[0].addresses[0]',
      'expected an IPv4 address',
    ],
    [
      'a number for a label',
      'Pod',
      pod('a', [], { metadata: { labels: { a: 1 } } }),
      'metadata.labels.a',
      'quote numbers',
    ],
    [
      'a policy of no tier',
      'ClusterNetworkPolicy',
      { metadata: { name: 'a' }, spec: {} },
      'spec.tier',
      'Admin or Baseline',
    ],
    [
      'no node',
      'Node',
      { metadata: { name: 'here' }, spec: { podCIDRs: ['x'] } },
      'spec.podCIDRs[0]',
      'a network',
    ],
  ];

for (const [name, kind, object, path, message] of REFUSED) {
  test(`refused, once: ${name}`, (t) => {
    const scene = new Scene().put(kind, object);
    t.true(scene.state.dirty);
    const { refused, model } = scene.take();
    t.deepEqual(model, {});
    t.is(refused.length, 1);
    t.like(refused[0], { kind, path });
    t.true(refused[0]?.message.includes(message), refused[0]?.message);
    t.like(scene.state.counts()[kind], { objects: 0, refused: 1 });
    scene.put(kind, structuredClone(object));
    t.false(scene.state.dirty);
    scene.remove(kind, object);
    t.like(scene.state.counts()[kind], { refused: 0 });
    scene.put(kind, object).list(kind);
    t.like(scene.state.counts()[kind], { refused: 0 });
  });
}

test('what was there of an object that is wrong now stays, until it is removed or right', (t) => {
  const scene = new Scene()
    .put('Service', web())
    .put('EndpointSlice', slice('a', 'web', [at('10.1.0.1')]));
  const rows = ['web 10.96.0.10: 80>10.1.0.1:8080'];
  t.deepEqual(scene.services(), rows);
  scene.put('Service', web({ ports: [{ port: 0 }] }));
  scene.put('EndpointSlice', slice('a', 'web', [at('10.1.0.1'), at('10.1.0.300')]));
  t.deepEqual(scene.services(), rows);
  t.deepEqual(scene.model.refused, ['web spec.ports[0].port', 'a endpoints[1].addresses[0]']);
  t.deepEqual(scene.state.counts().Service, { objects: 1, refused: 1 });
  scene.put('Service', web({ ports: [{ port: 'x' }] }));
  scene.services();
  t.is(scene.model.refused.length, 3, 'another mistake');
  scene.put('Service', web({ ports: [{ port: 81 }] }));
  t.deepEqual(scene.services(), ['web 10.96.0.10: 81>10.1.0.1:8080']);
  t.deepEqual(scene.state.counts().Service, { objects: 1, refused: 0 });
  scene.put('Service', web({ ports: [{ port: 'x' }] })).remove('Service', web());
  t.deepEqual(scene.services(), []);
  t.deepEqual(scene.state.counts().Service, { objects: 0, refused: 0 });
});

test('a broken object in a list keeps what was there of it', (t) => {
  const scene = new Scene().list('Service', web(), service('b', { clusterIP: '10.96.0.1' }));
  scene.list('Service', web({ type: 'x' }), null, 7);
  t.deepEqual(scene.services(), ['web 10.96.0.10: 80>']);
});

test('names and keys that JavaScript knows by itself', (t) => {
  const labels = JSON.parse('{"__proto__": "x", "constructor": "y", "toString": "z"}');
  const scene = new Scene().put('Service', service('constructor', {}, { metadata: { labels } }));
  scene.put('EndpointSlice', slice('hasown', 'constructor', [at('10.1.0.1')]));
  scene.put('EndpointSlice', slice('valueof', '__proto__', [at('10.1.0.2')]));
  scene.put('Pod', pod('constructor', ['10.1.0.1'], { metadata: { labels } }));
  scene.put('Namespace', { metadata: { name: 'constructor', labels } });
  t.deepEqual(scene.services(), ['constructor 10.96.0.10: 80>10.1.0.1:8080']);
  const [row] = scene.model.sections().pods;
  t.deepEqual(Object.entries(row?.labels ?? {}), Object.entries(labels));
  t.is(({} as Record<string, unknown>)['x'], undefined);
});

test('what has no end, or no bottom', (t) => {
  const cyclic: Record<string, unknown> = { name: 'p', namespace: 'shop' };
  cyclic['labels'] = cyclic;
  let deep: unknown = {};
  for (let i = 0; i < 50_000; i++) deep = { deep };
  const giant = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, i) => [`l${i}`, 'x'.repeat(99)]),
  );
  const scene = new Scene();
  for (const kind of WATCHED_KINDS) {
    const named = kind === 'Node' ? 'here' : 'p';
    t.notThrows(() => scene.put(kind, { metadata: cyclic, spec: cyclic }));
    t.notThrows(() =>
      scene.put(kind, { metadata: { name: named, namespace: 'shop' }, spec: deep }),
    );
    t.notThrows(() => scene.put(kind, { metadata: { name: 'x'.repeat(1e6) } }));
  }
  scene.put('Pod', pod('giant', ['10.1.0.1'], { metadata: { labels: giant } }));
  const { refused } = scene.take();
  t.true(refused.length >= WATCHED_KINDS.length);
  t.true(refused.every(({ name, message }) => name.length < 300 && message.length < 500));
  t.deepEqual(scene.pods(), ['giant 10.1.0.1', 'p']);
});

test('a slice of 5,000 endpoints', (t) => {
  const many = Array.from({ length: 5_000 }, (_, i) => at(`10.1.${i >> 8}.${i & 255}`));
  const scene = new Scene().put('Service', web()).put('EndpointSlice', slice('a', 'web', many));
  scene.take();
  t.is(scene.model.sections().services[0]?.ports[0]?.backends.length, 5_000);
});

test('whatever a single value is, it is refused or comes to a model', (t) => {
  const scene = new Scene();
  let [count, refused] = [0, 0];
  for (const { kind, object } of everyMutation()) {
    t.notThrows(() => scene.put(kind, object));
    const change = scene.take();
    count++;
    refused += change.refused.length;
    scene.remove(kind, object);
    scene.list(kind);
    scene.take();
  }
  t.log(`${refused} of ${count} refused`);
  t.true(refused > count / 2 && refused < count);
});

test('whatever is broken of an object, the others stay as they are', (t) => {
  const good = () =>
    new Scene()
      .put('Service', web(), service('db', { clusterIP: '10.96.0.1' }))
      .put('EndpointSlice', slice('a', 'db', [at('10.1.0.1')]))
      .put('Pod', pod('good', ['10.1.0.1']));
  const property = fc.property(fc.array(mutations, { minLength: 1, maxLength: 6 }), (broken) => {
    const scene = good();
    scene.take();
    for (const { kind, object } of broken) {
      scene.put(kind, object);
      if (kind === 'Service') scene.list('Namespace', object);
    }
    while (scene.take().more);
    const db = scene.model.sections().services.find(({ name }) => name === 'db');
    t.is(db?.ports[0]?.backends[0]?.address, '10.1.0.1');
    t.is(scene.model.sections().pods.filter(({ name }) => name === 'good').length, 1);
    for (const { kind, object } of broken) scene.remove(kind, object);
    for (const kind of WATCHED_KINDS) if (kind !== 'Service' && kind !== 'Pod') scene.list(kind);
    scene.list('Service', service('db', { clusterIP: '10.96.0.1' })).list('Pod');
    t.deepEqual(scene.services(), ['db 10.96.0.1: 80>']);
    for (const kind of WATCHED_KINDS) t.is(scene.state.counts()[kind].refused, 0);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 500 }));
});
