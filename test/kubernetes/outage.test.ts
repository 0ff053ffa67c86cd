// SPDX-License-Identifier: Apache-2.0
// The API server is away, or the way to it is, in the middle of traffic.
import type { ExecutionContext } from 'ava';
import { until } from '../e2e/rig.js';
import {
  type AgentNode,
  CLIENT,
  CUSTOMER,
  HOST,
  NAMESPACE,
  POD_1,
  POD_2,
  REMOTE,
} from './agent-node.js';
import { type Destinations, told } from './asking.js';
import { onNodes } from './node-suites.js';
import { ENDING, endpoints, type Member, remove, serve, service } from './shop.js';
import { TRAFFIC_ENDPOINT_PORTS, TRAFFIC_PORTS, Traffic } from './traffic.js';

/** Changes that a watch can be behind. */
const HISTORY = 40;
/** The agent waits up to half a minute before it asks a server again that was away for long. */
const BACK_MS = 60_000;

const onEach = onNodes({ historySize: HISTORY });

onEach('the API server is killed in the middle of traffic', async (t, node) => {
  const { made, traffic } = await busy(t, node, 'steady');
  const errors = await watched(node, 'errors');
  await node.cluster.kill9();
  t.true(await until(async () => (await watched(node, 'errors')) > errors), 'it is missed');
  await isHealthy(t, node);
  await told(t, node, 'while it is away', [
    [CUSTOMER, made.cluster(), 'pod-1 remote, kept'],
    [CLIENT, made.cluster(), 'pod-1 remote, masqueraded'],
    [HOST, made.cluster(), 'pod-1 remote'],
  ]);
  await isHealthy(t, node);
  // What is changed now is changed before the agent's watches are back.
  node.api.cut();
  await node.cluster.restart();
  const other = await changeEverything(node, 'steady');
  await told(t, node, 'it is back, but not for the agent', [
    [CUSTOMER, made.cluster(), 'pod-1 remote, kept'],
    [CUSTOMER, other.cluster(), 'silent'],
  ]);
  node.api.mend();
  await everythingHasChanged(t, node, made, other);
  await traffic.end(t);
  await isHealthy(t, node);
  await remove(node, 'steady');
  await remove(node, 'other');
});

onEach('watches are cut, and what they missed is compacted', async (t, node) => {
  const { made, traffic } = await busy(t, node, 'missed');
  const lists = await watched(node, 'lists');
  node.api.cut();
  const other = await changeEverything(node, 'missed');
  const items = Array.from({ length: 2 * HISTORY }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `news-${i}`, namespace: NAMESPACE },
  }));
  await node.kubectl('create -f -', { apiVersion: 'v1', kind: 'List', items });
  await told(t, node, 'without watches', [[CUSTOMER, made.cluster(), 'pod-1 remote, kept']]);
  node.api.mend();
  await everythingHasChanged(t, node, made, other);
  // A real one keeps minutes of its history.
  if (node.cluster.kind !== 'real') t.true((await watched(node, 'lists')) > lists, 'listed again');
  await traffic.end(t);
  await isHealthy(t, node);
  await remove(node, 'missed');
  await remove(node, 'other');
});

/** Traffic by a Service with an endpoint here and one elsewhere; `gone` has some, too. */
async function busy(t: ExecutionContext, node: AgentNode, name: string) {
  const members = [POD_1, REMOTE];
  await serve(node, service('gone'), members);
  const object = service(name, { ports: TRAFFIC_PORTS });
  const made = await serve(node, object, members, TRAFFIC_ENDPOINT_PORTS);
  await told(t, node, 'before', [[CUSTOMER, made.cluster(), 'pod-1 remote, kept']]);
  return { made, traffic: await Traffic.start(node, made) };
}

/** The Service that traffic goes by gets another endpoint, one goes, and one comes. */
async function changeEverything(node: AgentNode, name: string): Promise<Destinations> {
  // A datagram that is under way to an endpoint that is gone would be lost by right.
  const members: Member[] = [POD_2, [POD_1, ENDING], [REMOTE, ENDING]];
  await endpoints(node, name, members, TRAFFIC_ENDPOINT_PORTS);
  await remove(node, 'gone');
  return serve(node, service('other'), [POD_2]);
}

async function everythingHasChanged(
  t: ExecutionContext,
  node: AgentNode,
  made: Destinations,
  other: Destinations,
): Promise<void> {
  const rows = [
    [CUSTOMER, made.cluster(), 'pod-2, kept'],
    [CLIENT, made.cluster(), 'pod-2, masqueraded'],
    [CUSTOMER, other.cluster(), 'pod-2, kept'],
  ] as const;
  await told(t, node, 'in step again', rows, BACK_MS);
}

/** As the kubelet and a balancer see it. */
async function isHealthy(t: ExecutionContext, node: AgentNode): Promise<void> {
  for (const [asker, path] of [
    [HOST.name, 'livez'],
    [CLIENT.name, 'healthz'],
  ] as const) {
    const curl = ['curl', '-sS', '--max-time', '10', '-w', ' %{http_code}'];
    const answer = await node.exec(asker, [...curl, `http://${HOST.v4}:10256/${path}`]);
    t.regex(answer, /"healthy":true.* 200$/, path);
  }
}

/** A count of all watches, from the agent's metrics. */
async function watched(node: AgentNode, what: 'errors' | 'lists'): Promise<number> {
  const text = await node.metrics();
  const samples = [
    ...text.matchAll(new RegExp(`^sluice_source_${what}_total\\{.*\\} (\\d+)$`, 'gm')),
  ];
  return samples.reduce((sum, [, count]) => sum + Number(count), 0);
}
