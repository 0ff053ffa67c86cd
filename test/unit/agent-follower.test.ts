// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { ClusterFollower, type Round } from '../../lib/agent/follower.js';
import { SluiceError } from '../../lib/errors.js';
import type { ModelChange } from '../../lib/model/changes.js';
import type { NodeSpec } from '../../lib/model/model.js';
import type { ClusterChange } from '../../lib/sources/kubernetes/cluster-state.js';
import { completeNode } from '../../lib/sources/kubernetes/node.js';
import { named, Scene, service } from '../support/cluster.js';

/** A follower of a scene's state, and all that it does and tells. */
class Rig {
  readonly scene = new Scene();
  readonly updates: ModelChange[] = [];
  readonly changes: ClusterChange[] = [];
  readonly nodes: NodeSpec[] = [];
  readonly rounds: Round[] = [];
  isBroken = false;
  /** So many updates are made. */
  last = Number.POSITIVE_INFINITY;
  nodeSpec = (node: Parameters<typeof completeNode>[1][number] | null): NodeSpec =>
    completeNode({ name: 'here' }, node === null ? [] : [node]);
  readonly #follower = new ClusterFollower(
    this.scene.state,
    {
      update: async (change) => {
        if (this.isBroken || this.updates.length >= this.last)
          throw new SluiceError('ERR_ENGINE', 'no memory');
        this.updates.push(change);
        const counts = { services: 0, backends: 0, skipped: {}, warnings: [] };
        return { generation: this.updates.length, changed: true, ...counts };
      },
    },
    (node) => this.nodeSpec(node),
    {
      change: (change) => void this.changes.push(change),
      node: (spec) => void this.nodes.push(spec),
      refused: () => undefined,
      round: (round) => void this.rounds.push(round),
    },
  );

  round(): Promise<void> {
    return this.#follower.round(false);
  }
}

const node = (labels: object = {}, over: object = {}) => ({
  metadata: { name: 'here', labels, ...over },
  status: { addresses: [{ type: 'InternalIP', address: '192.168.0.2' }] },
});
const ZONE = 'topology.kubernetes.io/zone';

test('what is told once is told, though the change is not made', async (t) => {
  const rig = new Rig();
  await rig.round();
  rig.changes.length = 0;
  rig.isBroken = true;
  rig.scene.put('Service', service('web'), service('broken', { ports: 7 }));
  rig.scene.put('Service', service('bare', { clusterIP: '' }));
  await t.throwsAsync(rig.round(), { code: 'ERR_ENGINE' });
  const told = () => [
    rig.changes.flatMap(({ refused }) => refused.map(({ name }) => name)),
    rig.changes.flatMap(({ warnings }) => warnings.map(({ name }) => name)),
  ];
  t.deepEqual(told(), [['broken'], ['bare']]);
  rig.isBroken = false;
  await rig.round();
  t.deepEqual(named({ model: rig.updates.at(-1)! } as ClusterChange), { services: ['web'] });
  t.deepEqual(told(), [['broken'], ['bare']], 'and not again');
});

test('health checks and rounds are told of when the change is made', async (t) => {
  const rig = new Rig();
  rig.isBroken = true;
  const checked = { healthCheckNodePort: 32_000, externalTrafficPolicy: 'Local' };
  rig.scene.put('Service', service('web', { type: 'LoadBalancer', ...checked }));
  await t.throwsAsync(rig.round());
  const told = () => rig.changes.flatMap(({ health }) => [...health.keys()]);
  t.deepEqual([told(), rig.rounds.length], [[], 0]);
  rig.isBroken = false;
  await rig.round();
  t.deepEqual([told(), rig.rounds.length], [['shop/web'], 1]);
});

test('a round that failed half-way counts with the next one', async (t) => {
  const rig = new Rig();
  rig.last = 1;
  for (let n = 0; n < 150; n++)
    rig.scene.put('Service', service(`web-${n}`, { clusterIP: `10.96.1.${n}` }));
  await t.throwsAsync(rig.round());
  t.is(rig.rounds.length, 0);
  rig.last = 2;
  await rig.round();
  t.like(rig.rounds, [{ services: 150 }]);
  await rig.round();
  t.is(rig.rounds[1]?.services, 0);
});

test('a change is not lost where the node section cannot be made', async (t) => {
  const rig = new Rig();
  const { nodeSpec } = rig;
  rig.nodeSpec = () => {
    throw new Error('no');
  };
  rig.scene.put('Service', service('web'));
  await t.throwsAsync(rig.round(), { message: 'no' });
  rig.nodeSpec = nodeSpec;
  await rig.round();
  t.like(rig.updates, [{ services: { put: [{ name: 'web' }] }, node: { name: 'here' } }]);
});

test('our Node object: what changes of it, and that it has gone changes nothing', async (t) => {
  const rig = new Rig();
  await rig.round();
  t.deepEqual(rig.nodes, [{ name: 'here' }]);
  rig.scene.put('Node', node({ [ZONE]: 'a' }));
  await rig.round();
  const here = { name: 'here', addresses: ['192.168.0.2'], podNetworks: [] };
  t.deepEqual(rig.nodes[1], { ...here, zone: 'a' });
  rig.scene.put('Node', node({ [ZONE]: 'a' }, { annotations: { a: 'b' } }));
  await rig.round();
  rig.scene.remove('Node', node());
  await rig.round();
  t.is(rig.nodes.length, 2);
  t.is(rig.changes.at(-1)!.node, null, 'but it is told');
  rig.scene.put('Node', node({ [ZONE]: 'b' }));
  await rig.round();
  t.deepEqual(rig.nodes.slice(2), [{ ...here, zone: 'b' }]);
});
