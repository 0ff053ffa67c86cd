// SPDX-License-Identifier: Apache-2.0
// The agent ends, comes back, drains, is killed, and is not alone.
import type { ExecutionContext } from 'ava';
import { until } from '../e2e/rig.js';
import { type AgentNode, CLIENT, CUSTOMER, HOST, NODE_NAME, POD_1, REMOTE } from './agent-node.js';
import { type Destinations, told } from './asking.js';
import { onNodes } from './node-suites.js';
import { endpoints, remove, serve, service } from './shop.js';
import { TRAFFIC_ENDPOINT_PORTS, TRAFFIC_PORTS, Traffic } from './traffic.js';

const onEach = onNodes();

onEach('an agent that ends and starts again', async (t, node) => {
  const made = await serve(node, service('back', { type: 'NodePort' }), [POD_1]);
  await serves(t, node, 'at first', made, 'pod-1');
  t.is(await node.agent.end('SIGTERM'), 0, node.agent.stderr.slice(-2_000));
  t.is((await node.agent.logged('stopped')).level, 'info');
  await endpoints(node, 'back', [REMOTE]);
  await node.startAgent();
  await serves(t, node, 'after a restart', made, 'remote');
  await remove(node, 'back');
});

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

onEach('an agent drains before it ends', async (t, node) => {
  t.is(await node.agent.end('SIGTERM'), 0);
  await node.startAgent({ drainPeriod: '12s' });
  const object = service('draining', { ports: TRAFFIC_PORTS, type: 'NodePort' });
  const made = await serve(node, object, [POD_1, REMOTE], TRAFFIC_ENDPOINT_PORTS);
  await serves(t, node, 'before', made, 'pod-1 remote');
  t.is(await answerOf(node, 'healthz'), '200');
  const traffic = await Traffic.start(node, made);
  const began = Date.now();
  const ended = node.agent.end('SIGTERM');
  t.true(await until(async () => (await answerOf(node, 'healthz')) === '503'), 'healthz says so');
  t.is(await answerOf(node, 'livez'), '200');
  await serves(t, node, 'it goes on', made, 'pod-1 remote');
  // Changes as well.
  await endpoints(node, 'draining', [POD_1], TRAFFIC_ENDPOINT_PORTS);
  await serves(t, node, 'and follows', made, 'pod-1');
  await traffic.end(t);
  t.is(await answerOf(node, 'healthz'), '503', 'until the end');
  t.is(await ended, 0);
  t.true(Date.now() - began >= 12_000);
  await node.startAgent();
  await serves(t, node, 'afterwards', made, 'pod-1');
  await remove(node, 'draining');
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
