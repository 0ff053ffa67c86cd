// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util';
import type { ModelChange } from '../model/changes.js';
import type { NodeSpec } from '../model/model.js';
import type { ApplyReport } from '../proxy/service-proxy.js';
import type { ClusterChange, ClusterState } from '../sources/kubernetes/cluster-state.js';
import type { NodeObject } from '../sources/kubernetes/objects.js';
import { Programmer, type RefusedMember, type Updatable } from './programmer.js';

/** Services that one commit takes at most: the event loop and the workers breathe between two. */
const SERVICES_AT_A_TIME = 100;

/** One round of synchronization: everything that had come when it began is in force. */
export interface Round {
  readonly durationMs: number;
  /** Everything that is set aside was tried again. */
  readonly full: boolean;
  readonly services: number;
  readonly endpoints: number;
  /** When what is in force now was caused; ms since 1970. */
  readonly triggers: readonly number[];
  /** Of the last commit; `null`: there was nothing to do. */
  readonly report: ApplyReport | null;
}

/** The node section, by what the cluster says of our node; `null`: it says nothing. */
export type NodeSpecOf = (node: NodeObject | null) => NodeSpec;

/** What a follower tells. None of it may throw. */
export interface FollowerListener {
  change(change: ClusterChange): void;
  /** The node section is another one than it was. */
  node(spec: NodeSpec): void;
  /** Something that the proxy would not take. */
  refused(members: readonly RefusedMember[]): void;
  round(round: Round): void;
}

/**
 * Brings a proxy to what a cluster says, a round at a time. Whoever calls it sees to it that
 * rounds do not overlap, and that the first one comes after all lists are complete.
 */
export class ClusterFollower {
  readonly #state: ClusterState;
  readonly #programmer: Programmer;
  readonly #listener: FollowerListener;
  readonly #nodeSpec: NodeSpecOf;
  #node: NodeSpec | null = null;
  /** That ran after the last round. */
  #backends = 0;
  /** What is in force and has not been told: of this round, and of those before it that failed half-way. */
  #made = nothingMade();
  /** Something was removed in this round. */
  #isFreed = false;
  #stopped = false;

  constructor(
    state: ClusterState,
    proxy: Updatable,
    nodeSpec: NodeSpecOf,
    listener: FollowerListener,
  ) {
    this.#state = state;
    this.#programmer = new Programmer(proxy);
    this.#nodeSpec = nodeSpec;
    this.#listener = listener;
  }

  /** Members that the proxy would not take. */
  get aside(): number {
    return this.#programmer.aside;
  }

  /**
   * Takes what has come and makes it.
   * @param full - tries again what is set aside
   * @throws Error where the proxy cannot be changed: what was not made is in the next round again
   */
  async round(full: boolean): Promise<void> {
    const beginning = performance.now();
    this.#isFreed = false;
    let report: ApplyReport | null = null;
    if (full) {
      const again = await this.#programmer.retry();
      this.#tell(again.refused);
      report = again.report;
    }
    for (let more = true; more && !this.#stopped; ) {
      const change = this.#state.take(SERVICES_AT_A_TIME);
      more = change.more;
      report = (await this.#make(change)) ?? report;
      this.#made.services += change.services;
      this.#made.endpoints += change.endpoints;
      for (const each of change.triggers) this.#made.triggers.push(each);
    }
    if (!full && this.#programmer.aside > 0 && this.#hasRoom(report)) {
      const again = await this.#programmer.retrySome();
      this.#tell(again.refused);
      report = again.report ?? report;
    }
    this.#backends = report?.backends ?? this.#backends;
    const durationMs = performance.now() - beginning;
    this.#listener.round({ durationMs, full, ...this.#made, report });
    this.#made = nothingMade();
  }

  /** The round under way ends with the commit that it is at; what is left stays untaken. */
  stop(): void {
    this.#stopped = true;
  }

  async #make(change: ClusterChange): Promise<ApplyReport | null> {
    let report: ApplyReport | null = null;
    let node: NodeSpec | null;
    try {
      node = this.#nodeOf(change);
      const model = { ...change.model, ...(node !== null && { node }) };
      if (Object.keys(model).length > 0) {
        const programmed = await this.#programmer.program(model);
        this.#tell(programmed.refused);
        report = programmed.report;
        this.#isFreed ||= hasRemovals(change.model);
      }
    } catch (error) {
      this.#state.putBack(change);
      // Warnings and mistakes do not come again, and what our Node object says waits for nobody.
      this.#listener.change({ ...change, health: new Map() });
      throw error;
    }
    if (node !== null) {
      this.#node = node;
      this.#listener.node(node);
    }
    this.#listener.change(change);
    return report;
  }

  /** `null`: it is what it was. A node whose object has gone still has its addresses and its pods. */
  #nodeOf({ node = null }: ClusterChange): NodeSpec | null {
    if (node === null && this.#node !== null) return null;
    const spec = this.#nodeSpec(node);
    return isDeepStrictEqual(spec, this.#node) ? null : spec;
  }

  /** There may be room that there was not before this round. */
  #hasRoom(report: ApplyReport | null): boolean {
    return this.#isFreed || (report !== null && report.backends < this.#backends);
  }

  #tell(refused: readonly RefusedMember[]): void {
    if (refused.length > 0) this.#listener.refused(refused);
  }
}

function nothingMade(): { services: number; endpoints: number; triggers: number[] } {
  return { services: 0, endpoints: 0, triggers: [] };
}

function hasRemovals({ services, namespaces, pods, policies }: ModelChange): boolean {
  return [services, namespaces, pods, policies].some(
    (changes) => (changes?.removed?.length ?? 0) > 0,
  );
}
