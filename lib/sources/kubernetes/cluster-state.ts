// SPDX-License-Identifier: Apache-2.0
import { isPlainObject } from '../../model/fields.js';
import type { ClusterChange } from './cluster-change.js';
import { KnownObjects } from './known-objects.js';
import { type NodeObject, readNode } from './objects.js';
import { PolicyState } from './policy-state.js';
import { ServiceState, type ServiceStateOptions } from './service-state.js';
import { ToldWarnings } from './told-warnings.js';
import { type ObjectSink, WATCHED_KINDS, type WatchedKind } from './watched.js';

export type { ClusterChange, RefusedObject, ServiceHealth } from './cluster-change.js';

export interface ClusterStateOptions extends ServiceStateOptions {
  /** The name of our own node; `null`: it is not known, so that nothing is local. */
  nodeName: string | null;
  /** As in `TranslateOptions`. */
  serviceProxyName?: string;
  /** Namespaces, Pods and policies count. Default `true`. */
  policy?: boolean;
}

/** How many objects of a kind there are as they were last right, and how many are wrong now. */
export interface ObjectCounts {
  objects: number;
  refused: number;
}

/**
 * A cluster as it is watched, and what has changed of what it comes to. However its objects came, all that
 * was taken adds up to what they come to as a whole: `translate` and `translatePolicy` have the same rules.
 */
export class ClusterState implements ObjectSink {
  readonly #nodeName: string | null;
  readonly #warnings = new ToldWarnings();
  readonly #services: ServiceState;
  readonly #policy = new PolicyState(this.#warnings);
  readonly #nodes: KnownObjects<NodeObject>;
  readonly #kinds: Readonly<Record<WatchedKind, KnownObjects<unknown> | null>>;
  /** Our Node has changed, or it is known for the first time whether it is there. */
  #nodeChanged = false;
  #nodeListed = false;

  constructor(options: ClusterStateOptions) {
    this.#nodeName = options.nodeName;
    this.#services = new ServiceState(options, this.#warnings);
    this.#nodes = new KnownObjects('Node', {
      read: readNode,
      changed: () => {
        this.#nodeListed = true;
        this.#nodeChanged = true;
      },
    });
    const ofPolicy = <T>(objects: KnownObjects<T>) => (options.policy === false ? null : objects);
    this.#kinds = {
      Service: this.#services.services,
      EndpointSlice: this.#services.slices,
      Node: this.#nodeName === null ? null : this.#nodes,
      Namespace: ofPolicy(this.#policy.namespaces),
      Pod: ofPolicy(this.#policy.pods),
      NetworkPolicy: ofPolicy(this.#policy.networkPolicies),
      ClusterNetworkPolicy: ofPolicy(this.#policy.clusterNetworkPolicies),
    } as Record<WatchedKind, KnownObjects<unknown> | null>;
  }

  /** There is something to take. */
  get dirty(): boolean {
    return (
      this.#services.isChanged ||
      this.#policy.isChanged ||
      this.#nodeChanged ||
      this.#warnings.hasUntold ||
      WATCHED_KINDS.some((kind) => this.#kinds[kind]?.hasUntold === true)
    );
  }

  /** How many Services and EndpointSlices have changed since they were last taken. */
  get pending(): { services: number; endpoints: number } {
    return this.#services.pending();
  }

  beginList(kind: WatchedKind): void {
    this.#kinds[kind]?.beginList();
  }

  put(kind: WatchedKind, object: unknown): void {
    if (kind === 'Node' && nameIn(object) !== this.#nodeName) return;
    this.#kinds[kind]?.put(object);
  }

  remove(kind: WatchedKind, object: unknown): void {
    this.#kinds[kind]?.remove(object);
  }

  endList(kind: WatchedKind): void {
    this.#kinds[kind]?.endList();
    if (kind !== 'Node' || this.#nodeName === null || this.#nodeListed) return;
    this.#nodeListed = true;
    this.#nodeChanged = true;
  }

  /**
   * Everything that has changed since it was last taken.
   * @param limit - of services; those that have to change together are together all the same
   */
  take(limit = Number.POSITIVE_INFINITY): ClusterChange {
    const { changes, health, services, endpoints, triggers } = this.#services.take(limit);
    const policy = this.#policy.take();
    const nodeChanged = this.#nodeChanged;
    this.#nodeChanged = false;
    return {
      model: { ...(changes !== undefined && { services: changes }), ...policy },
      more: this.#services.isChanged,
      ...(nodeChanged && { node: this.#nodes.get(this.#nodeName!) ?? null }),
      health,
      warnings: this.#warnings.take(),
      refused: WATCHED_KINDS.flatMap((kind) => this.#kinds[kind]?.takeUntold() ?? []),
      triggers,
      services,
      endpoints,
      ...(this.#nodeName !== null && { noLocalEndpoints: this.#services.noneHere }),
    };
  }

  /** The change was not made: it is in the next one again, but for what it told of warnings and mistakes. */
  putBack(change: ClusterChange): void {
    this.#services.putBack(change);
    this.#policy.putBack(change.model);
    if (change.node !== undefined) this.#nodeChanged = true;
  }

  /** By kind; none where a kind does not count. */
  counts(): Record<WatchedKind, ObjectCounts> {
    const rows = WATCHED_KINDS.map((kind) => {
      const { size = 0, refused = 0 } = this.#kinds[kind] ?? {};
      return [kind, { objects: size, refused }];
    });
    return Object.fromEntries(rows) as Record<WatchedKind, ObjectCounts>;
  }
}

function nameIn(object: unknown): unknown {
  const metadata = isPlainObject(object) ? object['metadata'] : null;
  return isPlainObject(metadata) ? metadata['name'] : null;
}
