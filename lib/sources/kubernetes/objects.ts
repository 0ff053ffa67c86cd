// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod';
import { clusterNetworkPolicySchema } from './cluster-policy-schema.js';
import { networkPolicySchema } from './network-policy-schema.js';
import { nodeSchema } from './node-schema.js';
import { namespaceSchema, podSchema } from './pod-schema.js';
import { serviceSchema } from './service-schema.js';
import { endpointSliceSchema } from './slice-schema.js';

/** A core/v1 Service, as far as it is read. */
export type ServiceObject = z.output<typeof serviceSchema>;
/** A discovery.k8s.io/v1 EndpointSlice. */
export type EndpointSliceObject = z.output<typeof endpointSliceSchema>;
/** A core/v1 Node. */
export type NodeObject = z.output<typeof nodeSchema>;

/** A core/v1 Namespace. */
export type NamespaceObject = z.output<typeof namespaceSchema>;
/** A core/v1 Pod. */
export type PodObject = z.output<typeof podSchema>;
/** A networking.k8s.io/v1 NetworkPolicy. */
export type NetworkPolicyObject = z.output<typeof networkPolicySchema>;
/** A policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy. */
export type ClusterNetworkPolicyObject = z.output<typeof clusterNetworkPolicySchema>;

/** What a source hands over for translation. */
export interface KubernetesObjects {
  services: ServiceObject[];
  endpointSlices: EndpointSliceObject[];
  nodes: NodeObject[];
  namespaces: NamespaceObject[];
  pods: PodObject[];
  networkPolicies: NetworkPolicyObject[];
  clusterNetworkPolicies: ClusterNetworkPolicyObject[];
}

/** What is wrong with an object, and where. */
export class ObjectMistake extends Error {
  /** `spec.ports[0].port`; empty: the object as a whole. */
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

/** @throws ObjectMistake with the first mistake */
export function readService(value: unknown): ServiceObject {
  return read(serviceSchema, value);
}

/** @throws ObjectMistake with the first mistake */
export function readEndpointSlice(value: unknown): EndpointSliceObject {
  return read(endpointSliceSchema, value);
}

/** @throws ObjectMistake with the first mistake */
export function readNode(value: unknown): NodeObject {
  return read(nodeSchema, value);
}

/** @throws ObjectMistake with the first mistake */
export function readNamespace(value: unknown): NamespaceObject {
  return read(namespaceSchema, value);
}

/** @throws ObjectMistake with the first mistake */
export function readPod(value: unknown): PodObject {
  return read(podSchema, value);
}

/** @throws ObjectMistake with the first mistake */
export function readNetworkPolicy(value: unknown): NetworkPolicyObject {
  return read(networkPolicySchema, value);
}

/** @throws ObjectMistake with the first mistake */
export function readClusterNetworkPolicy(value: unknown): ClusterNetworkPolicyObject {
  return read(clusterNetworkPolicySchema, value);
}

/** @throws ObjectMistake with the first mistake */
export function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(withoutNulls(value), { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new ObjectMistake(fieldPath(issue.path), issue.message);
}

/** To Kubernetes a key with `null` is a key that is left out. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => inner !== null && key !== 'managedFields')
      .map(([key, inner]) => [key, withoutNulls(inner)]),
  );
}

function fieldPath(path: readonly PropertyKey[]): string {
  return path
    .map((part) => {
      if (typeof part === 'number') return `[${part}]`;
      return /^[A-Za-z0-9_]+$/.test(String(part)) ? `.${String(part)}` : `["${String(part)}"]`;
    })
    .join('')
    .replace(/^\./, '');
}
