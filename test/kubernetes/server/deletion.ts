// SPDX-License-Identifier: Apache-2.0
import { type KubeObject, type Tree, timestamp } from './objects.js';
import { graceOf } from './pods.js';
import { keyOf, type Registry, type Target } from './registry.js';
import type { Resource } from './resources.js';
import { conflict, forbidden } from './status.js';
import type { Stored } from './store.js';

/** Of DeleteOptions, what is heeded. Propagation is not: nothing collects garbage here. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
}

export interface Deleted {
  readonly stored: Stored;
  /** false: it is marked, and stays until somebody else has done his part. */
  readonly isGone: boolean;
}

/** Namespaces that are never deleted. */
const KEPT = ['default', 'kube-system', 'kube-public'];

/** @throws ApiError 403, 404, 409. */
export function remove(registry: Registry, target: Target, options: DeleteOptions): Deleted {
  const { resource, namespace, name } = target;
  const stored = registry.get(target);
  const { metadata } = stored.object;
  const { uid, resourceVersion } = options.preconditions ?? {};
  if (uid && uid !== metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`;
    throw conflict(resource, name, why);
  }
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
    const why = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`;
    throw conflict(resource, name, why);
  }
  const key = keyOf(namespace, name);
  if (resource.kind === 'Namespace')
    return removeNamespace(registry, resource, key, stored, options);
  if (resource.kind === 'Pod' && resource.group === '') {
    return removePod(registry, resource, key, stored, options);
  }
  if (metadata.finalizers?.length) {
    if (metadata.deletionTimestamp) return { stored, isGone: false };
    return { stored: mark(registry, resource, key, stored.object, 0, 0, options), isGone: false };
  }
  return { stored: registry.commitRemoval(resource, key, options), isGone: true };
}

function removeNamespace(
  registry: Registry,
  resource: Resource,
  key: string,
  stored: Stored,
  options: DeleteOptions,
): Deleted {
  const { metadata, spec } = stored.object;
  if (KEPT.includes(metadata.name)) {
    throw forbidden(resource, metadata.name, 'this namespace may not be deleted');
  }
  if (!metadata.deletionTimestamp) {
    if (options.dryRun) return { stored, isGone: false };
    const object = {
      ...stored.object,
      metadata: { ...metadata, deletionTimestamp: timestamp() },
      status: { ...stored.object.status, phase: 'Terminating' },
    };
    return { stored: registry.commit(resource, key, object), isGone: false };
  }
  if (spec?.finalizers?.length) {
    throw conflict(
      resource,
      metadata.name,
      'The system is ensuring all content is removed from this namespace.  Upon completion, this namespace will automatically be purged by the system.',
    );
  }
  return { stored: registry.commitRemoval(resource, key, options), isGone: true };
}

function removePod(
  registry: Registry,
  resource: Resource,
  key: string,
  stored: Stored,
  options: DeleteOptions,
): Deleted {
  const { metadata } = stored.object;
  let grace = graceOf(stored.object, options.gracePeriodSeconds);
  const pending = metadata.deletionGracePeriodSeconds;
  if (metadata.deletionTimestamp && pending !== undefined) {
    // The time that is given can only become shorter.
    grace = Math.min(options.gracePeriodSeconds ?? pending, pending);
    if (grace === pending && grace > 0) return { stored, isGone: false };
  }
  // Deletion at once is told as two changes, too.
  const began = metadata.deletionTimestamp
    ? Date.parse(metadata.deletionTimestamp) - (pending ?? 0) * 1000
    : Date.now();
  const marked =
    pending === grace
      ? stored
      : mark(registry, resource, key, stored.object, grace, began, options);
  if (grace > 0 || metadata.finalizers?.length) return { stored: marked, isGone: false };
  return { stored: registry.commitRemoval(resource, key, options), isGone: true };
}

function mark(
  registry: Registry,
  resource: Resource,
  key: string,
  object: KubeObject,
  grace: number,
  began: number,
  options: DeleteOptions,
): Stored {
  const { metadata } = object;
  const isNew = metadata.deletionTimestamp === undefined;
  const { labels, annotations, ownerReferences, finalizers, managedFields, ...head } = metadata;
  const marks: Tree = {
    ...head,
    ...(isNew && metadata.generation && { generation: metadata.generation + 1 }),
    deletionTimestamp: timestamp((began || Date.now()) + grace * 1000),
    deletionGracePeriodSeconds: grace,
    ...Object.fromEntries(
      Object.entries({ labels, annotations, ownerReferences, finalizers, managedFields }).filter(
        ([, value]) => value !== undefined,
      ),
    ),
  };
  const marked = { ...object, metadata: marks };
  if (options.dryRun) return { key, object: marked, revision: 0 };
  return registry.commit(resource, key, marked);
}
