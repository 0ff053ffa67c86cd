// SPDX-License-Identifier: Apache-2.0
import type { NamedPort, Namespace, Pod, Policy } from '../../model/policy.js';
import { clusterPolicy } from './cluster-policies.js';
import { networkPolicy } from './network-policies.js';
import type { KubernetesObjects, PodObject } from './objects.js';
import { sorted, type TranslationWarning } from './translate.js';

/** The sections of the model that policy is about, in the order of namespace and name. */
export interface PolicyTranslation {
  namespaces: Namespace[];
  pods: Pod[];
  policies: Policy[];
  warnings: TranslationWarning[];
}

const ENDED = ['Succeeded', 'Failed'];

/** Namespaces, Pods and policies to sections of the model. Pure: the order of the objects is nothing. */
export function translatePolicy(
  objects: Readonly<
    Pick<KubernetesObjects, 'namespaces' | 'pods' | 'networkPolicies' | 'clusterNetworkPolicies'>
  >,
): PolicyTranslation {
  const warnings: TranslationWarning[] = [];
  const warnOf = (kind: TranslationWarning['kind'], namespace: string, name: string) => {
    return (message: string) => warnings.push({ kind, namespace, name, message });
  };
  const taken = new Set<string>();
  const pods = inOrderOfClaims(objects.pods).map((object) => {
    const pod = podOf(object);
    if (pod.hostNetwork) return pod;
    const warn = warnOf('Pod', object.metadata.namespace, pod.name);
    const free = pod.addresses.filter((address) => !taken.has(address));
    for (const address of pod.addresses) {
      if (!free.includes(address)) warn(`its address ${address} is another pod's`);
      taken.add(address);
    }
    return { ...pod, addresses: free };
  });
  return {
    namespaces: sorted(objects.namespaces).map(({ metadata: { name, labels } }) => ({
      name,
      // Kubernetes does not let it be anything else.
      labels: { ...labels, 'kubernetes.io/metadata.name': name },
    })),
    pods: pods.sort((a, b) => compare(a.namespace!, b.namespace!) || compare(a.name, b.name)),
    policies: [
      ...sorted(objects.networkPolicies).map((object) =>
        networkPolicy(
          object,
          warnOf('NetworkPolicy', object.metadata.namespace, object.metadata.name),
        ),
      ),
      ...sorted(objects.clusterNetworkPolicies).map((object) =>
        clusterPolicy(object, warnOf('ClusterNetworkPolicy', '', object.metadata.name)),
      ),
    ],
    warnings,
  };
}

/** Pods that have ended are nobody. Where two have an address, it is not that of one about to go. */
function inOrderOfClaims(pods: readonly PodObject[]): PodObject[] {
  const there = sorted(pods).filter(({ status }) => !ENDED.includes(status?.phase ?? ''));
  const isGoing = ({ metadata }: PodObject) => metadata.deletionTimestamp !== undefined;
  return [...there.filter((pod) => !isGoing(pod)), ...there.filter(isGoing)];
}

function podOf({ metadata, spec, status }: PodObject): Pod {
  const ips = [...(status?.podIPs ?? []).map(({ ip }) => ip), status?.podIP ?? ''];
  const ports = containerPorts(spec).flatMap(({ name, protocol, containerPort }): NamedPort[] =>
    name === '' ? [] : [{ name, protocol, port: containerPort }],
  );
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    labels: metadata.labels,
    addresses: [...new Set(ips.filter((ip) => ip !== ''))],
    ...(ports.length > 0 && { ports }),
    ...(spec.nodeName !== '' && { node: spec.nodeName }),
    ...(spec.hostNetwork && { hostNetwork: true }),
  };
}

/** Ports of all containers that stay; a sidecar is an init container that is always restarted. */
export function containerPorts({ containers, initContainers }: PodObject['spec']) {
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...containers, ...sidecars].flatMap(({ ports }) => ports);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
