// SPDX-License-Identifier: Apache-2.0
import { type KubeObject, type Metadata, sameJson, type Tree } from './objects.js';
import type { Resource } from './resources.js';

const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/** Is a change the last thing that the end of an object waited for? */
export function isLetGo({ kind }: Resource, next: KubeObject, old: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = next.metadata;
  if (!deletionTimestamp || finalizers?.length || deletionGracePeriodSeconds) return false;
  const hadFinalizers = old.metadata.finalizers?.length || old.spec?.finalizers?.length;
  return Boolean(hadFinalizers) && (kind !== 'Namespace' || !next.spec?.finalizers?.length);
}

/** Of a generated name. */
export const suffix = (): string =>
  Array.from({ length: 5 }, () => LETTERS[Math.floor(Math.random() * LETTERS.length)]).join('');

/** What a client cannot change stays. */
export function nextMetadata(asked: Metadata, old: Metadata): Metadata {
  const kept: Tree = { ...asked, namespace: old.namespace, generateName: old.generateName };
  for (const name of [
    'uid',
    'resourceVersion',
    'generation',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'managedFields',
  ] as const) {
    kept[name] = old[name];
  }
  return ordered(kept);
}

/** In the order of Go's struct, and without what is empty. */
export function ordered(metadata: Tree): Metadata {
  const result: Tree = {};
  for (const name of [
    'name',
    'generateName',
    'namespace',
    'uid',
    'resourceVersion',
    'generation',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'labels',
    'annotations',
    'ownerReferences',
    'finalizers',
    'managedFields',
  ]) {
    const value = metadata[name];
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    if (value !== undefined && value !== null && value !== '' && !isEmpty) result[name] = value;
  }
  return result;
}

/** Does a change count in `metadata.generation`? */
export function changesMeaning(resource: Resource, next: KubeObject, old: KubeObject): boolean {
  if (!resource.custom && resource.kind !== 'EndpointSlice') return !sameJson(next.spec, old.spec);
  const rest = ({ metadata: _, status: __, ...others }: KubeObject): Tree => others;
  const labels = resource.custom ? [] : [next.metadata.labels, old.metadata.labels];
  return !sameJson(rest(next), rest(old)) || !sameJson(labels[0], labels[1]);
}
