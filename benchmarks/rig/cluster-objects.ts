// SPDX-License-Identifier: Apache-2.0
// The objects of a cluster of many Services, as users and the endpointslice controller write them.
import { node, slice } from '../../test/kubernetes/workloads.js';
import { addressAt } from './network.js';

/** An object of the API, as JSON. */
export type KubeObject = ReturnType<typeof slice>;

/** One Service, and the pods behind it by their numbers. */
export interface ServiceOfPods {
  namespace: string;
  name: string;
  address: string;
  protocol: 'TCP' | 'UDP';
  pods: number[];
}

export const NODE_NAME = 'node-0000';
export const SERVICE_PORT = 80;
export const POD_PORT = 8080;
/** Every pod is in it. */
export const POD_NETWORK = '10.128.0.0/9';
/** Services that are made while measuring. */
export const BENCH_NAMESPACE = 'bench';

const NODES = 1_000;
const ZONES = ['a', 'b', 'c'];
const FIRST_ON_NODE = 10;
/** Node `n` has the network `10.128.0.0 + 256 n`, a /24. */
const PODS_OF_NODE = 240;
const PODS = NODES * PODS_OF_NODE;
const NAMESPACES = 20;
const FIRST_SERVICE = '10.96.16.1';
const FIRST_BENCH_SERVICE = '10.96.240.1';

/** Service `index` of a population of which each has `each` pods. */
export function populatedService(index: number, each: number): ServiceOfPods {
  return {
    namespace: `team-${String(index % NAMESPACES).padStart(2, '0')}`,
    name: `service-${String(index).padStart(5, '0')}`,
    address: addressAt(FIRST_SERVICE, index),
    protocol: 'TCP',
    pods: Array.from({ length: each }, (_, at) => (index * each + at) % PODS),
  };
}

/** A Service that is made while measuring. @param index - up to 2,000 */
export function benchService(name: string, index: number, pods: number[]): ServiceOfPods {
  const address = addressAt(FIRST_BENCH_SERVICE, index);
  return { namespace: BENCH_NAMESPACE, name, address, protocol: 'UDP', pods };
}

/** Namespaces and the node, which come before all others. */
export function firstObjects(): KubeObject[] {
  const names = Array.from({ length: NAMESPACES }, (_, at) => populatedService(at, 0).namespace);
  return [
    ...[...names, BENCH_NAMESPACE].map((name) => ({
      ...{ apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    })),
    node({
      name: NODE_NAME,
      addresses: ['192.168.0.10'],
      podCIDRs: ['10.128.0.0/24'],
      labels: { 'topology.kubernetes.io/zone': zoneOf(0) },
    }),
  ];
}

export function podAddress(pod: number): string {
  const onNode = Math.floor((pod % PODS) / NODES);
  return addressAt('10.128.0.0', nodeOf(pod) * 256 + FIRST_ON_NODE + onNode);
}

export function serviceObject({ namespace, name, address, protocol }: ServiceOfPods): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      namespace,
      name,
      labels: {
        'app.kubernetes.io/name': name,
        'app.kubernetes.io/part-of': namespace,
        'app.kubernetes.io/managed-by': 'Helm',
      },
      annotations: {
        'meta.helm.sh/release-name': name,
        'meta.helm.sh/release-namespace': namespace,
      },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: address,
      clusterIPs: [address],
      selector: { 'app.kubernetes.io/name': name },
      ports: [{ name: 'main', protocol, port: SERVICE_PORT, targetPort: POD_PORT }],
    },
  };
}

/** The one slice of a Service, as the controller writes it now; without a `resourceVersion` it goes over any. */
export function sliceObject(service: ServiceOfPods, now = new Date()): KubeObject {
  const { namespace, name, protocol, pods } = service;
  const made = slice({
    ...{ service: name, namespace, name: sliceName(name) },
    ports: { main: { port: POD_PORT, protocol } },
    labels: {
      'app.kubernetes.io/name': name,
      'app.kubernetes.io/part-of': namespace,
      'app.kubernetes.io/managed-by': 'Helm',
    },
    endpoints: pods.map((pod) => ({
      ...{ address: podAddress(pod), pod: podName(name, pod) },
      ...{ node: `node-${String(nodeOf(pod)).padStart(4, '0')}`, zone: zoneOf(pod) },
    })),
  });
  return {
    ...made,
    metadata: {
      ...made.metadata,
      generateName: `${name}-`,
      annotations: {
        'endpoints.kubernetes.io/last-change-trigger-time': now.toISOString(),
      },
      ownerReferences: [
        {
          ...{ apiVersion: 'v1', kind: 'Service', name, uid: uidOf(name) },
          ...{ controller: true, blockOwnerDeletion: true },
        },
      ],
    },
    endpoints: made.endpoints.map((endpoint: KubeObject, at: number) => ({
      ...endpoint,
      targetRef: { ...endpoint.targetRef, uid: uidOf(podName(name, pods[at]!)) },
    })),
  };
}

export function sliceName(service: string): string {
  return `${service}-${suffixOf(service)}`;
}

function podName(service: string, pod: number): string {
  return `${service}-${suffixOf(`${service}a`)}${suffixOf(`${service}b`)}-${suffixOf(`${pod}`)}`;
}

function nodeOf(pod: number): number {
  return pod % NODES;
}

function zoneOf(pod: number): string {
  return `region-1${ZONES[nodeOf(pod) % ZONES.length]}`;
}

/** Five characters as those of generated names. */
function suffixOf(text: string): string {
  return (hashOf(text) % 36 ** 5).toString(36).padStart(5, '0');
}

/** The same for the same text: pods and Services are not objects here, but what refers to them has its length. */
function uidOf(text: string): string {
  const digits = ['w', 'x', 'y', 'z'].map((more) =>
    hashOf(text + more)
      .toString(16)
      .padStart(8, '0'),
  );
  return digits.join('').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}
