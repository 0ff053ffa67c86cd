// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { objectPath, type TestCluster } from './cluster.js';
import type { Tree } from './server/objects.js';

/**
 * What controllers and kubelets would do, of which there are none: objects as they make them, and
 * kubectl calls that put them where they belong. kubectl 1.20 has no `--subresource`, so that
 * statuses are set by `kubectl replace --raw`.
 */

/** The definition of ClusterNetworkPolicy. */
export const clusterNetworkPolicies = (): Tree =>
  JSON.parse(readFileSync(new URL('cluster-network-policies.json', import.meta.url), 'utf8'));

export interface PodOptions {
  name: string;
  namespace?: string;
  node: string;
  /** The first is the primary one. */
  ips: readonly string[];
  labels?: Record<string, string>;
  /** Named container ports: name to number, TCP; or `name/UDP`. */
  ports?: Record<string, number>;
  ready?: boolean;
  hostNetwork?: boolean;
}

/** A Pod that runs on a node. */
export function pod(options: PodOptions): Tree {
  const { name, namespace = 'default', node, ips, labels = {}, ports = {} } = options;
  const containerPorts = Object.entries(ports).map(([key, containerPort]) => {
    const [of = '', protocol = 'TCP'] = key.split('/');
    return { name: of, containerPort, protocol };
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      nodeName: node,
      ...(options.hostNetwork && { hostNetwork: true }),
      containers: [{ name: 'c', image: 'none', ports: containerPorts }],
      // It need not be waited for.
      terminationGracePeriodSeconds: 30,
    },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: options.ready === false ? 'False' : 'True' }],
      podIP: ips[0],
      podIPs: ips.map((ip) => ({ ip })),
    },
  };
}

export interface NodeOptions {
  name: string;
  addresses: readonly string[];
  podCIDRs?: readonly string[];
  labels?: Record<string, string>;
}

/** A Node that is ready. */
export function node({ name, addresses, podCIDRs, labels = {} }: NodeOptions): Tree {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: { ...(podCIDRs && { podCIDR: podCIDRs[0], podCIDRs }) },
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      addresses: [
        ...addresses.map((address) => ({ type: 'InternalIP', address })),
        { type: 'Hostname', address: name },
      ],
    },
  };
}

export interface SliceOptions {
  /** The Service's. */
  service: string;
  namespace?: string;
  /** Of the slice; left out: one for each family of the Service. */
  name?: string;
  endpoints: readonly EndpointOptions[];
  /** By the name of the Service's port. `''`: of one that has none. */
  ports: Record<string, number | { port: number; protocol?: string; appProtocol?: string }>;
  labels?: Record<string, string>;
}

export interface EndpointOptions {
  address: string;
  node?: string;
  zone?: string;
  /** Of the Pod. */
  pod?: string;
  ready?: boolean | null;
  serving?: boolean;
  terminating?: boolean;
  forZones?: readonly string[];
  forNodes?: readonly string[];
}

/** An EndpointSlice as the endpointslice controller makes it. All addresses are of one family. */
export function slice(options: SliceOptions): Tree {
  const { service, namespace = 'default', endpoints, ports, labels = {} } = options;
  const addressType = endpoints[0]?.address.includes(':') ? 'IPv6' : 'IPv4';
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: options.name ?? `${service}-${addressType.toLowerCase()}`,
      namespace,
      labels: {
        'kubernetes.io/service-name': service,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        ...labels,
      },
    },
    addressType,
    endpoints: endpoints.map((endpoint) => endpointOf(endpoint, namespace)),
    ports: Object.entries(ports).map(([name, port]) => ({
      name,
      protocol: 'TCP',
      ...(typeof port === 'number' ? { port } : port),
    })),
  };
}

function endpointOf(endpoint: EndpointOptions, namespace: string): Tree {
  const { address, ready = true, terminating = false, forZones, forNodes } = endpoint;
  const names = (list: readonly string[]) => list.map((name) => ({ name }));
  return {
    addresses: [address],
    conditions: {
      ready,
      serving: endpoint.serving ?? (ready === true || terminating),
      terminating,
    },
    ...(endpoint.node !== undefined && { nodeName: endpoint.node }),
    ...(endpoint.zone !== undefined && { zone: endpoint.zone }),
    ...(endpoint.pod !== undefined && {
      targetRef: { kind: 'Pod', namespace, name: endpoint.pod },
    }),
    ...((forZones || forNodes) && {
      hints: {
        ...(forZones && { forZones: names(forZones) }),
        ...(forNodes && { forNodes: names(forNodes) }),
      },
    }),
  };
}

/** Runs of kubectl. */
const SIDE_BY_SIDE = 4;

/** Applies objects with kubectl, and their statuses. */
export async function apply(cluster: TestCluster, ...objects: readonly Tree[]): Promise<void> {
  const bodies = objects.map(({ status: _, ...body }) => body);
  await cluster.kubectl('apply -f -', { apiVersion: 'v1', kind: 'List', items: bodies });
  const rest = objects.values();
  const setNext = async (): Promise<void> => {
    for (const { status, ...object } of rest) {
      if (status !== undefined) await setStatus(cluster, object, status);
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, setNext));
}

/** Sets a status, as a kubelet or a cloud's controller does. */
export async function setStatus(cluster: TestCluster, object: Tree, status: Tree): Promise<void> {
  const path = objectPath(object);
  const current = JSON.parse(await cluster.kubectl(['get', '--raw', path]));
  const next = { ...current, status: { ...current.status, ...status } };
  await cluster.kubectl(['replace', '--raw', `${path}/status`, '-f', '-'], next);
}

/** Deletes a Pod as when its kubelet has said that it is gone. */
export async function removePod(
  cluster: TestCluster,
  name: string,
  namespace = 'default',
): Promise<void> {
  const args = ['delete', 'pod', name, `--namespace=${namespace}`];
  await cluster.kubectl([...args, '--grace-period=0', '--force', '--wait=false']);
}

/**
 * Deletes a namespace and what is in it. Nothing does that by itself where kube-apiserver is alone:
 * there the namespace has to be emptied and let go by hand.
 */
export async function removeNamespace(cluster: TestCluster, name: string): Promise<void> {
  if (cluster.kind !== 'real') {
    await cluster.kubectl(['delete', 'namespace', name]);
    return;
  }
  await cluster.kubectl(['delete', 'namespace', name, '--wait=false']);
  const kinds = 'services,endpointslices,networkpolicies,configmaps,deployments';
  await cluster.kubectl(['delete', kinds, '--all', `--namespace=${name}`, '--wait=false']);
  const pods = ['delete', 'pods', '--all', `--namespace=${name}`, '--grace-period=0', '--force'];
  await cluster.kubectl([...pods, '--wait=false']);
  const path = `/api/v1/namespaces/${name}`;
  const current = JSON.parse(await cluster.kubectl(['get', '--raw', path]));
  const spec = { ...current.spec, finalizers: [] };
  await cluster.kubectl(['replace', '--raw', `${path}/finalize`, '-f', '-'], { ...current, spec });
}
