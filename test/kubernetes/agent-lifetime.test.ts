// SPDX-License-Identifier: Apache-2.0
// The agent drains, ends, comes back, is killed, and is not alone.
import type { ExecutionContext } from 'ava';
import { until } from '../e2e/rig.js';
import {
  type AgentNode,
  CLIENT,
  CUSTOMER,
  HOST,
  NODE_NAME,
  POD_1,
  REMOTE,
  THIS_NODE,
} from './agent-node.js';
import { type Destinations, told } from './asking.js';
import { onNodes } from './node-suites.js';
import { ENDING, endpoints, remove, serve, service } from './shop.js';
import { TRAFFIC_ENDPOINT_PORTS, TRAFFIC_PORTS, Traffic } from './traffic.js';
import { apply } from './workloads.js';

const DRAIN_S = 10;

const onEach = onNodes({}, { drainPeriod: `${DRAIN_S}s` });

onEach('a second agent on the node is refused', async (t, node) => {
  const made = await serve(node, service('alone', { type: 'NodePort' }), [POD_1]);
  for (const control of [node.agent.control, `${node.agent.control}-2`]) {
    const second = node.spawnAgent({ control });
    t.is(await second.ended(), 1);
    const complaint = `an agent runs on this node already (process ${node.agent.pid}, node ${NODE_NAME}); stop it first`;
    t.true(second.stderr.includes(complaint), second.stderr);
  }
  const complaint = await node.agentCommand('--cleanup').catch(({ stderr }) => String(stderr));
  t.regex(complaint, /an agent answers here; stop it first/);
  await serves(t, node, 'the first one goes on', made, 'pod-1');
  await remove(node, 'alone');
});

onEach('an agent drains, ends, and starts again', async (t, node) => {
  const object = service('draining', { ports: TRAFFIC_PORTS, type: 'NodePort' });
  const made = await serve(node, object, [POD_1, REMOTE], TRAFFIC_ENDPOINT_PORTS);
  await serves(t, node, 'before', made, 'pod-1 remote');
  t.is(await answerOf(node, 'healthz'), '200');
  const traffic = await Traffic.start(node, made);
  const began = Date.now();
  const ended = node.agent.end('SIGTERM');
  t.true(await until(async () => (await answerOf(node, 'healthz')) === '503'), 'healthz says so');
  t.is(await answerOf(node, 'livez'), '200');
  await endpoints(node, 'draining', [POD_1, [REMOTE, ENDING]], TRAFFIC_ENDPOINT_PORTS);
  await serves(t, node, 'it goes on', made, 'pod-1');
  await traffic.end(t);
  t.is(await answerOf(node, 'healthz'), '503', 'until the end');
  t.is(await ended, 0);
  t.true(Date.now() - began >= DRAIN_S * 1_000);
  await endpoints(node, 'draining', [REMOTE], TRAFFIC_ENDPOINT_PORTS);
  await node.startAgent();
  await serves(t, node, 'after a restart', made, 'remote');
  await remove(node, 'draining');
});

onEach('a node that is about to go is no place for new connections', async (t, node) => {
  const taint = ['taint', 'node', NODE_NAME];
  const answers = async (wanted: string) => {
    t.true(await until(async () => (await answerOf(node, 'healthz')) === wanted), wanted);
    t.is(await answerOf(node, 'livez'), '200');
  };
  await answers('200');
  await node.kubectl([...taint, 'ToBeDeletedByClusterAutoscaler=1:NoSchedule']);
  await answers('503');
  await node.kubectl([...taint, 'ToBeDeletedByClusterAutoscaler-']);
  await answers('200');
  const made = await serve(node, service('nodeless', { type: 'NodePort' }), [POD_1]);
  await node.kubectl(['delete', 'node', NODE_NAME]);
  await answers('503');
  await serves(t, node, 'its Node object is gone', made, 'pod-1');
  await apply(node.cluster, THIS_NODE);
  await answers('200');
  await serves(t, node, 'and is back', made, 'pod-1');
  await remove(node, 'nodeless');
});

onEach('what a killed agent leaves is cleaned up', async (t, node) => {
  const { agent } = node;
  agent.kill('SIGKILL');
  await agent.ended();
  const report = await node.agentCommand('--cleanup');
  t.true(report.includes(`removed ${agent.control} (control socket)\n`), report);
  t.regex(report, /^removed .* \(lock\)$/m);
  t.is(await node.agentCommand('--cleanup'), 'nothing to remove\n');
  await node.startAgent();
  const made = await serve(node, service('clean', { type: 'NodePort' }), [POD_1]);
  await serves(t, node, 'after it', made, 'pod-1');
  await remove(node, 'clean');
  t.is(await node.agent.end('SIGTERM'), 0, 'without a drain period at once');
});

async function serves(
  t: ExecutionContext,
  node: AgentNode,
  step: string,
  made: Destinations,
  who: string,
): Promise<void> {
  await told(t, node, step, [
    [CUSTOMER, made.cluster(), `${who}, kept`],
    [HOST, made.cluster(), who],
    [CLIENT, made.cluster(), `${who}, masqueraded`],
    [CLIENT, made.nodePort(), `${who}, masqueraded`],
  ]);
}

/** The code that a balancer outside gets. */
async function answerOf(node: AgentNode, path: 'healthz' | 'livez'): Promise<string> {
  const curl = ['curl', '-sS', '--max-time', '10', '-o', '/dev/null', '-w', '%{http_code}'];
  return node.exec(CLIENT.name, [...curl, `http://${HOST.v4}:10256/${path}`]).catch(() => '');
}
