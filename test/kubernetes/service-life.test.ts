// SPDX-License-Identifier: Apache-2.0
// The life of a Service by kubectl, and what real programs get of it.
import { until } from '../e2e/rig.js';
import {
  BEYOND,
  CLIENT,
  CUSTOMER,
  HOST,
  LINES_PORT,
  NAMESPACE,
  POD_1,
  POD_2,
  REMOTE,
} from './agent-node.js';
import { NOT_OURS, type Target, told } from './asking.js';
import { onNodes } from './node-suites.js';
import type { Tree } from './server/objects.js';
import { destinations, endpoints, patch, remove, serve, service, setBalancer } from './shop.js';
import { Talker } from './traffic.js';

const onEach = onNodes();

const ALL = [POD_1, POD_2, REMOTE];
const EVERYBODY = 'pod-1 pod-2 remote';

onEach('a Service is created, scaled and deleted', async (t, node) => {
  const web = await serve(node, service('web'), []);
  const at = web.cluster();
  const isRefused = [CUSTOMER, HOST, CLIENT].map((asker) => [asker, at, 'refused'] as const);
  await told(t, node, 'no endpoints', isRefused);
  await endpoints(node, 'web', [POD_1]);
  await told(t, node, 'one endpoint', [
    [CUSTOMER, at, 'pod-1, kept'],
    [HOST, at, 'pod-1'],
    [CLIENT, at, 'pod-1, masqueraded'],
    [POD_1, at, 'pod-1, masqueraded'],
    [CUSTOMER, { ...at, port: 82 }, 'refused'],
    [CUSTOMER, { ...at, protocol: 'UDP' }, 'refused'],
  ]);
  await endpoints(node, 'web', ALL);
  await told(t, node, 'scaled up', [
    [CUSTOMER, at, `${EVERYBODY}, kept`],
    [HOST, at, EVERYBODY],
    [CLIENT, at, `${EVERYBODY}, masqueraded`],
  ]);
  await endpoints(node, 'web', [REMOTE]);
  await told(t, node, 'scaled down', [
    [CUSTOMER, at, 'remote, kept'],
    [HOST, at, 'remote'],
    [CLIENT, at, 'remote, masqueraded'],
  ]);
  await endpoints(node, 'web', []);
  await told(t, node, 'scaled to nothing', isRefused);
  await endpoints(node, 'web', [POD_2]);
  await told(t, node, 'and up again', [[CUSTOMER, at, 'pod-2, kept']]);
  await remove(node, 'web');
  // The address is of the service networks, and nobody's.
  const isSilent = [CUSTOMER, HOST, CLIENT].map((asker) => [asker, at, 'silent'] as const);
  await told(t, node, 'deleted', isSilent);
});

onEach('a Service of another proxy is not served', async (t, node) => {
  const labelled = await serve(node, service('labelled', { type: 'NodePort' }), [POD_1]);
  const isServed = [
    [CUSTOMER, labelled.cluster(), 'pod-1, kept'],
    [CLIENT, labelled.nodePort(), 'pod-1, masqueraded'],
  ] as const;
  const label = 'service.kubernetes.io/service-proxy-name';
  const command = ['label', 'service', 'labelled', `--namespace=${NAMESPACE}`];
  await told(t, node, 'without a label', isServed);
  for (const value of ['another', '']) {
    await node.kubectl([...command, `${label}=${value}`, '--overwrite']);
    await told(t, node, `with the label "${value}"`, [
      [CUSTOMER, labelled.cluster(), 'silent'],
      [CLIENT, labelled.nodePort(), 'refused'],
    ]);
  }
  await node.kubectl([...command, `${label}-`]);
  await told(t, node, 'without it again', isServed);
  await remove(node, 'labelled');
});

onEach('a Service changes its type, and back', async (t, node) => {
  let shop = await serve(node, service('types'), [POD_1, REMOTE]);
  const clusterIp = shop.cluster();
  const isClusterIp = (at: Target) =>
    [
      [CUSTOMER, at, 'pod-1 remote, kept'],
      [CLIENT, at, 'pod-1 remote, masqueraded'],
    ] as const;
  await told(t, node, 'ClusterIP', isClusterIp(clusterIp));

  shop = await patch(node, 'types', { spec: { type: 'NodePort' } });
  const nodePort = shop.nodePort();
  const ownNodePort = shop.ownNodePort();
  await told(t, node, 'NodePort', [
    ...isClusterIp(clusterIp),
    [CUSTOMER, nodePort, 'pod-1 remote, masqueraded'],
    [HOST, ownNodePort, 'pod-1 remote'],
    [CLIENT, nodePort, 'pod-1 remote, masqueraded'],
    [CLIENT, ownNodePort, 'pod-1 remote, masqueraded'],
  ]);

  await patch(node, 'types', { spec: { type: 'LoadBalancer' } });
  await told(t, node, 'LoadBalancer without an address', [
    [CUSTOMER, { ...BEYOND, port: 80 }, NOT_OURS],
    [CLIENT, { ...BEYOND, port: 80 }, NOT_OURS],
  ]);
  await setBalancer(node, 'types', Object.values(BEYOND));
  const balancer = { ...BEYOND, port: 80 };
  await told(t, node, 'LoadBalancer, VIP', [
    ...isClusterIp(clusterIp),
    [CUSTOMER, balancer, 'pod-1 remote, masqueraded'],
    [HOST, balancer, 'pod-1 remote'],
    [CLIENT, balancer, 'pod-1 remote, masqueraded'],
    [CLIENT, nodePort, 'pod-1 remote, masqueraded'],
    // Not a node port on a balancer's address.
    [CLIENT, { ...BEYOND, port: nodePort.port }, 'refused'],
  ]);
  await setBalancer(node, 'types', Object.values(BEYOND), 'Proxy');
  await told(t, node, 'LoadBalancer, Proxy', [
    [CUSTOMER, balancer, NOT_OURS],
    [HOST, balancer, 'remote'],
    [CLIENT, balancer, NOT_OURS],
    [CLIENT, nodePort, 'pod-1 remote, masqueraded'],
  ]);
  await setBalancer(node, 'types', Object.values(BEYOND));
  await patch(node, 'types', {
    spec: { loadBalancerSourceRanges: [`${CLIENT.v4}/32`, `${CLIENT.v6}/128`] },
  });
  await told(t, node, 'source ranges', [
    [CLIENT, balancer, 'pod-1 remote, masqueraded'],
    [CUSTOMER, balancer, 'silent'],
    [HOST, balancer, 'silent'],
    [CUSTOMER, nodePort, 'pod-1 remote, masqueraded'],
    ...isClusterIp(clusterIp),
  ]);

  await patch(node, 'types', {
    spec: { type: 'ExternalName', externalName: 'example.org', loadBalancerSourceRanges: null },
  });
  await told(t, node, 'ExternalName', [
    [CUSTOMER, clusterIp, 'silent'],
    [CLIENT, nodePort, 'refused'],
    [CUSTOMER, balancer, NOT_OURS],
  ]);
  await patch(node, 'types', { spec: { ...CLUSTER_IP, clusterIP: 'None', clusterIPs: ['None'] } });
  await told(t, node, 'headless', [
    [CUSTOMER, clusterIp, 'silent'],
    [CLIENT, nodePort, 'refused'],
  ]);
  await patch(node, 'types', {
    spec: { type: 'ExternalName', externalName: 'example.org', clusterIP: null, clusterIPs: null },
  });
  shop = await patch(node, 'types', { spec: CLUSTER_IP });
  await told(t, node, 'ClusterIP again', isClusterIp(shop.cluster()));
  await remove(node, 'types');
});

const CLUSTER_IP: Tree = {
  type: 'ClusterIP',
  externalName: null,
  ipFamilyPolicy: 'RequireDualStack',
};

onEach('a Service that is made again has other addresses', async (t, node) => {
  const before = await serve(node, service('again', { type: 'NodePort' }), [POD_1]);
  await told(t, node, 'at first', [[CUSTOMER, before.cluster(), 'pod-1, kept']]);
  await node.kubectl(['delete', 'service', 'again', `--namespace=${NAMESPACE}`]);
  const clusterIPs = ['10.96.77.7', 'fd00:10:96::7777'];
  const made = service('again', { clusterIP: clusterIPs[0], clusterIPs });
  await node.kubectl('create -f -', made);
  const after = await destinations(node, 'again');
  await told(t, node, 'made again', [
    [CUSTOMER, after.cluster(), 'pod-1, kept'],
    [CUSTOMER, before.cluster(), 'silent'],
    [CLIENT, before.nodePort(), 'refused'],
  ]);
  await remove(node, 'again');
  await told(t, node, 'deleted', [[CUSTOMER, after.cluster(), 'silent']]);
});

onEach('ports of one Service, TCP and UDP on the same number', async (t, node) => {
  const ports = [
    { name: 'http', port: 80 },
    { name: 'more', port: 90, targetPort: 81 },
    { name: 'dgram', port: 80, protocol: 'UDP' },
  ];
  const made = await serve(node, service('ports', { type: 'NodePort', ports }), [POD_1], {
    http: 80,
    more: 81,
    dgram: { port: 81, protocol: 'UDP' },
  });
  await told(t, node, 'three ports', [
    [CUSTOMER, made.cluster(80), 'pod-1, kept'],
    [CUSTOMER, made.cluster(90), 'pod-1, kept'],
    [CUSTOMER, made.cluster(80, 'UDP'), 'pod-1, kept'],
    [CLIENT, made.nodePort(80, 'UDP'), 'pod-1, masqueraded'],
    [CLIENT, made.nodePort(90), 'pod-1, masqueraded'],
    [HOST, made.ownNodePort(80, 'UDP'), 'pod-1'],
    [CUSTOMER, made.cluster(90, 'UDP'), 'refused'],
  ]);
  await endpoints(node, 'ports', [POD_1], { http: 80, dgram: { port: 81, protocol: 'UDP' } });
  await told(t, node, 'a port without endpoints', [
    [CUSTOMER, made.cluster(80), 'pod-1, kept'],
    [CUSTOMER, made.cluster(90), 'refused'],
    [CUSTOMER, made.cluster(80, 'UDP'), 'pod-1, kept'],
  ]);
  await remove(node, 'ports');
});

onEach('external addresses', async (t, node) => {
  const external = { ...BEYOND, port: 80 };
  await told(t, node, 'before', [[CLIENT, external, NOT_OURS]]);
  const made = await serve(node, service('external', { externalIPs: Object.values(BEYOND) }), [
    POD_1,
  ]);
  await told(t, node, 'with externalIPs', [
    [CLIENT, external, 'pod-1, masqueraded'],
    [CUSTOMER, external, 'pod-1, masqueraded'],
    [HOST, external, 'pod-1'],
    [CUSTOMER, made.cluster(), 'pod-1, kept'],
  ]);
  await patch(node, 'external', { spec: { externalIPs: null } });
  await told(t, node, 'without', [[CLIENT, external, NOT_OURS]]);
  await remove(node, 'external');
});

onEach('a UDP socket that is kept follows its Service', async (t, node) => {
  const ports = [{ port: 80, protocol: 'UDP' }];
  const at = { '': { port: 80, protocol: 'UDP' } };
  const made = await serve(node, service('dgrams', { ports }), [POD_1], at);
  const target = made.cluster(80, 'UDP');
  await told(t, node, 'UDP', [[CUSTOMER, target, 'pod-1, kept']]);
  const talkers = await Promise.all([
    Talker.start(node, CUSTOMER, 'udp-client.mjs', target.v4, target),
    Talker.start(node, CLIENT, 'udp-client.mjs', target.v6, target),
  ]);
  const hears = async (name: string) => {
    for (const talker of talkers) {
      const isSo = await until(async () => (await talker.state()).latest === name);
      t.true(isSo, `${talker.name} hears ${name}`);
    }
  };
  await hears(POD_1.name);
  await endpoints(node, 'dgrams', [POD_2], at);
  await hears(POD_2.name);
  await endpoints(node, 'dgrams', [], at);
  await told(t, node, 'no endpoints', [[CUSTOMER, target, 'refused']]);
  await endpoints(node, 'dgrams', [REMOTE], at);
  await hears(REMOTE.name);
  // Whoever serves is kept, though a policy would not choose it.
  await patch(node, 'dgrams', { spec: { internalTrafficPolicy: 'Local' } });
  await told(t, node, 'none here', [[CUSTOMER, target, 'silent']]);
  for (const talker of talkers) {
    const { received } = await talker.state();
    const goesOn = await until(async () => (await talker.state()).received > received + 50);
    t.true(goesOn, `${talker.name} goes on`);
  }
  await Promise.all(talkers.map((talker) => talker.end()));
  await remove(node, 'dgrams');
});

onEach('a TCP connection that is held outlives its Service', async (t, node) => {
  const ports = [{ port: 80, targetPort: LINES_PORT }];
  const at = { '': LINES_PORT };
  const made = await serve(node, service('held', { ports }), [POD_1], at);
  const target = made.cluster();
  await told(t, node, 'served', [[CUSTOMER, { ...target, port: 79 }, 'refused']]);
  const talkers = await Promise.all([
    Talker.start(node, CUSTOMER, 'line-client.mjs', target.v6, target),
    Talker.start(node, CLIENT, 'line-client.mjs', target.v4, target),
  ]);
  await endpoints(node, 'held', [], at);
  await told(t, node, 'no endpoints', [[CLIENT, target, 'refused']]);
  await remove(node, 'held');
  await told(t, node, 'deleted', [[CLIENT, target, 'silent']]);
  for (const talker of talkers) {
    const { sent, received, broken } = await talker.end();
    t.is(broken, null, talker.name);
    t.is(received, sent, talker.name);
  }
});
