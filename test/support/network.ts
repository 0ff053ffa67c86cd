// SPDX-License-Identifier: Apache-2.0

/** Kubernetes objects for cluster tests, with as little in them as may be. */

type Fields = Record<string, unknown>;

interface WorkloadMore {
  kind?: 'Deployment' | 'StatefulSet' | 'DaemonSet';
  replicas?: number;
  ports?: readonly Fields[];
  labels?: Record<string, string>;
  pod?: Fields;
}

/** `name` is `namespace/name`; its pods have the label `app`. */
export function workload(name: string, more: WorkloadMore = {}): object {
  const metadata = metadataOf(name);
  const { kind = 'Deployment', replicas = 1, ports = [], labels = {}, pod = {} } = more;
  const app = { app: metadata.name };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata,
    spec: {
      ...(kind !== 'DaemonSet' && { replicas }),
      selector: { matchLabels: app },
      template: {
        metadata: { labels: { ...app, ...labels } },
        spec: { containers: [{ name: 'c', ports }], ...pod },
      },
    },
  };
}

/** A Service in front of the workload of its name. */
export function service(name: string, ports: readonly Fields[], spec: Fields = {}): object {
  const metadata = metadataOf(name);
  const selector = { app: metadata.name };
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector, ports, ...spec } };
}

export function pod(
  name: string,
  spec: Fields = {},
  status: Fields = {},
  labels: Fields = {},
): object {
  const metadata = { ...metadataOf(name), labels };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [], ...spec }, status };
}

export function node(name: string, more: { spec?: Fields; status?: Fields; labels?: Fields } = {}) {
  const { labels = {}, ...rest } = more;
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, ...rest };
}

export function slice(name: string, service: string, more: Fields): object {
  const metadata = { ...metadataOf(name), labels: { 'kubernetes.io/service-name': service } };
  const addressType = 'IPv4';
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata,
    addressType,
    ...more,
  };
}

function metadataOf(name: string): { namespace: string; name: string } {
  const [namespace = '', short = ''] = name.split('/');
  return { namespace, name: short };
}

interface PolicySpec {
  /** Labels of the pods that it is for; left out: all of the namespace. */
  app?: string;
  ingress?: readonly Fields[];
  egress?: readonly Fields[];
}

/** A NetworkPolicy of the types that it has rules for; `[]` is a type without rules. */
export function networkPolicy(name: string, { app, ...rules }: PolicySpec): object {
  const podSelector = app === undefined ? {} : { matchLabels: { app } };
  const policyTypes = Object.keys(rules).map((key) => (key === 'ingress' ? 'Ingress' : 'Egress'));
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadataOf(name),
    spec: { podSelector, policyTypes, ...rules },
  };
}

export function clusterPolicy(name: string, spec: Fields): object {
  const apiVersion = 'policy.networking.k8s.io/v1alpha2';
  return { apiVersion, kind: 'ClusterNetworkPolicy', metadata: { name }, spec };
}
