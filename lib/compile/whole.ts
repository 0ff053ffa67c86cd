// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { refuseSharedDestinations } from '../model/check-destinations.js';
import {
  type CheckedChange,
  type CheckedModel,
  type CheckedSection,
  type CheckedService,
  serviceKey,
} from '../model/checked.js';
import { type CheckedPod, policyKey } from '../model/checked-policy.js';
import type { PolicyState } from './policy/state.js';

/** The sections as whole lists. */
export function wholeModel(
  { services, namespaces, pods, policies, ...rest }: CheckedChange,
  present: readonly CheckedService[],
  policy: PolicyState,
): CheckedModel {
  const podsBefore = [...policy.pods.values()].map(({ pod }) => pod);
  const policiesBefore = [...policy.policies.values()].map((each) => each.policy);
  return {
    ...rest,
    ...(services !== undefined && { services: wholeServices(services, present) }),
    ...(namespaces !== undefined && {
      namespaces: whole(namespaces, [...policy.namespaces.values()], ({ name }) => name),
    }),
    ...(pods !== undefined && { pods: wholePods(pods, podsBefore) }),
    ...(policies !== undefined && { policies: whole(policies, policiesBefore, policyKey) }),
  };
}

function whole<T>(
  section: CheckedSection<T>,
  before: readonly T[],
  keyOf: (member: T) => string,
): readonly T[] {
  if (!('put' in section)) return section;
  const gone = new Set([...section.removed, ...section.put.map(keyOf)]);
  return [...before.filter((member) => !gone.has(keyOf(member))), ...section.put];
}

function wholeServices(
  section: CheckedSection<CheckedService>,
  before: readonly CheckedService[],
): readonly CheckedService[] {
  const services = whole(section, before, serviceKey);
  if (!('put' in section)) return services;
  const kept = services.length - section.put.length;
  refuseSharedDestinations(services, (index) => `services.put[${index - kept}]`);
  return services;
}

function wholePods(
  section: CheckedSection<CheckedPod>,
  before: readonly CheckedPod[],
): readonly CheckedPod[] {
  const pods = whole(section, before, serviceKey);
  if (!('put' in section)) return pods;
  const holders = new Map<string, CheckedPod>();
  const kept = pods.length - section.put.length;
  for (const [index, pod] of pods.entries()) {
    if (pod.hostNetwork) continue;
    for (const [row, address] of pod.addresses.entries()) {
      const holder = holders.get(address);
      if (holder !== undefined) {
        const message = `${address} is the address of ${serviceKey(holder)} already; give each pod its own`;
        const path = `pods.put[${index - kept}].addresses[${row}]`;
        throw new SluiceError('ERR_MODEL', message, { path });
      }
      holders.set(address, pod);
    }
  }
  return pods;
}
