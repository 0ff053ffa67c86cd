// SPDX-License-Identifier: Apache-2.0
import type { CheckedLabelExpression, CheckedLabelSelector } from '../../model/checked-policy.js';
import type { Labels } from '../../model/policy.js';
import { DraftMap } from '../draft-map.js';

/** Fits pods whose namespace's labels and own labels fit. */
export interface PodMatcher {
  readonly namespaces: CheckedLabelSelector;
  readonly pods: CheckedLabelSelector;
}

/** What matchers look at. */
export interface Labelled {
  readonly namespaceLabels: Labels;
  readonly labels: Labels;
}

type Buckets<K> = Map<string, ReadonlyMap<K, PodMatcher>>;

const EVERYTHING = '*';

/**
 * Many matchers, asked which of them fit a pod. A matcher that asks for one value of a label is looked
 * at only for pods that have it, so that a pod costs the matchers that may be meant for it.
 */
export class MatchIndex<K> {
  readonly #buckets: DraftMap<string, ReadonlyMap<K, PodMatcher>>;
  /** Copied by this draft, so that it may change them. */
  readonly #own = new Map<string, Map<K, PodMatcher>>();

  /** @param base - where the index is kept; changes go there with `accept` */
  constructor(base: Buckets<K> = new Map()) {
    this.#buckets = new DraftMap(base);
  }

  add(key: K, matcher: PodMatcher): void {
    this.#bucket(bucketOf(matcher)).set(key, matcher);
  }

  /** @param matcher - that was added */
  remove(key: K, matcher: PodMatcher): void {
    const name = bucketOf(matcher);
    const bucket = this.#bucket(name);
    bucket.delete(key);
    if (bucket.size > 0) return;
    this.#own.delete(name);
    this.#buckets.delete(name);
  }

  /** Keys of the matchers that fit, in no particular order. */
  matching(pod: Labelled): K[] {
    const found: K[] = [];
    const look = (name: string) => {
      const bucket = this.#buckets.get(name);
      if (bucket === undefined) return;
      for (const [key, matcher] of bucket) {
        if (fits(matcher.pods, pod.labels) && fits(matcher.namespaces, pod.namespaceLabels)) {
          found.push(key);
        }
      }
    };
    look(EVERYTHING);
    for (const [label, value] of Object.entries(pod.labels)) look(podBucket(label, value));
    for (const [label, value] of Object.entries(pod.namespaceLabels)) {
      look(namespaceBucket(label, value));
    }
    return found;
  }

  accept(): void {
    this.#buckets.accept();
  }

  #bucket(name: string): Map<K, PodMatcher> {
    const known = this.#own.get(name);
    if (known !== undefined) return known;
    const copy = new Map(this.#buckets.get(name));
    this.#own.set(name, copy);
    this.#buckets.set(name, copy);
    return copy;
  }
}

function bucketOf({ namespaces, pods }: PodMatcher): string {
  const ofPod = pods.find(isExact);
  if (ofPod !== undefined) return podBucket(ofPod.key, ofPod.values[0]!);
  const ofNamespace = namespaces.find(isExact);
  if (ofNamespace !== undefined) return namespaceBucket(ofNamespace.key, ofNamespace.values[0]!);
  return EVERYTHING;
}

function isExact({ operator, values }: CheckedLabelExpression): boolean {
  return operator === 'In' && values.length === 1;
}

function podBucket(label: string, value: string): string {
  return `pod ${label}=${value}`;
}

function namespaceBucket(label: string, value: string): string {
  return `namespace ${label}=${value}`;
}

/** As label selectors of Kubernetes do: `NotIn` fits what has no such label too. */
export function fits(selector: CheckedLabelSelector, labels: Labels): boolean {
  return selector.every(({ key, operator, values }) => {
    const has = Object.hasOwn(labels, key);
    if (operator === 'Exists') return has;
    if (operator === 'DoesNotExist') return !has;
    const listed = has && values.includes(labels[key]!);
    return operator === 'In' ? listed : !listed;
  });
}
