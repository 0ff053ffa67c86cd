// SPDX-License-Identifier: Apache-2.0
import type { KubeObject, Tree } from './objects.js';
import type { Resource } from './resources.js';
import type { Stored } from './store.js';

/**
 * Events are stored once and shown by two resources: `v1`, as which they are stored, and
 * `events.k8s.io/v1`.
 */
const isNewEvent = (resource: Resource): boolean =>
  resource.kind === 'Event' && resource.group === 'events.k8s.io';

/** Name in `events.k8s.io/v1`, name in `v1`. */
const RENAMED = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['deprecatedSource', 'source'],
  ['deprecatedCount', 'count'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['reportingController', 'reportingComponent'],
] as const;

const views = new WeakMap<Stored, Stored>();

/** A stored object as a resource shows it. */
export function shownBy(resource: Resource, stored: Stored): Stored {
  if (!isNewEvent(resource)) return stored;
  let view = views.get(stored);
  if (!view) {
    const { text: _, ...rest } = stored;
    view = { ...rest, object: renamed(stored.object, 1, 0) };
    views.set(stored, view);
  }
  return view;
}

/** An object that came by a resource, as it is stored. */
export function storedFrom(resource: Resource, object: KubeObject): KubeObject {
  if (!isNewEvent(resource)) return object;
  return {
    source: {},
    firstTimestamp: null,
    lastTimestamp: null,
    ...renamed(object, 0, 1),
  };
}

/** The same as a resource shows an object that is not stored yet. */
export const objectShownBy = (resource: Resource, object: KubeObject): KubeObject =>
  isNewEvent(resource) ? renamed(object, 1, 0) : object;

function renamed(object: KubeObject, from: 0 | 1, to: 0 | 1): KubeObject {
  const result: Tree = { ...object };
  for (const names of RENAMED) {
    if (object[names[from]] === undefined) continue;
    delete result[names[from]];
    result[names[to]] = object[names[from]];
  }
  return result;
}
