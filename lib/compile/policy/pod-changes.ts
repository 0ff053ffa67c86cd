// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../../errors.js';
import { hostLength, type Prefix, parseAddress } from '../../model/address.js';
import { type CheckedSection, serviceKey as keyOf } from '../../model/checked.js';
import {
  type CheckedNamespace,
  type CheckedPod,
  NAMESPACE_NAME_LABEL,
} from '../../model/checked-policy.js';
import type { Labels } from '../../model/policy.js';
import { DraftMap } from '../draft-map.js';
import { same } from '../same.js';
import { changesOf } from '../section.js';
import { prefixKey } from './network-index.js';
import { portNameKey } from './selectors.js';
import type { Attached, PodState, PolicyState } from './state.js';

/** What a section of pods, or of namespaces, changes. */
export class PodChanges {
  /** New and changed pods. */
  readonly put = new Map<string, CheckedPod>();
  readonly removed = new Map<string, PodState>();
  /** Namespaces whose labels have changed. */
  readonly relabelled = new Set<string>();
  /** Names of ports, `name/protocol`, under which there are other numbers now. */
  readonly renumbered = new Set<string>();
  /** Addresses that have come to or gone from a pod. */
  readonly touched = new Set<string>();
  readonly addresses: DraftMap<string, Attached>;
  readonly #state: PolicyState;
  readonly #numbers: DraftMap<string, ReadonlyMap<number, number>>;
  /** Copied by this draft, so that it may change them. */
  readonly #ownNumbers = new Map<string, Map<number, number>>();
  readonly #namespaces: DraftMap<string, CheckedNamespace>;
  #placed: number;

  constructor(state: PolicyState) {
    this.#state = state;
    this.#numbers = new DraftMap(state.portNumbers);
    this.addresses = new DraftMap(state.addresses);
    this.#namespaces = new DraftMap(state.namespaces);
    this.#placed = state.placed;
  }

  /** Pods of which the node is known. */
  get placed(): number {
    return this.#placed;
  }

  readNamespaces(section: CheckedSection<CheckedNamespace>): void {
    const { put, removed } = changesOf(section, this.#state.namespaces, ({ name }) => name);
    for (const name of removed) this.#namespaces.delete(name);
    for (const namespace of put) this.#namespaces.set(namespace.name, namespace);
    for (const name of [...removed, ...put.map((each) => each.name)]) {
      const before = labelsOr(this.#namespaces.before(name), name);
      if (!same(before, this.labelsOf(name))) this.relabelled.add(name);
    }
  }

  /** @throws SluiceError `ERR_MODEL` where a pod that stays has an address of one that is put */
  readPods(section: CheckedSection<CheckedPod>): void {
    const { put, removed } = changesOf(section, this.#state.pods, keyOf);
    for (const key of removed) this.#remove(key);
    // What goes, goes first: an address may pass from one pod to another.
    const added: [key: string, pod: CheckedPod, index: number][] = [];
    for (const [index, pod] of put.entries()) {
      const key = keyOf(pod);
      const before = this.#state.pods.get(key);
      if (pod.hostNetwork) this.#remove(key);
      else if (before === undefined || !same(before.pod, pod)) {
        if (before !== undefined) this.#forget(key, before.pod);
        added.push([key, pod, index]);
      }
    }
    for (const [key, pod, index] of added) {
      this.#remember(key, pod, index);
      this.put.set(key, pod);
    }
    for (const name of this.renumbered) {
      const before = this.#state.portNumbers.get(name);
      if (same(ascending(before), ascending(this.#numbers.get(name)))) this.renumbered.delete(name);
    }
  }

  labelsOf(namespace: string): Labels {
    return labelsOr(this.#namespaces.get(namespace), namespace);
  }

  portNumbers(name: string): number[] {
    return ascending(this.#numbers.get(name));
  }

  accept(): void {
    this.#numbers.accept();
    this.addresses.accept();
    this.#namespaces.accept();
    this.#state.placed = this.#placed;
    const { podsByNamespace } = this.#state;
    for (const [key, { pod }] of this.removed) {
      const keys = podsByNamespace.get(pod.namespace)!;
      keys.delete(key);
      if (keys.size === 0) podsByNamespace.delete(pod.namespace);
    }
    for (const [key, { namespace }] of this.put) {
      const keys = podsByNamespace.get(namespace);
      if (keys === undefined) podsByNamespace.set(namespace, new Set([key]));
      else keys.add(key);
    }
  }

  #remove(key: string): void {
    const before = this.#state.pods.get(key);
    if (before === undefined) return;
    this.#forget(key, before.pod);
    this.removed.set(key, before);
  }

  #remember(key: string, pod: CheckedPod, index: number): void {
    if (pod.node !== null) this.#placed++;
    for (const [row, prefix] of prefixesOf(pod).entries()) {
      const at = prefixKey(prefix);
      const holder = this.addresses.get(at);
      if (holder !== undefined) {
        const message = `${pod.addresses[row]} is the address of ${holder.pod} already; give each pod its own`;
        const path = `pods.put[${index}].addresses[${row}]`;
        throw new SluiceError('ERR_MODEL', message, { path });
      }
      this.touched.add(at);
      this.addresses.set(at, { pod: key, prefix });
    }
    this.#count(pod, 1);
  }

  #forget(key: string, pod: CheckedPod): void {
    if (pod.node !== null) this.#placed--;
    for (const prefix of prefixesOf(pod)) {
      const at = prefixKey(prefix);
      this.touched.add(at);
      if (this.addresses.get(at)?.pod === key) this.addresses.delete(at);
    }
    this.#count(pod, -1);
  }

  #count({ ports }: CheckedPod, by: 1 | -1): void {
    for (const port of ports) {
      const name = portNameKey(port);
      const counts = this.#ownNumbers.get(name) ?? new Map(this.#numbers.get(name));
      this.#ownNumbers.set(name, counts);
      const count = (counts.get(port.port) ?? 0) + by;
      if (count === 0) counts.delete(port.port);
      else counts.set(port.port, count);
      this.#numbers.set(name, counts);
      this.renumbered.add(name);
    }
  }
}

/** The addresses of a pod as networks. */
export function prefixesOf({ addresses }: CheckedPod): Prefix[] {
  return addresses.map((text) => {
    const bytes = parseAddress(text)!;
    return { bytes, length: hostLength(bytes) };
  });
}

function labelsOr(namespace: CheckedNamespace | undefined, name: string): Labels {
  return namespace?.labels ?? { [NAMESPACE_NAME_LABEL]: name };
}

function ascending(counts: ReadonlyMap<number, number> | undefined): number[] {
  return [...(counts?.keys() ?? [])].sort((a, b) => a - b);
}
