// SPDX-License-Identifier: Apache-2.0
import type {
  ClusterNetworkPolicyManifest,
  NamespaceManifest,
  NetworkPolicyManifest,
  PodManifest,
  PolicyManifest,
} from './policy-oracle.js';

/**
 * The world of upstream's policy tests: namespaces x, y and z, pods a, b and c in each, every one of them
 * serving ports 80 and 81 over TCP, UDP and SCTP. Besides it: a pod in the network of its node, one that
 * has ended, and two addresses outside.
 */
export const NAMESPACE_NAMES = ['x', 'y', 'z'] as const;
export const POD_NAMES = ['a', 'b', 'c'] as const;
export const PORTS = [80, 81] as const;
export const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;

export const NAMESPACES: NamespaceManifest[] = NAMESPACE_NAMES.map((name) => ({
  metadata: { name, labels: { ns: name } },
}));

/** `10.1.1.1` is x/a, `10.1.3.3` is z/c; in IPv6 `fd00:1:1::1` and `fd00:1:3::3`. */
export function addressesOf(namespace: string, pod: string): [ipv4: string, ipv6: string] {
  const [n, p] = [NAMESPACE_NAMES.indexOf(namespace as 'x') + 1, POD_NAMES.indexOf(pod as 'a') + 1];
  return [`10.1.${n}.${p}`, `fd00:1:${n}::${p}`];
}

export const PODS: PodManifest[] = [
  ...NAMESPACE_NAMES.flatMap((namespace) => POD_NAMES.map((name) => pod(namespace, name))),
  {
    metadata: { namespace: 'x', name: 'host', labels: { pod: 'a' } },
    spec: { hostNetwork: true, containers: [] },
    status: { phase: 'Running', podIPs: [{ ip: '10.0.0.50' }, { ip: 'fd00::50' }] },
  },
  {
    metadata: { namespace: 'y', name: 'ended', labels: { pod: 'a' } },
    spec: { containers: [] },
    status: { phase: 'Succeeded', podIPs: [{ ip: '10.1.2.99' }] },
  },
];

/** Who talks to whom, by family: the nine pods, the node, the pod that has ended, and two outside. */
export const PARTIES: [ipv4: string[], ipv6: string[]] = [
  [...pods(0), '10.0.0.50', '10.1.2.99', '192.0.2.7', '198.51.100.9'],
  [...pods(1), 'fd00::50', '2001:db8::7', '2001:db8:1::9'],
];

function pods(family: 0 | 1): string[] {
  return NAMESPACE_NAMES.flatMap((namespace) =>
    POD_NAMES.map((name) => addressesOf(namespace, name)[family]),
  );
}

function pod(namespace: string, name: string): PodManifest {
  const ports = PORTS.flatMap((port) =>
    PROTOCOLS.map((protocol) => ({
      name: `serve-${port}-${protocol.toLowerCase()}`,
      containerPort: port,
      protocol,
    })),
  );
  // What pods call `web` is not the same port for all of them, and z/b has none.
  const web = { name: 'web', containerPort: name === 'c' ? 81 : 80 };
  const isNameless = namespace === 'z' && name === 'b';
  return {
    metadata: { namespace, name, labels: { pod: name } },
    spec: { containers: [{ ports }, { ports: isNameless ? [] : [web] }] },
    status: { phase: 'Running', podIPs: addressesOf(namespace, name).map((ip) => ({ ip })) },
  };
}

/** A NetworkPolicy; without `podSelector` for every pod of the namespace. */
export function networkPolicy(
  namespace: string,
  name: string,
  spec: Partial<NetworkPolicyManifest['spec']>,
): PolicyManifest {
  const metadata = { namespace, name };
  return { kind: 'NetworkPolicy', metadata, spec: { podSelector: {}, ...spec } };
}

/** A ClusterNetworkPolicy; without `subject` for every pod there is. */
export function clusterPolicy(
  tier: 'Admin' | 'Baseline',
  priority: number,
  name: string,
  spec: Partial<ClusterNetworkPolicyManifest['spec']>,
): PolicyManifest {
  return {
    kind: 'ClusterNetworkPolicy',
    metadata: { name },
    spec: { tier, priority, subject: { namespaces: {} }, ...spec },
  };
}

/** The object as an API server, or a file, has it. */
export function manifestOf(
  object: NamespaceManifest | PodManifest | PolicyManifest,
): Record<string, unknown> {
  if (!('kind' in object)) {
    return { apiVersion: 'v1', kind: 'spec' in object ? 'Pod' : 'Namespace', ...object };
  }
  const isNetwork = object.kind === 'NetworkPolicy';
  const group = isNetwork ? 'networking.k8s.io/v1' : 'policy.networking.k8s.io/v1alpha2';
  return { apiVersion: group, ...object };
}
