// SPDX-License-Identifier: Apache-2.0

/** The kinds of objects that are watched. */
export const WATCHED_KINDS = [
  'Service',
  'EndpointSlice',
  'Node',
  'Namespace',
  'Pod',
  'NetworkPolicy',
  'ClusterNetworkPolicy',
] as const;

export type WatchedKind = (typeof WATCHED_KINDS)[number];

/**
 * Takes what is read from an API server, kind by kind, as it comes: values of any shape. Synchronous;
 * nothing that it is given makes it throw.
 */
export interface ObjectSink {
  /**
   * A list begins: what is not put before it ends has gone by then. A list that breaks off has no
   * end: it begins anew, and until one has ended nothing has gone.
   */
  beginList(kind: WatchedKind): void;
  /** An object of a list, or one that was added or modified. */
  put(kind: WatchedKind, object: unknown): void;
  /** An object that was deleted, as it was last. */
  remove(kind: WatchedKind, object: unknown): void;
  endList(kind: WatchedKind): void;
}
