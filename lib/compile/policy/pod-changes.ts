// SPDX-License-Identifier: Apache-2.0
import { hostLength, type Prefix, parseAddress } from '../../model/address.js';
import { serviceKey as keyOf } from '../../model/checked.js';
import {
  type CheckedNamespace,
  type CheckedPod,
  NAMESPACE_NAME_LABEL,
} from '../../model/checked-policy.js';
import type { Labels } from '../../model/policy.js';
import { same } from '../same.js';
import { DraftMap } from './draft-map.js';
import { prefixKey } from './network-index.js';
import { portNameKey } from './selectors.js';
import type { Attached, PodState, PolicyState } from './state.js';

/** What a new list of pods, or of namespaces, changes. */
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
  #namespaces: ReadonlyMap<string, CheckedNamespace>;
  #placed: number;

  constructor(state: PolicyState) {
    this.#state = state;
    this.#numbers = new DraftMap(state.portNumbers);
    this.addresses = new DraftMap(state.addresses);
    this.#namespaces = state.namespaces;
    this.#placed = state.placed;
  }

  /** Pods of which the node is known. */
  get placed(): number {
    return this.#placed;
  }

  readNamespaces(namespaces: readonly CheckedNamespace[]): void {
    const before = this.#namespaces;
    this.#namespaces = new Map(namespaces.map((each) => [each.name, each]));
    for (const name of new Set([...before.keys(), ...this.#namespaces.keys()])) {
      if (!same(labelsIn(before, name), labelsIn(this.#namespaces, name))) {
        this.relabelled.add(name);
      }
    }
  }

  readPods(pods: readonly CheckedPod[]): void {
    const wanted = new Map<string, CheckedPod>();
    for (const pod of pods) if (!pod.hostNetwork) wanted.set(keyOf(pod), pod);
    for (const [key, before] of this.#state.pods) {
      const after = wanted.get(key);
      if (after !== undefined && same(before.pod, after)) {
        wanted.delete(key);
        continue;
      }
      this.#forget(key, before.pod);
      if (after === undefined) this.removed.set(key, before);
    }
    for (const [key, pod] of wanted) {
      this.#remember(key, pod);
      this.put.set(key, pod);
    }
    for (const name of this.renumbered) {
      const before = this.#state.portNumbers.get(name);
      if (same(ascending(before), ascending(this.#numbers.get(name)))) this.renumbered.delete(name);
    }
  }

  labelsOf(namespace: string): Labels {
    return labelsIn(this.#namespaces, namespace);
  }

  portNumbers(name: string): number[] {
    return ascending(this.#numbers.get(name));
  }

  accept(): void {
    this.#numbers.accept();
    this.addresses.accept();
    this.#state.namespaces = this.#namespaces;
    this.#state.placed = this.#placed;
  }

  #remember(key: string, pod: CheckedPod): void {
    if (pod.node !== null) this.#placed++;
    for (const prefix of prefixesOf(pod)) {
      this.touched.add(prefixKey(prefix));
      this.addresses.set(prefixKey(prefix), { pod: key, prefix });
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
      const counts = new Map(this.#numbers.get(name));
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

function labelsIn(namespaces: ReadonlyMap<string, CheckedNamespace>, name: string): Labels {
  return namespaces.get(name)?.labels ?? { [NAMESPACE_NAME_LABEL]: name };
}

function ascending(counts: ReadonlyMap<number, number> | undefined): number[] {
  return [...(counts?.keys() ?? [])].sort((a, b) => a - b);
}
