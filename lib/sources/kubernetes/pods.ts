// SPDX-License-Identifier: Apache-2.0
import type { NamedPort, Pod } from '../../model/policy.js';
import { Claims } from './claims.js';
import { compareNames } from './names.js';
import { containerPorts, type PodObject } from './read-pod.js';

/** A pod that is there, and what it says it has. */
export interface PodClaimant {
  readonly pod: Pod & { namespace: string };
  /** It is about to go. */
  readonly going: boolean;
}

const ENDED = ['Succeeded', 'Failed'];

/** `null`: a pod that has ended is nobody. */
export function podClaimantOf({ metadata, spec, status }: PodObject): PodClaimant | null {
  if (ENDED.includes(status.phase)) return null;
  const ports = containerPorts(spec).flatMap(({ name, protocol, containerPort }): NamedPort[] =>
    name === '' ? [] : [{ name, protocol, port: containerPort }],
  );
  return {
    pod: {
      name: metadata.name,
      namespace: metadata.namespace,
      labels: metadata.labels,
      addresses: status.ips,
      ...(ports.length > 0 && { ports }),
      ...(spec.nodeName !== '' && { node: spec.nodeName }),
      ...(spec.hostNetwork && { hostNetwork: true }),
    },
    going: metadata.deletionTimestamp !== undefined,
  };
}

/** Pods that are about to go come last. */
export function compareClaimants(a: PodClaimant, b: PodClaimant): number {
  return Number(a.going) - Number(b.going) || compareNames(a.pod, b.pod);
}

/** Whose an address is that several pods say they have: that of none that is about to go, if there is another. */
export class PodClaims {
  readonly #claims = new Claims<PodClaimant>(compareClaimants);

  add(claimant: PodClaimant): void {
    for (const address of ownAddresses(claimant)) this.#claims.add(address, claimant);
  }

  remove(claimant: PodClaimant): void {
    for (const address of ownAddresses(claimant)) this.#claims.remove(address, claimant);
  }

  /** Those that may have other addresses since the last call, because of somebody else's. */
  takeAffected(): ReadonlySet<PodClaimant> {
    const contested = [...this.#claims.takeContested()];
    return new Set(contested.flatMap((address) => this.#claims.of(address)));
  }

  /** The pod with those of its addresses that it has. */
  podOf(claimant: PodClaimant, warn: (message: string) => void): Pod {
    const { pod } = claimant;
    if (ownAddresses(claimant).every((address) => this.#claims.of(address)[0] === claimant)) {
      return pod;
    }
    const addresses = pod.addresses.filter((address) => {
      if (this.#claims.of(address)[0] === claimant) return true;
      warn(`its address ${address} is another pod's`);
      return false;
    });
    return { ...pod, addresses };
  }
}

/** Pods in the network of their node share its addresses. */
function ownAddresses({ pod }: PodClaimant): readonly string[] {
  return pod.hostNetwork === true ? [] : pod.addresses;
}
