// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod';
import { clusterNetworkPolicySchema } from './cluster-policy-schema.js';
import { namespaceSchema } from './namespace-schema.js';
import { networkPolicySchema } from './network-policy-schema.js';
import { nodeSchema } from './node-schema.js';
import { ObjectMistake } from './object-mistake.js';
import { type PodObject, readPod } from './read-pod.js';
import { readService, type ServiceObject } from './read-service.js';
import { type EndpointSliceObject, readEndpointSlice } from './read-slice.js';

export {
  type EndpointSliceObject,
  ObjectMistake,
  type PodObject,
  readEndpointSlice,
  readPod,
  readService,
  type ServiceObject,
};

/** A core/v1 Node. */
export type NodeObject = z.output<typeof nodeSchema>;

/** A core/v1 Namespace. */
export type NamespaceObject = z.output<typeof namespaceSchema>;
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

/** @throws ObjectMistake with the first mistake */
export function readNode(value: unknown): NodeObject {
  return read(nodeSchema, value);
}

/** @throws ObjectMistake with the first mistake */
export function readNamespace(value: unknown): NamespaceObject {
  return read(namespaceSchema, value);
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
  throw new ObjectMistake(issue.path, issue.message);
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
