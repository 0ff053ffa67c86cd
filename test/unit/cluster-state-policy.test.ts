// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { WatchedKind } from '../../lib/sources/kubernetes/watched.js';
import { named, pod, Scene, service } from '../support/cluster.js';

const GOING = { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } };
let version = 0;
const metadata = (name: string, over: object = {}) => ({
  name,
  namespace: 'shop',
  uid: name,
  resourceVersion: `v${++version}`,
  ...over,
});
const networkPolicy = (name: string, spec: object = {}) => ({ metadata: metadata(name), spec });
const clusterPolicy = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { tier: 'Admin', priority: 1, subject: { namespaces: {} }, ...spec },
});

/** Pods one after the other, and who has which address after each. */
const PODS: [name: string, steps: [pod: object, rows: string[]][]][] = [
  [
    'it gets its addresses, and ends',
    [
      [pod('a', []), ['a']],
      [pod('a', ['10.1.0.1', 'FD00:1::1']), ['a 10.1.0.1 fd00:1::1']],
      [pod('a', ['10.1.0.1'], { status: { phase: 'Succeeded' } }), []],
    ],
  ],
  [
    'an address of one that has ended is the next one’s',
    [
      [pod('a', ['10.1.0.1']), ['a 10.1.0.1']],
      [pod('b', ['10.1.0.1']), ['a 10.1.0.1', 'b']],
      [pod('a', ['10.1.0.1'], { status: { phase: 'Failed' } }), ['b 10.1.0.1']],
    ],
  ],
  [
    'one that is about to go gives way',
    [
      [pod('a', ['10.1.0.1']), ['a 10.1.0.1']],
      [pod('b', ['10.1.0.1', '10.1.0.2']), ['a 10.1.0.1', 'b 10.1.0.2']],
      [pod('a', ['10.1.0.1'], GOING), ['a', 'b 10.1.0.1 10.1.0.2']],
      [pod('b', ['10.1.0.2']), ['a 10.1.0.1', 'b 10.1.0.2']],
    ],
  ],
  [
    'the network of the node is shared',
    [
      [pod('a', ['10.0.0.1'], { spec: { hostNetwork: true } }), ['a 10.0.0.1']],
      [pod('b', ['10.0.0.1'], { spec: { hostNetwork: true } }), ['a 10.0.0.1', 'b 10.0.0.1']],
    ],
  ],
];

for (const [name, steps] of PODS) {
  test(`pods: ${name}`, (t) => {
    const scene = new Scene();
    for (const [object, rows] of steps) {
      scene.put('Pod', object);
      t.deepEqual(scene.pods(), rows);
    }
  });
}

test('a pod that has nothing new is in no change', (t) => {
  const scene = new Scene().put('Pod', pod('a', ['10.1.0.1']), pod('b', ['10.1.0.1']));
  t.deepEqual(named(scene.take()), { pods: ['a', 'b'] });
  const beats = { status: { conditions: [{ type: 'Ready', status: 'True', lastProbeTime: 'x' }] } };
  scene.put('Pod', pod('a', ['10.1.0.1'], { ...beats, metadata: { annotations: { x: 'y' } } }));
  t.false(scene.state.dirty);
  scene.put('Pod', pod('c', ['10.1.0.1']));
  t.deepEqual(named(scene.take()), { pods: ['c'] }, 'nor one whose address another one wants');
  scene.remove('Pod', pod('b', []), pod('c', []));
  t.deepEqual(named(scene.take()), { pods: ['-shop/b', '-shop/c'] });
  t.deepEqual(scene.pods(), ['a 10.1.0.1']);
  const told = ['b', 'c'].map((name) => `Pod ${name}: its address 10.1.0.1 is another pod's`);
  t.deepEqual(scene.model.warnings, told);
});

test('namespaces have their name as a label', (t) => {
  const scene = new Scene().put('Namespace', { metadata: { name: 'shop', labels: { team: 'a' } } });
  scene.take();
  const labels = { team: 'a', 'kubernetes.io/metadata.name': 'shop' };
  t.deepEqual(scene.model.sections().namespaces, [{ name: 'shop', labels }]);
  scene.put('Namespace', { metadata: { name: 'shop', labels: { team: 'a' }, uid: 'x' } });
  t.false(scene.state.dirty);
  t.deepEqual(named(scene.list('Namespace').take()), { namespaces: ['-shop'] });
});

test('policies of both kinds by one name, and what they ask for that is not known', (t) => {
  const scene = new Scene();
  scene.put('NetworkPolicy', networkPolicy('p', { ingress: [{ from: [{ moon: {} }] }] }));
  scene.put('ClusterNetworkPolicy', clusterPolicy('p'));
  t.deepEqual(named(scene.take()), { policies: ['p', 'p'] });
  const [of, cluster] = scene.model.sections().policies;
  t.like(of, { tier: 'network', namespace: 'shop' });
  t.like(cluster, { tier: 'admin', priority: 1 });
  scene.put('NetworkPolicy', networkPolicy('p', { ingress: [{ from: [{ moon: {} }] }] }));
  t.false(scene.state.dirty);
  scene.put('ClusterNetworkPolicy', clusterPolicy('p', { tier: 'Baseline' }));
  t.deepEqual(named(scene.take()), { policies: ['p'] });
  t.like(scene.model.sections().policies[1], { tier: 'baseline' });
  scene.remove('NetworkPolicy', networkPolicy('p'));
  scene.remove('ClusterNetworkPolicy', clusterPolicy('p'));
  t.deepEqual(named(scene.take()), { policies: ['-shop/p', '-p'] });
  const warning = 'NetworkPolicy p: ingress[0] has a peer that is not known: it is nobody';
  t.deepEqual(scene.model.warnings, [warning]);
});

test('a change that was not made is in the next one', (t) => {
  const scene = new Scene().put('Pod', pod('a', ['10.1.0.1']));
  scene.put('Namespace', { metadata: { name: 'shop' } }).put('NetworkPolicy', networkPolicy('p'));
  scene.take();
  scene.put('Pod', pod('b', [])).remove('Pod', pod('a', [])).list('Namespace');
  scene.list('NetworkPolicy', networkPolicy('q'));
  const change = scene.state.take();
  scene.state.putBack(change);
  t.true(scene.state.dirty);
  t.deepEqual(named(scene.take()), {
    namespaces: ['-shop'],
    pods: ['b', '-shop/a'],
    policies: ['q', '-shop/p'],
  });
});

test('without policy neither pods nor namespaces nor policies count', (t) => {
  const scene = new Scene({ nodeName: 'here', policy: false });
  scene.list('Pod', pod('a', ['10.1.0.1']), {}).put('NetworkPolicy', networkPolicy('p'));
  scene.put('Namespace', {}).put('ClusterNetworkPolicy', clusterPolicy('p'));
  t.false(scene.state.dirty);
  t.deepEqual(scene.state.counts().Pod, { objects: 0, refused: 0 });
});

const node = (name: string, over: object = {}, status: object = {}) => ({
  metadata: { name, labels: { 'topology.kubernetes.io/zone': 'z' }, ...over },
  status: { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }], ...status },
});

test('our own node, as it comes, changes and goes', (t) => {
  const scene = new Scene();
  t.false('node' in scene.take(), 'nobody knows yet');
  scene.list('Node', node('there'));
  t.is(scene.take().node, null);
  scene.put('Node', node('here'), node('there'));
  t.like(scene.take().node, { metadata: { name: 'here' } });
  const heartbeat = { type: 'Ready', status: 'True', lastHeartbeatTime: '2026-01-01T00:00:00Z' };
  scene.put('Node', node('here', {}, { conditions: [heartbeat] }));
  t.deepEqual(scene.take().node?.status?.conditions, [{ type: 'Ready', status: 'True' }]);
  const later = { ...heartbeat, lastHeartbeatTime: '2026-01-01T00:01:00Z' };
  scene.put('Node', node('here', {}, { conditions: [later], images: [{}] }));
  scene.list('Node', node('here', {}, { conditions: [later] }));
  t.false(scene.state.dirty);
  scene.remove('Node', node('here'));
  const change = scene.state.take();
  t.is(change.node, null);
  scene.state.putBack(change);
  t.is(scene.take().node, null);
});

test('objects are counted as they are kept', (t) => {
  const kinds: WatchedKind[] = ['Service', 'Pod', 'Node'];
  const scene = new Scene().put('Service', service('web'), service('db', { clusterIP: 'None' }), {
    metadata: { name: 'bad', namespace: 'shop' },
  });
  scene.put('Pod', pod('a', [], { status: { phase: 'Failed' } })).put('Node', node('here'));
  const counts = scene.state.counts();
  t.deepEqual(
    kinds.map((kind) => counts[kind]),
    [
      { objects: 2, refused: 1 },
      { objects: 1, refused: 0 },
      { objects: 1, refused: 0 },
    ],
  );
});
