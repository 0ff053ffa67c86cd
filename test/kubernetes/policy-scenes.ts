// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { Cluster, PodManifest } from '../support/policy-oracle.js';
import {
  addressesOf,
  clusterPolicy,
  NAMESPACES,
  networkPolicy,
  PODS,
  PORTS,
} from '../support/policy-world.js';
import type { Ask } from './parties.js';
import { type PolicyNet, placeOf } from './policy-net.js';
import { check, type TableOptions } from './policy-table.js';
import { removeNamespace, removePod } from './workloads.js';

/** What somebody does with kubectl while the agent runs. Called as what is the same in policy-changes.ts. */
export interface PolicyScene {
  readonly title: string;
  body(stage: Stage): Promise<void>;
}

interface Stage {
  readonly t: ExecutionContext;
  readonly net: PolicyNet;
  /** Everybody asks everybody, with a cluster that is as at first but for what is given. */
  check(step: string, different: Partial<Cluster>, options?: TableOptions): Promise<void>;
}

export async function play(t: ExecutionContext, net: PolicyNet, scene: PolicyScene): Promise<void> {
  await net.applyPolicies([]);
  await scene.body({
    t,
    net,
    check: (step, different, options) => check(t, net, step, net.given(different), options),
  });
}

const onlyFrom = (namespaceSelector: object, podSelector: object = {}) =>
  networkPolicy('x', 'p', {
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ namespaceSelector, podSelector }] }],
  });
const labels = (key: string, value: string) => ({ matchLabels: { [key]: value } });
const DENY = networkPolicy('x', 'p', { policyTypes: ['Ingress', 'Egress'] });
const DENY_INGRESS = networkPolicy('x', 'p', { policyTypes: ['Ingress'] });

const isPod = (name: string) => (each: PodManifest) =>
  `${each.metadata.namespace}/${each.metadata.name}` === name;
const podOf = (name: string): PodManifest => PODS.find(isPod(name))!;
const without = (name: string) => PODS.filter((each) => !isPod(name)(each));
const labelled = (name: string, value: string): PodManifest => {
  const { metadata, ...rest } = podOf(name);
  return { ...rest, metadata: { ...metadata, labels: { ...metadata.labels, pod: value } } };
};
/** The address of y/ended, which is on another node, and is nobody's as long as that is all there is. */
const FREE = podOf('y/ended').status.podIPs;
const heirIn = (namespace: string): PodManifest => ({
  metadata: { namespace, name: 'heir', labels: { pod: 'heir' } },
  spec: { containers: [] },
  status: { phase: 'Running', podIPs: FREE },
});
const patch = (kind: string, name: string, change: object) => [
  ...['patch', kind, name, '--type=merge', '-p', JSON.stringify(change)],
  ...(kind === 'networkpolicy' ? ['--namespace=x'] : []),
];

const LABELS: PolicyScene[] = [
  {
    title: 'labels of a namespace change',
    async body({ net, check }) {
      const policies = [onlyFrom(labels('team', 'shop'))];
      await net.applyPolicies(policies);
      await check('nobody has the label', { policies });
      await net.kubectl('label namespace y team=shop');
      const namespaces = NAMESPACES.map(({ metadata: { name, labels: own } }) => {
        const more = name === 'y' ? { team: 'shop' } : {};
        return { metadata: { name, labels: { ...own, ...more } } };
      });
      await check('y has it', { policies, namespaces });
      await net.kubectl('label namespace y team-');
      await check('y has lost it', { policies });
    },
  },
  {
    title: 'labels of a peer change',
    async body({ net, check }) {
      const policies = [onlyFrom({}, labels('pod', 'friend'))];
      await net.applyPolicies(policies);
      await check('nobody is one', { policies });
      await net.kubectl('label pod a --namespace=y pod=friend --overwrite');
      const pods = [...without('y/a'), labelled('y/a', 'friend')];
      await check('y/a is one', { policies, pods });
      await net.kubectl('label pod a --namespace=y pod=a --overwrite');
      await check('y/a is none any longer', { policies });
    },
  },
  {
    title: 'labels of a subject change',
    async body({ net, check }) {
      const policies = [
        networkPolicy('x', 'p', {
          podSelector: labels('pod', 'closed'),
          policyTypes: ['Ingress', 'Egress'],
        }),
      ];
      await net.applyPolicies(policies);
      await net.kubectl('label pod a --namespace=x pod=closed --overwrite');
      const pods = [...without('x/a'), labelled('x/a', 'closed')];
      await check('x/a is closed', { policies, pods });
      await net.kubectl('label pod a --namespace=x pod=a --overwrite');
      await check('x/a is open', { policies });
    },
  },
];

const POLICIES: PolicyScene[] = [
  {
    title: 'a policy is created, changed and deleted',
    async body({ net, check }) {
      await net.applyPolicies([DENY_INGRESS]);
      await check('created', { policies: [DENY_INGRESS] });
      const ingress = [
        {
          from: [{ ipBlock: { cidr: '10.1.0.0/16', except: ['10.1.2.0/24'] } }],
          ports: [{ port: 79, endPort: 80 }],
        },
        { from: [{ ipBlock: { cidr: '192.0.2.0/24' } }], ports: [{ port: 'web' }] },
      ];
      await net.kubectl(patch('networkpolicy', 'p', { spec: { ingress } }));
      const changed = networkPolicy('x', 'p', { policyTypes: ['Ingress'], ingress });
      await check('changed', { policies: [changed] });
      await net.kubectl('delete networkpolicy p --namespace=x');
      await check('deleted', {});
    },
  },
  {
    title: 'cluster policies come and go, and change places',
    async body({ net, check }) {
      const rules = (action: string) => ({ ingress: [{ action, from: [{ namespaces: {} }] }] });
      const admin = (priority: number, name: string, action: string) =>
        clusterPolicy('Admin', priority, name, rules(action));
      const deny = admin(5, 'd', 'Deny');
      await net.applyPolicies([DENY_INGRESS, admin(10, 'a', 'Accept')]);
      await check('accepted', { policies: [DENY_INGRESS, admin(10, 'a', 'Accept')] });
      await net.applyPolicies([DENY_INGRESS, admin(10, 'a', 'Accept'), deny]);
      await check('denied before', { policies: [DENY_INGRESS, admin(10, 'a', 'Accept'), deny] });
      const cluster = (change: object) => patch('clusternetworkpolicy', 'a', { spec: change });
      await net.kubectl(cluster({ priority: 4 }));
      await check('accepted before', { policies: [DENY_INGRESS, admin(4, 'a', 'Accept'), deny] });
      await net.kubectl(cluster(rules('Pass')));
      await check('passed on', { policies: [DENY_INGRESS, admin(4, 'a', 'Pass'), deny] });
      await net.kubectl('delete clusternetworkpolicy a d');
      await check('deleted', { policies: [DENY_INGRESS] });
    },
  },
  {
    title: 'live connections are cut by a policy and go on without it',
    async body({ t, net }) {
      const ways: [string, string][] = [
        ['y/a', 'x/a'],
        ['z/a', 'x/a'],
        ['x/a', 'z/b'],
        ['y/b', 'z/a'],
      ];
      const asks = ways.flatMap(([from, to]) =>
        ([0, 1] as const).flatMap((family) =>
          (['TCP', 'UDP'] as const).map((protocol) => held(from, to, family, protocol)),
        ),
      );
      const say = await net.parties.hold(asks);
      const goesOn = async (step: string, wanted: readonly boolean[]): Promise<void> => {
        const all = asks.map(async ({ from, destination, protocol }, id) => {
          const isWanted = wanted[id >> 2]!;
          const deadline = Date.now() + CUT_WITHIN_MS;
          let passes: boolean;
          do passes = (await say(id, isWanted ? undefined : SILENCE_MS)) !== null;
          while (passes !== isWanted && Date.now() < deadline && (await sleep(20, true)));
          t.is(passes, isWanted, `${step}: ${from} to ${destination} over ${protocol}`);
        });
        await Promise.all(all);
      };
      try {
        await goesOn('open', [true, true, true, true]);
        await net.applyPolicies([onlyFrom(labels('ns', 'y'))]);
        await goesOn('z is denied', [true, false, true, true]);
        await net.applyPolicies([DENY]);
        await goesOn('all of x is denied', [false, false, false, true]);
        await net.applyPolicies([]);
        await goesOn('the policy is deleted', [true, true, true, true]);
      } finally {
        await net.parties.end();
      }
    },
  },
];

const CUT_WITHIN_MS = 20_000;
const SILENCE_MS = 500;

function held(from: string, to: string, family: 0 | 1, protocol: Ask['protocol']): Ask {
  const [source, destination] = [from, to].map((name) => name.split('/') as [string, string]);
  return {
    from: placeOf(...source!),
    source: addressesOf(...source!)[family],
    destination: addressesOf(...destination!)[family],
    protocol,
    port: PORTS[0],
  };
}

const PEOPLE: PolicyScene[] = [
  {
    title: 'a pod is deleted and its address becomes that of another',
    async body({ net, check }) {
      const policies = [onlyFrom(labels('ns', 'z'))];
      await net.applyPolicies(policies);
      await removePod(net.cluster, 'ended', 'y');
      const rest = without('y/ended');
      for (const namespace of ['y', 'z']) {
        await net.applyPod(heirIn(namespace));
        const pods = [...rest, heirIn(namespace)];
        await check(`it is one of ${namespace}`, { policies, pods });
        await removePod(net.cluster, 'heir', namespace);
      }
      await check('it is nobody', { policies, pods: rest });
      await net.applyPod(podOf('y/ended'));
    },
  },
  {
    title: 'a namespace is created and deleted',
    async body({ net, check }) {
      const policies = [onlyFrom(labels('kubernetes.io/metadata.name', 'w'))];
      await net.applyPolicies(policies);
      await removePod(net.cluster, 'ended', 'y');
      await net.kubectl('create namespace w');
      await net.applyPod(heirIn('w'));
      const rest = without('y/ended');
      const namespaces = [...NAMESPACES, { metadata: { name: 'w' } }];
      await check('created', { policies, namespaces, pods: [...rest, heirIn('w')] });
      await removeNamespace(net.cluster, 'w');
      await check('deleted', { policies, pods: rest });
      await net.applyPod(podOf('y/ended'));
    },
  },
  {
    title: 'a pod of this node is deleted and created as another',
    async body({ net, check }) {
      const policies = [
        networkPolicy('x', 'p', {
          policyTypes: ['Egress'],
          egress: [{ to: [{ namespaceSelector: {}, podSelector: labels('pod', 'new') }] }],
        }),
        networkPolicy('z', 'p', {
          policyTypes: ['Ingress'],
          ingress: [{ ports: [{ port: 'web' }] }],
        }),
      ];
      await net.applyPolicies(policies);
      await check('before', { policies });
      await removePod(net.cluster, 'c', 'z');
      const shut = addressesOf('z', 'c');
      await check('it is not known', { policies, pods: without('z/c') }, { shut });
      const again: PodManifest = {
        ...labelled('z/c', 'new'),
        spec: { containers: [{ ports: [{ name: 'web', containerPort: 80 }] }] },
      };
      await net.applyPod(again);
      await check('it has other labels and ports', { policies, pods: [...without('z/c'), again] });
      await removePod(net.cluster, 'c', 'z');
      await net.applyPod(podOf('z/c'));
      await check('it is as it was', { policies });
    },
  },
];

export const POLICY_SCENES: readonly PolicyScene[] = [...LABELS, ...POLICIES, ...PEOPLE];
