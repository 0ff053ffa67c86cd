// SPDX-License-Identifier: Apache-2.0
// Which endpoints serve whom: traffic policies, conditions, hints, affinity; by kubectl and real programs.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AgentNode,
  BEYOND,
  CLIENT,
  CUSTOMER,
  HOST,
  NODE_NAME,
  POD_1,
  POD_2,
  REMOTE,
} from './agent-node.js';
import { ask, type Destinations, told } from './asking.js';
import { onNodes } from './node-suites.js';
import {
  ENDING,
  endpoints,
  type Member,
  patch,
  remove,
  serve,
  service,
  setBalancer,
} from './shop.js';

const onEach = onNodes();

const READY = [POD_1, REMOTE];
const ENDED = { ready: false, serving: false, terminating: true };
const NOT_READY = { ready: false, serving: false, terminating: false };

onEach('internalTrafficPolicy', async (t, node) => {
  const type = 'NodePort';
  const made = await serve(node, service('inner', { type, internalTrafficPolicy: 'Local' }), READY);
  const everywhere = 'pod-1 remote, masqueraded';
  await told(t, node, 'Local', [
    [CUSTOMER, made.cluster(), 'pod-1, kept'],
    [HOST, made.cluster(), 'pod-1'],
    [CLIENT, made.cluster(), 'pod-1, masqueraded'],
    [CUSTOMER, made.nodePort(), everywhere],
    [CLIENT, made.nodePort(), everywhere],
  ]);
  await endpoints(node, 'inner', [REMOTE]);
  await told(t, node, 'Local, and none here', [
    [CUSTOMER, made.cluster(), 'silent'],
    [HOST, made.cluster(), 'silent'],
    [CLIENT, made.cluster(), 'silent'],
    [CLIENT, made.nodePort(), 'remote, masqueraded'],
  ]);
  const counted = /^kubeproxy_sync_proxy_rules_no_local_endpoints_total\{.*"internal".*\} 1$/m;
  t.regex(await node.metrics(), counted);
  await endpoints(node, 'inner', []);
  await told(t, node, 'Local, and none at all', [[CUSTOMER, made.cluster(), 'refused']]);
  await endpoints(node, 'inner', READY);
  await patch(node, 'inner', { spec: { internalTrafficPolicy: 'Cluster' } });
  await told(t, node, 'Cluster', [
    [CUSTOMER, made.cluster(), 'pod-1 remote, kept'],
    [HOST, made.cluster(), 'pod-1 remote'],
    [CLIENT, made.cluster(), everywhere],
  ]);
  await remove(node, 'inner');
});

onEach('externalTrafficPolicy, and the health check of the node port', async (t, node) => {
  const policy = { type: 'LoadBalancer', externalTrafficPolicy: 'Local' };
  const made = await serve(node, service('outer', policy), READY);
  await setBalancer(node, 'outer', Object.values(BEYOND));
  const balancer = { ...BEYOND, port: 80 };
  await told(t, node, 'Local', [
    [CLIENT, made.nodePort(), 'pod-1, kept'],
    [CLIENT, balancer, 'pod-1, kept'],
    [CUSTOMER, made.nodePort(), 'pod-1 remote, kept'],
    [CUSTOMER, balancer, 'pod-1 remote, kept'],
    [HOST, made.ownNodePort(), 'pod-1 remote'],
    [HOST, balancer, 'pod-1 remote'],
    [CUSTOMER, made.cluster(), 'pod-1 remote, kept'],
    [CLIENT, made.cluster(), 'pod-1 remote, masqueraded'],
  ]);
  t.deepEqual(await healthOf(node, made, 1), [200, 1, true]);
  await endpoints(node, 'outer', [POD_1, POD_2, REMOTE]);
  t.deepEqual(await healthOf(node, made, 2), [200, 2, true]);
  await endpoints(node, 'outer', [[POD_1, ENDING], REMOTE]);
  await told(t, node, 'Local, and one here that ends', [
    [CLIENT, made.nodePort(), 'pod-1, kept'],
    [CUSTOMER, made.nodePort(), 'remote, kept'],
  ]);
  t.deepEqual(await healthOf(node, made, 0), [503, 0, true]);
  await endpoints(node, 'outer', [REMOTE]);
  await told(t, node, 'Local, and none here', [
    [CLIENT, made.nodePort(), 'silent'],
    [CLIENT, balancer, 'silent'],
    [CUSTOMER, made.nodePort(), 'remote, kept'],
    [HOST, balancer, 'remote'],
  ]);
  t.deepEqual(await healthOf(node, made, 0), [503, 0, true]);
  await endpoints(node, 'outer', READY);
  await patch(node, 'outer', { spec: { externalTrafficPolicy: 'Cluster' } });
  await told(t, node, 'Cluster', [
    [CLIENT, made.nodePort(), 'pod-1 remote, masqueraded'],
    [CUSTOMER, balancer, 'pod-1 remote, masqueraded'],
    // Nobody asks for the node's health any more.
    [CLIENT, { v4: HOST.v4, v6: HOST.v6, port: made.healthCheckNodePort }, 'refused'],
  ]);
  await remove(node, 'outer');
});

/** What a balancer outside is told, once it is told of so many endpoints: code, endpoints, health of the proxy. */
async function healthOf(node: AgentNode, made: Destinations, wanted: number): Promise<unknown[]> {
  const url = `http://${HOST.v4}:${made.healthCheckNodePort}/`;
  const curl = ['curl', '-sS', '--max-time', '5', '-w', '\n%{http_code}', url];
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answer = await node.exec(CLIENT.name, curl).catch(() => '');
    const cut = answer.lastIndexOf('\n');
    if (cut > 0) {
      const { localEndpoints, serviceProxyHealthy } = JSON.parse(answer.slice(0, cut));
      if (localEndpoints === wanted || Date.now() > deadline)
        return [Number(answer.slice(cut)), localEndpoints, serviceProxyHealthy];
    }
    if (Date.now() > deadline) return [answer];
    await sleep(50);
  }
}

onEach('endpoints that end, and none that is ready', async (t, node) => {
  const made = await serve(node, service('ending'), [[POD_1, ENDING], REMOTE]);
  const steps: [step: string, members: Member[], told: string][] = [
    ['one ends', [[POD_1, ENDING], REMOTE], 'remote, kept'],
    [
      'all end',
      [
        [POD_1, ENDING],
        [REMOTE, ENDING],
      ],
      'pod-1 remote, kept',
    ],
    [
      'one of them has ended',
      [
        [POD_1, ENDED],
        [REMOTE, ENDING],
      ],
      'remote, kept',
    ],
    [
      'all have ended',
      [
        [POD_1, ENDED],
        [REMOTE, ENDED],
      ],
      'refused',
    ],
    [
      'none is ready',
      [
        [POD_1, NOT_READY],
        [REMOTE, NOT_READY],
      ],
      'refused',
    ],
    ['one is ready', [[POD_1, NOT_READY], REMOTE], 'remote, kept'],
    ['nothing is said', [[POD_1, { ready: null }]], 'pod-1, kept'],
  ];
  for (const [step, members, wanted] of steps) {
    await endpoints(node, 'ending', members);
    await told(t, node, step, [[CUSTOMER, made.cluster(), wanted]]);
  }
  await remove(node, 'ending');
});

onEach('hints of zones and nodes, and the zone of the node', async (t, node) => {
  const label = (value: string) => [
    ...['label', 'node', NODE_NAME, `topology.kubernetes.io/zone${value}`, '--overwrite'],
  ];
  const made = await serve(node, service('zones'), [
    [POD_1, { zone: 'a', forZones: ['a'] }],
    [REMOTE, { zone: 'b', forZones: ['b'] }],
  ]);
  const from = (told: string) => [[CUSTOMER, made.cluster(), told] as const];
  await told(t, node, 'a node without a zone', from('pod-1 remote, kept'));
  await node.kubectl(label('=a'));
  await told(t, node, 'zone a', from('pod-1, kept'));
  await node.kubectl(label('=b'));
  await told(t, node, 'zone b', from('remote, kept'));
  await node.kubectl(label('=c'));
  await told(t, node, 'a zone without endpoints', from('pod-1 remote, kept'));
  await node.kubectl(label('=a'));
  await endpoints(node, 'zones', [[POD_1, { forZones: ['a'] }], REMOTE]);
  await told(t, node, 'one endpoint without a hint', from('pod-1 remote, kept'));
  await node.kubectl(label('-'));
  await remove(node, 'zones');
});

onEach('session affinity', async (t, node) => {
  const spec = {
    type: 'NodePort',
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 2 } },
  };
  const members = [POD_1, POD_2, REMOTE];
  const made = await serve(node, service('sticky', spec), members);
  const { v4, v6 } = made.cluster();
  await told(t, node, 'on', [
    [CUSTOMER, made.cluster(), /^[\w-]+, kept$/],
    [CLIENT, made.cluster(), /^[\w-]+, masqueraded$/],
    [HOST, made.cluster(), /^[\w-]+$/],
  ]);
  for (const address of [v4, v6]) {
    const [first = ''] = (await ask(node, CLIENT, address, { port: 80 })).split(',');
    const nodePort = made.nodePort();
    const target = address === v4 ? nodePort.v4 : nodePort.v6;
    t.is(await ask(node, CLIENT, target, nodePort), `${first}, masqueraded`, 'by the node port');
    const seen = new Set([first]);
    const deadline = Date.now() + 40_000;
    while (seen.size === 1 && Date.now() < deadline) {
      await sleep(2_200);
      seen.add((await ask(node, CLIENT, address, { port: 80 })).split(',')[0]!);
    }
    t.is(seen.size, 2, 'after the time another may be chosen');
  }
  await patch(node, 'sticky', { spec: { sessionAffinity: 'None', sessionAffinityConfig: null } });
  await told(t, node, 'off', [
    [CUSTOMER, made.cluster(), 'pod-1 pod-2 remote, kept'],
    [CLIENT, made.cluster(), 'pod-1 pod-2 remote, masqueraded'],
  ]);
  await patch(node, 'sticky', { spec: { sessionAffinity: 'ClientIP' } });
  await told(t, node, 'on again', [[CUSTOMER, made.cluster(), /^[\w-]+, kept$/]]);
  // Who is remembered does not serve any more.
  const [remembered] = (await ask(node, CUSTOMER, v4, { port: 80 })).split(',');
  await endpoints(
    node,
    'sticky',
    members.filter(({ name }) => name !== remembered),
  );
  await told(t, node, 'its endpoint goes', [
    [CUSTOMER, made.cluster(), new RegExp(`^(?!${remembered},)[\\w-]+, kept$`)],
  ]);
  await remove(node, 'sticky');
});

onEach('an endpoint in the network of the node', async (t, node) => {
  const made = await serve(node, service('hosted', { type: 'NodePort' }), [HOST]);
  await told(t, node, 'hostNetwork', [
    [CUSTOMER, made.cluster(), 'host, kept'],
    [HOST, made.cluster(), 'host'],
    [CLIENT, made.cluster(), 'host, masqueraded'],
    [CLIENT, made.nodePort(), 'host, masqueraded'],
    [CUSTOMER, made.nodePort(), 'host, masqueraded'],
  ]);
  await remove(node, 'hosted');
});
