// SPDX-License-Identifier: Apache-2.0
import { type AgentNode, NAMESPACE, NODE_NAME, OTHER_NODE, REMOTE } from './agent-node.js';
import { type Asker, Destinations } from './asking.js';
import type { Tree } from './server/objects.js';
import { apply, type EndpointOptions, type SliceOptions, setStatus, slice } from './workloads.js';

// Services of the tests, by kubectl.

/** A Service of both families. */
export function service(name: string, spec: Tree = {}, more: Tree = {}): Tree {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: NAMESPACE, ...more },
    spec: { ipFamilyPolicy: 'RequireDualStack', ports: [{ port: 80 }], ...spec },
  };
}

/** An endpoint of a Service: who, and what else is said of it. */
export type Member = Asker | readonly [Asker, Omit<EndpointOptions, 'address'>];

/** Serves, but shall get nothing new unless there is nobody else. UDP flows stay with it, too. */
export const ENDING = { ready: false, serving: true, terminating: true };

/** The slices of both families. The remote pod is on another node, everybody else here. */
export function slices(
  of: string,
  members: readonly Member[],
  ports: SliceOptions['ports'] = { '': 80 },
): Tree[] {
  return (['v4', 'v6'] as const).map((family) => {
    const endpoints = members.map((member) => {
      const [who, more] = 'name' in member ? [member, {}] : member;
      const node = who.name === REMOTE.name ? OTHER_NODE : NODE_NAME;
      return { address: who[family], node, ...more };
    });
    const name = `${of}-${family}`;
    const made = slice({ service: of, namespace: NAMESPACE, name, endpoints, ports });
    // One that is empty has a family all the same.
    return { ...made, addressType: family === 'v4' ? 'IPv4' : 'IPv6' };
  });
}

/** Applies a Service and the slices of its endpoints. */
export async function serve(
  node: AgentNode,
  object: Tree,
  members: readonly Member[],
  ports?: SliceOptions['ports'],
): Promise<Destinations> {
  await apply(node.cluster, object, ...slices(object.metadata.name, members, ports));
  return destinations(node, object.metadata.name);
}

/** A Service has these endpoints from now on. */
export async function endpoints(
  node: AgentNode,
  of: string,
  members: readonly Member[],
  ports?: SliceOptions['ports'],
): Promise<void> {
  await apply(node.cluster, ...slices(of, members, ports));
}

export async function destinations(node: AgentNode, name: string): Promise<Destinations> {
  return new Destinations(await get(node, name));
}

async function get(node: AgentNode, name: string): Promise<Tree> {
  const args = ['get', 'service', name, `--namespace=${NAMESPACE}`, '--output=json'];
  return JSON.parse(await node.kubectl(args));
}

/** `kubectl patch`, and what became of it. */
export async function patch(node: AgentNode, name: string, change: Tree): Promise<Destinations> {
  const args = ['patch', 'service', name, `--namespace=${NAMESPACE}`];
  await node.kubectl([...args, '--type=merge', '--patch', JSON.stringify(change)]);
  return destinations(node, name);
}

/** Sets the addresses that a cloud's controller would have given. */
export async function setBalancer(
  node: AgentNode,
  name: string,
  addresses: readonly string[],
  ipMode: 'VIP' | 'Proxy' = 'VIP',
): Promise<void> {
  const ingress = addresses.map((ip) => ({ ip, ipMode }));
  await setStatus(node.cluster, await get(node, name), { loadBalancer: { ingress } });
}

/** Deletes a Service, and the slices that the controller would delete. */
export async function remove(node: AgentNode, name: string): Promise<void> {
  const of = `--namespace=${NAMESPACE}`;
  await node.kubectl(['delete', 'service', name, of]);
  const selector = `kubernetes.io/service-name=${name}`;
  await node.kubectl(['delete', 'endpointslices', of, '--selector', selector]);
}
