// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util';
import type { ModelChange } from '../../model/changes.js';
import type { Namespace, Pod, Policy } from '../../model/policy.js';
import { ChangedKeys } from './changed-keys.js';
import { clusterPolicy } from './cluster-policies.js';
import { KnownObjects } from './known-objects.js';
import { networkPolicy } from './network-policies.js';
import { readClusterNetworkPolicy, readNamespace, readNetworkPolicy, readPod } from './objects.js';
import { type PodClaimant, PodClaims, podClaimantOf } from './pods.js';
import type { ToldWarnings } from './told-warnings.js';
import { namespaceOf } from './translate-policy.js';

/** A policy, and what its objects ask for that is not known here. */
interface KnownPolicy {
  policy: Policy;
  warnings: string[];
}

/** Namespaces, Pods and policies of a cluster, and what has changed of them. */
export class PolicyState {
  readonly namespaces: KnownObjects<Namespace>;
  readonly pods: KnownObjects<PodClaimant | null>;
  readonly networkPolicies: KnownObjects<KnownPolicy>;
  readonly clusterNetworkPolicies: KnownObjects<KnownPolicy>;
  readonly #warnings: ToldWarnings;
  readonly #claims = new PodClaims();
  /** What addresses pods have that lack some which they say they have. */
  readonly #deprived = new Map<string, readonly string[]>();
  readonly #changed = {
    namespaces: new ChangedKeys<Namespace>(),
    pods: new ChangedKeys<Pod>(),
    policies: new ChangedKeys<Policy>(),
  };

  constructor(warnings: ToldWarnings) {
    this.#warnings = warnings;
    this.namespaces = new KnownObjects('Namespace', {
      read: (object) => namespaceOf(readNamespace(object)),
      changed: (key) => this.#changed.namespaces.mark(key),
    });
    this.pods = new KnownObjects('Pod', {
      read: (object) => podClaimantOf(readPod(object)),
      changed: (key, after, before) => {
        if (before) this.#claims.remove(before);
        if (after) this.#claims.add(after);
        this.#changed.pods.mark(key);
      },
    });
    this.networkPolicies = this.#policies('NetworkPolicy', (object, warn) =>
      networkPolicy(readNetworkPolicy(object), warn),
    );
    this.clusterNetworkPolicies = this.#policies('ClusterNetworkPolicy', (object, warn) =>
      clusterPolicy(readClusterNetworkPolicy(object), warn),
    );
  }

  get isChanged(): boolean {
    return Object.values(this.#changed).some(({ size }) => size > 0);
  }

  take(): ModelChange {
    for (const claimant of this.#claims.takeAffected()) this.#reconsider(claimant);
    const namespaces = this.#changed.namespaces.take((key) => this.namespaces.get(key) ?? null);
    const pods = this.#changed.pods.take((key) => this.#podOf(key));
    const policies = this.#changed.policies.take((key) => this.#policyOf(key));
    return {
      ...(namespaces !== undefined && { namespaces }),
      ...(pods !== undefined && { pods }),
      ...(policies !== undefined && { policies }),
    };
  }

  putBack({ namespaces = {}, pods = {}, policies = {} }: ModelChange): void {
    this.#changed.namespaces.putBack(namespaces, ({ name }) => name);
    this.#changed.pods.putBack(pods, keyOf);
    this.#changed.policies.putBack(policies, keyOf);
  }

  #policies(
    kind: 'NetworkPolicy' | 'ClusterNetworkPolicy',
    translate: (object: unknown, warn: (message: string) => void) => Policy,
  ): KnownObjects<KnownPolicy> {
    return new KnownObjects(kind, {
      read: (object) => {
        const warnings: string[] = [];
        return { policy: translate(object, (message) => warnings.push(message)), warnings };
      },
      changed: (key, after) => {
        this.#warnings.hold(kind, key, after?.warnings ?? []);
        this.#changed.policies.mark(key);
      },
    });
  }

  /** Marks a pod that has other addresses because of somebody else's. */
  #reconsider(claimant: PodClaimant): void {
    const key = keyOf(claimant.pod);
    const told = this.#deprived.get(key) ?? claimant.pod.addresses;
    const { addresses } = this.#claims.podOf(claimant, () => {});
    if (!isDeepStrictEqual(addresses, told)) this.#changed.pods.mark(key);
  }

  #podOf(key: string): Pod | null {
    const claimant = this.pods.get(key) ?? null;
    const warnings: string[] = [];
    const pod = claimant && this.#claims.podOf(claimant, (message) => warnings.push(message));
    this.#warnings.hold('Pod', key, warnings);
    if (pod !== null && pod !== claimant?.pod) this.#deprived.set(key, pod.addresses);
    else this.#deprived.delete(key);
    return pod;
  }

  /** Keys of the one kind have a `/`, and those of the other have none. */
  #policyOf(key: string): Policy | null {
    const known = this.networkPolicies.get(key) ?? this.clusterNetworkPolicies.get(key);
    return known?.policy ?? null;
  }
}

function keyOf({ namespace, name }: { namespace?: string; name: string }): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
