// SPDX-License-Identifier: Apache-2.0
import type { Sample, SampledMetric } from './metrics-sampled.js';

/** How it stands with the watch of one kind. */
export interface WatchState {
  kind: string;
  /** Its first list is complete. */
  synced: boolean;
  /** When the API server last said anything, ms since 1970; `null`, 0: never. */
  lastContactMs?: number | null | undefined;
  /** Lists and watches that were begun, and those that failed. */
  lists: number;
  watches: number;
  errors: number;
}

/** Objects that are kept of one kind. */
export interface ObjectCounts {
  objects: number;
  /** Those that could not be read. */
  refused: number;
}

/** What comes from the API server, as far as it goes. */
export interface SourceState {
  watches: readonly WatchState[];
  counts: Readonly<Record<string, ObjectCounts>>;
  /** Changes that are not programmed yet: Services and EndpointSlices. */
  pending: { services: number; endpoints: number };
  /** Services, pods, namespaces and policies that the data plane would not take. */
  aside: number;
}

/** How the watches and the objects that they bring are doing. Series by kind. */
export const SOURCE_METRICS: readonly SampledMetric<SourceState>[] = [
  ofWatch('gauge', 'synced', 'Whether the first list of the kind is complete', ({ synced }) =>
    synced ? 1 : 0,
  ),
  ofWatch('counter', 'lists_total', 'Lists that were begun', ({ lists }) => lists),
  ofWatch('counter', 'watches_total', 'Watches that were begun', ({ watches }) => watches),
  ofWatch('counter', 'errors_total', 'Lists and watches that failed', ({ errors }) => errors),
  {
    ...ofWatch(
      'gauge',
      'last_contact_timestamp_seconds',
      'When the API server last said anything about the kind',
      () => 0,
    ),
    read: ({ watches }) =>
      watches.flatMap(({ kind, lastContactMs }): Sample[] =>
        (lastContactMs ?? 0) === 0 ? [] : [[lastContactMs! / 1_000, kind]],
      ),
  },
  ofKind('objects', 'Objects that are kept', 'objects'),
  ofKind('refused_objects', 'Objects that could not be read and are not served', 'refused'),
  {
    type: 'gauge',
    name: 'sluice_source_unprogrammed_members',
    help: 'Services, pods, namespaces and policies that the data plane would not take',
    labels: [],
    read: ({ aside }) => [[aside]],
  },
];

/** kube-proxy's, of changes that are not programmed yet. */
export const PENDING_METRICS: readonly SampledMetric<SourceState>[] = [
  {
    type: 'gauge',
    name: 'kubeproxy_sync_proxy_rules_service_changes_pending',
    help: 'Pending proxy rules Service changes',
    labels: [],
    read: ({ pending }) => [[pending.services]],
  },
  {
    type: 'gauge',
    name: 'kubeproxy_sync_proxy_rules_endpoint_changes_pending',
    help: 'Pending proxy rules Endpoint changes',
    labels: [],
    read: ({ pending }) => [[pending.endpoints]],
  },
];

function ofWatch(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  pick: (watch: WatchState) => number,
): SampledMetric<SourceState> {
  return {
    type,
    name: `sluice_source_${name}`,
    help,
    labels: ['kind'],
    read: ({ watches }) => watches.map((watch) => [pick(watch), watch.kind]),
  };
}

function ofKind(name: string, help: string, key: keyof ObjectCounts): SampledMetric<SourceState> {
  return {
    type: 'gauge',
    name: `sluice_source_${name}`,
    help,
    labels: ['kind'],
    read: ({ counts }) => Object.entries(counts).map(([kind, count]) => [count[key], kind]),
  };
}
