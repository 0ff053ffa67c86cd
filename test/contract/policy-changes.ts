// SPDX-License-Identifier: Apache-2.0
import type { PodManifest } from '../support/policy-oracle.js';
import {
  addressesOf,
  clusterPolicy,
  NAMESPACES,
  networkPolicy,
  PODS,
} from '../support/policy-world.js';
import { Dialogue, type End, opens } from './policy-dialogue.js';
import { ATTACHMENTS, OUTSIDE } from './policy-node.js';
import { labelled, type Scene, TENTH, without } from './policy-scene.js';

/** What changes while the node runs, and what becomes of connections, new ones and old ones. */
export interface PolicyChange {
  title: string;
  body(scene: Scene): Promise<void>;
}

const INGRESS = 'policy_denied_ingress';
const EGRESS = 'policy_denied_egress';
const PENDING = 'policy_pending';

const onlyFrom = (namespaceSelector: object, podSelector: object = {}) =>
  networkPolicy('x', 'p', {
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ namespaceSelector, podSelector }] }],
  });
const DENY = networkPolicy('x', 'p', { policyTypes: ['Ingress', 'Egress'] });
const DENY_INGRESS = networkPolicy('x', 'p', { policyTypes: ['Ingress'] });

const LABELS: PolicyChange[] = [
  {
    title: 'labels of a peer change',
    async body({ t, node, pod, become }) {
      const policies = [onlyFrom({}, { matchLabels: { pod: 'friend' } })];
      const ask = () => opens(node, pod('y/a'), pod('x/a'));
      await become({ policies });
      t.is(ask(), INGRESS);
      await become({ policies, pods: labelled('y/a', { pod: 'friend' }) });
      t.is(ask(), 'passes');
      t.is(opens(node, pod('y/b'), pod('x/a')), INGRESS);
      const live = new Dialogue(node, pod('y/a'), pod('x/a')).open();
      await become({ policies });
      t.is(ask(), INGRESS);
      t.deepEqual(live.both, [INGRESS, INGRESS]);
    },
  },
  {
    title: 'labels of a subject change',
    async body({ t, node, pod, become }) {
      const policies = [
        networkPolicy('x', 'p', {
          podSelector: { matchLabels: { pod: 'closed' } },
          policyTypes: ['Ingress'],
        }),
      ];
      await become({ policies });
      const live = new Dialogue(node, pod('y/a'), pod('x/a')).open();
      await become({ policies, pods: labelled('x/a', { pod: 'closed' }) });
      t.is(opens(node, pod('y/a'), pod('x/a')), INGRESS);
      t.is(opens(node, pod('y/a'), pod('x/b')), 'passes');
      t.deepEqual(live.both, [INGRESS, INGRESS]);
      await become({ policies });
      t.is(opens(node, pod('y/a'), pod('x/a')), 'passes');
      t.deepEqual(live.both, ['passes', 'passes']);
    },
  },
  {
    title: 'labels of a namespace change',
    async body({ t, node, pod, become }) {
      const policies = [onlyFrom({ matchLabels: { team: 'shop' } })];
      const ask = () => ['y/a', 'y/c', 'z/a'].map((name) => opens(node, pod(name), pod('x/a')));
      await become({ policies });
      t.deepEqual(ask(), [INGRESS, INGRESS, INGRESS]);
      const namespaces = NAMESPACES.map(({ metadata: { name, labels } }) => {
        const more = name === 'y' ? { team: 'shop' } : {};
        return { metadata: { name, labels: { ...labels, ...more } } };
      });
      await become({ policies, namespaces });
      t.deepEqual(ask(), ['passes', 'passes', INGRESS]);
      await become({ policies });
      t.deepEqual(ask(), [INGRESS, INGRESS, INGRESS]);
    },
  },
  {
    title: 'a namespace is created and deleted',
    async body({ t, node, pod, become }) {
      const policies = [onlyFrom({ matchLabels: { ns: 'y' } })];
      const byName = [onlyFrom({ matchLabels: { 'kubernetes.io/metadata.name': 'y' } })];
      const namespaces = NAMESPACES.filter(({ metadata }) => metadata.name !== 'y');
      const ask = () => opens(node, pod('y/a'), pod('x/a'));
      await become({ policies, namespaces });
      t.is(ask(), INGRESS);
      // Its default label is known before the namespace is.
      await become({ policies: byName, namespaces });
      t.is(ask(), 'passes');
      await become({ policies });
      t.is(ask(), 'passes');
      await become({ policies, namespaces });
      t.is(ask(), INGRESS);
    },
  },
];

const PEOPLE: PolicyChange[] = [
  {
    title: 'a pod is attached before it is in the model',
    async body({ t, node, pod, host, outside, family, become }) {
      const attachments = [...ATTACHMENTS, TENTH.attachment];
      const tenth = TENTH.end(family);
      await become({}, attachments);
      for (const protocol of ['TCP', 'UDP', 'SCTP', 'ICMP'] as const) {
        for (const other of [pod('x/a'), host, outside]) {
          t.is(opens(node, tenth, other, protocol), PENDING, `to ${other.at}, ${protocol}`);
          t.is(opens(node, other, tenth, protocol), PENDING, `from ${other.at}, ${protocol}`);
        }
      }
      t.is(opens(node, tenth, tenth), PENDING);
      t.is(opens(node, pod('y/a'), pod('x/a')), 'passes', 'others do not wait for it');
      const pods = [...PODS, TENTH.manifest];
      await become({ pods }, attachments);
      for (const other of [pod('x/a'), host, outside]) {
        t.is(opens(node, tenth, other), 'passes', `to ${other.at}`);
        t.is(opens(node, other, tenth), 'passes', `from ${other.at}`);
      }
    },
  },
  {
    title: 'a pod is created where policies are',
    async body({ t, node, pod, host, family, become }) {
      const attachments = [...ATTACHMENTS, TENTH.attachment];
      const pods = [...PODS, TENTH.manifest];
      const tenth = TENTH.end(family);
      const policies = [
        DENY,
        networkPolicy('y', 'p', {
          podSelector: { matchLabels: { pod: 'a' } },
          ingress: [
            { from: [{ namespaceSelector: {}, podSelector: { matchLabels: { pod: 'd' } } }] },
          ],
        }),
      ];
      await become({ policies }, attachments);
      t.is(opens(node, pod('y/a'), tenth), PENDING);
      await become({ policies, pods }, attachments);
      t.is(opens(node, pod('y/a'), tenth), INGRESS, 'it is isolated from the first packet on');
      t.is(opens(node, tenth, pod('y/a')), EGRESS);
      t.is(opens(node, host, tenth), 'passes', 'the node reaches it');
      t.is(opens(node, tenth, host), 'passes');
      await become({ policies: policies.slice(1), pods }, attachments);
      t.is(opens(node, tenth, pod('y/a')), 'passes', 'its labels are known to others');
      t.is(opens(node, pod('x/c'), pod('y/a')), INGRESS);
    },
  },
  {
    title: 'a pod is deleted and its address becomes that of another',
    async body({ t, node, pod, outside, become }) {
      const policies = [onlyFrom({ matchLabels: { ns: 'y' } })];
      const [from, to] = [pod('y/c'), pod('x/a')];
      await become({ policies });
      const live = new Dialogue(node, from, to).open();
      await become({ policies, pods: without('y/c') });
      t.is(opens(node, from, to), PENDING, 'the interface is still there');
      t.deepEqual(live.both, [PENDING, PENDING]);
      const attachments = ATTACHMENTS.filter((each) => each.pod !== 'y/c');
      await become({ policies, pods: without('y/c') }, attachments);
      const elsewhere = { ...from, at: OUTSIDE };
      t.is(opens(node, elsewhere, to), INGRESS, 'an address like others');
      // A pod of z gets the address, on an interface of its own.
      const addresses = addressesOf('y', 'c');
      const heir = { interface: 'heir', pod: 'z/d', addresses };
      const manifest: PodManifest = {
        ...TENTH.manifest,
        metadata: { namespace: 'z', name: 'd', labels: { pod: 'd' } },
        status: { phase: 'Running', podIPs: addresses.map((ip) => ({ ip })) },
      };
      const pods = [...without('y/c'), manifest];
      const at = { ...from, at: 'heir' };
      await become({ policies, pods }, [...attachments, heir]);
      t.is(opens(node, at, to), INGRESS, 'it is in another namespace');
      t.is(opens(node, outside, at), 'passes');
      t.is(opens(node, at, pod('z/a')), 'passes');
      await become({ policies: [onlyFrom({ matchLabels: { ns: 'z' } })], pods }, [
        ...attachments,
        heir,
      ]);
      t.is(opens(node, at, to), 'passes');
    },
  },
  {
    title: 'a pod takes another address',
    async body({ t, node, pod, become }) {
      const policies = [onlyFrom({}, { matchLabels: { pod: 'b' } })];
      const swapped = PODS.map((each) => {
        const { namespace, name } = each.metadata;
        if (namespace !== 'y' || !['a', 'b'].includes(name)) return each;
        const addresses = addressesOf('y', name === 'a' ? 'b' : 'a');
        return { ...each, status: { phase: 'Running', podIPs: addresses.map((ip) => ({ ip })) } };
      });
      const attachments = ATTACHMENTS.map((each) => {
        if (each.pod === 'y/a') return { ...each, pod: 'y/b' };
        return each.pod === 'y/b' ? { ...each, pod: 'y/a' } : each;
      });
      const ask = () => ['y/a', 'y/b'].map((name) => opens(node, pod(name), pod('x/a')));
      await become({ policies });
      t.deepEqual(ask(), [INGRESS, 'passes']);
      await become({ policies, pods: swapped }, attachments);
      t.deepEqual(ask(), ['passes', INGRESS]);
    },
  },
];

const POLICIES: PolicyChange[] = [
  {
    title: 'a policy is created, changed and deleted',
    async body({ t, node, pod, become }) {
      const ask = () => ['y/a', 'z/a'].map((name) => opens(node, pod(name), pod('x/a')));
      t.deepEqual(ask(), ['passes', 'passes']);
      await become({ policies: [DENY] });
      t.deepEqual(ask(), [INGRESS, INGRESS]);
      await become({ policies: [onlyFrom({ matchLabels: { ns: 'y' } })] });
      t.deepEqual(ask(), ['passes', INGRESS]);
      await become({ policies: [onlyFrom({ matchLabels: { ns: 'z' } })] });
      t.deepEqual(ask(), [INGRESS, 'passes']);
      await become();
      t.deepEqual(ask(), ['passes', 'passes']);
    },
  },
  {
    title: 'live connections are cut by a policy and go on without it',
    async body({ t, node, pod, become }) {
      const lives = (['TCP', 'UDP', 'SCTP', 'ICMP'] as const).flatMap((protocol) => [
        new Dialogue(node, pod('y/a'), pod('x/a'), protocol).open(),
        new Dialogue(node, pod('x/a'), pod('y/a'), protocol).open(),
      ]);
      const created = node.proxy.stats().flows.created;
      for (let times = 0; times < 2; times++) {
        await become({ policies: [DENY] });
        for (const live of lives) {
          const reason = live.server.at === 'x-a' ? INGRESS : EGRESS;
          t.deepEqual(live.both, [reason, reason], `${live.client.at} ${live.protocol}`);
        }
        await become();
        for (const live of lives) t.deepEqual(live.both, ['passes', 'passes'], live.protocol);
      }
      t.is(node.proxy.stats().flows.created, created, 'they are the same connections');
    },
  },
  {
    title: 'a policy cuts those that it does not let pass, and no others',
    async body({ t, node, pod, become }) {
      const lives = ['y/a', 'y/b', 'z/a'].map((name) =>
        new Dialogue(node, pod(name), pod('x/a')).open(),
      );
      const outwards = new Dialogue(node, pod('x/a'), pod('z/a')).open();
      await become({
        policies: [onlyFrom({ matchLabels: { ns: 'y' } }, { matchLabels: { pod: 'a' } })],
      });
      t.deepEqual(
        lives.map(({ both }) => both[0]),
        ['passes', INGRESS, INGRESS],
      );
      t.deepEqual(outwards.both, ['passes', 'passes'], 'what it has begun itself is answered');
    },
  },
  {
    title: 'answers pass whichever way new connections are denied',
    async body({ t, node, pod, outside, become }) {
      const ends: [End, End][] = [
        [pod('x/a'), pod('y/a')],
        [pod('x/b'), outside],
      ];
      for (const [inside, other] of ends) {
        await become({ policies: [DENY_INGRESS] });
        for (const protocol of ['TCP', 'UDP', 'SCTP', 'ICMP'] as const) {
          new Dialogue(node, inside, other, protocol).open();
          t.is(opens(node, other, inside, protocol), INGRESS);
        }
        await become({ policies: [networkPolicy('x', 'p', { policyTypes: ['Egress'] })] });
        for (const protocol of ['TCP', 'UDP', 'SCTP', 'ICMP'] as const) {
          new Dialogue(node, other, inside, protocol).open();
          t.is(opens(node, inside, other, protocol), EGRESS);
        }
      }
    },
  },
  {
    title: 'cluster policies come and go, and change places',
    async body({ t, node, pod, become }) {
      const rule = (action: string) => ({ ingress: [{ action, from: [{ namespaces: {} }] }] });
      const live = new Dialogue(node, pod('y/a'), pod('x/a')).open();
      const steps: [string, ReturnType<typeof clusterPolicy>[]][] = [
        [INGRESS, [DENY_INGRESS]],
        ['passes', [DENY_INGRESS, clusterPolicy('Admin', 10, 'a', rule('Accept'))]],
        [
          INGRESS,
          [
            clusterPolicy('Admin', 10, 'a', rule('Accept')),
            clusterPolicy('Admin', 5, 'd', rule('Deny')),
          ],
        ],
        [
          'passes',
          [
            clusterPolicy('Admin', 4, 'a', rule('Accept')),
            clusterPolicy('Admin', 5, 'd', rule('Deny')),
          ],
        ],
        [INGRESS, [DENY_INGRESS, clusterPolicy('Admin', 4, 'a', rule('Pass'))]],
        [
          INGRESS,
          [
            clusterPolicy('Admin', 4, 'a', rule('Pass')),
            clusterPolicy('Baseline', 0, 'b', rule('Deny')),
          ],
        ],
        ['passes', [clusterPolicy('Baseline', 0, 'b', rule('Accept'))]],
      ];
      for (const [wanted, policies] of steps) {
        await become({ policies });
        t.is(opens(node, pod('y/a'), pod('x/a')), wanted);
        t.deepEqual(live.both, [wanted, wanted]);
      }
    },
  },
];

export const POLICY_CHANGES: readonly PolicyChange[] = [...LABELS, ...PEOPLE, ...POLICIES];
