// SPDX-License-Identifier: Apache-2.0
import type { Namespace, Pod, Policy } from '../../model/policy.js';
import { clusterPolicy } from './cluster-policies.js';
import { compareTexts, type Names, sorted } from './names.js';
import { networkPolicy } from './network-policies.js';
import type { KubernetesObjects, NamespaceObject } from './objects.js';
import { compareClaimants, PodClaims, podClaimantOf } from './pods.js';
import type { TranslationWarning } from './warnings.js';

/** The sections of the model that policy is about, in the order of namespace and name. */
export interface PolicyTranslation {
  namespaces: Namespace[];
  pods: Pod[];
  policies: Policy[];
  warnings: TranslationWarning[];
}

/** Namespaces, Pods and policies to sections of the model. Pure: the order of the objects is nothing. */
export function translatePolicy(
  objects: Readonly<
    Pick<KubernetesObjects, 'namespaces' | 'pods' | 'networkPolicies' | 'clusterNetworkPolicies'>
  >,
): PolicyTranslation {
  const warnings: TranslationWarning[] = [];
  const warnOf = (kind: TranslationWarning['kind'], { namespace, name }: Names) => {
    return (message: string) => void warnings.push({ kind, namespace, name, message });
  };
  const claims = new PodClaims();
  const claimants = objects.pods.flatMap((object) => podClaimantOf(object) ?? []);
  for (const claimant of claimants) claims.add(claimant);
  const pods = claimants
    .sort(compareClaimants)
    .map((claimant) => claims.podOf(claimant, warnOf('Pod', claimant.pod)));
  return {
    namespaces: sorted(objects.namespaces).map(namespaceOf),
    pods: pods.sort(
      (a, b) => compareTexts(a.namespace!, b.namespace!) || compareTexts(a.name, b.name),
    ),
    policies: [
      ...sorted(objects.networkPolicies).map((object) =>
        networkPolicy(object, warnOf('NetworkPolicy', object.metadata)),
      ),
      ...sorted(objects.clusterNetworkPolicies).map((object) =>
        clusterPolicy(
          object,
          warnOf('ClusterNetworkPolicy', { namespace: '', name: object.metadata.name }),
        ),
      ),
    ],
    warnings,
  };
}

export function namespaceOf({ metadata: { name, labels } }: NamespaceObject): Namespace {
  // Kubernetes does not let it be anything else.
  return { name, labels: { ...labels, 'kubernetes.io/metadata.name': name } };
}
