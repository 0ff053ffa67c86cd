// SPDX-License-Identifier: Apache-2.0
import { remove } from './deletion.js';
import { type Tree, timestamp } from './objects.js';
import type { Registry } from './registry.js';
import type { Change } from './store.js';

/** Reason and message of the conditions that tell how the deletion of a namespace went. */
const CONDITIONS: readonly (readonly [type: string, reason: string, message: string])[] = [
  [
    'NamespaceDeletionDiscoveryFailure',
    'ResourcesDiscovered',
    'All resources successfully discovered',
  ],
  [
    'NamespaceDeletionGroupVersionParsingFailure',
    'ParsedGroupVersions',
    'All legacy kube types successfully parsed',
  ],
  [
    'NamespaceDeletionContentFailure',
    'ContentDeleted',
    'All content successfully deleted, may be waiting on finalization',
  ],
  ['NamespaceContentRemaining', 'ContentRemoved', 'All content successfully removed'],
  [
    'NamespaceFinalizersRemaining',
    'ContentHasNoFinalizers',
    'All content-preserving finalizers finished',
  ],
];

/**
 * Empties a namespace that is being deleted, and lets it go. Pods go at once, as if a kubelet had
 * said that they are gone.
 *
 * @returns Ends it.
 */
export function runNamespaceController(registry: Registry, delayMs: number): () => void {
  const { watchers, objects } = registry.store.collection('namespaces');
  const timers = new Set<NodeJS.Timeout>();
  const later = (name: string): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      finish(registry, name);
    }, delayMs);
    timers.add(timer);
  };
  const onChange = ({ now, before }: Change): void => {
    const { metadata } = now.object;
    if (metadata.deletionTimestamp && !before?.object.metadata.deletionTimestamp) {
      later(metadata.name);
    }
  };
  watchers.add(onChange);
  // The process may have ended in the middle of it.
  for (const { object } of objects.values()) {
    if (object.metadata.deletionTimestamp) later(object.metadata.name);
  }
  return () => {
    watchers.delete(onChange);
    for (const timer of timers) clearTimeout(timer);
  };
}

function finish(registry: Registry, name: string): void {
  for (const resource of registry.resources) {
    if (!resource.namespaced) continue;
    for (const { key, object } of registry.store.collection(resource.collection).sorted()) {
      if (!key.startsWith(`${name}/`)) continue;
      const target = { resource, namespace: name, name: object.metadata.name };
      remove(registry, target, { gracePeriodSeconds: 0 });
    }
  }
  const resource = registry.find('', 'v1', 'namespaces')!;
  const stored = registry.store.collection('namespaces').objects.get(name);
  if (!stored) return;
  const conditions = CONDITIONS.map(
    ([type, reason, message]): Tree => ({
      type,
      status: 'False',
      lastTransitionTime: timestamp(),
      reason,
      message,
    }),
  );
  const status = { ...stored.object.status, conditions };
  registry.commit(resource, name, { ...stored.object, status });
  registry.commitRemoval(resource, name, {});
}
