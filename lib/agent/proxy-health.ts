// SPDX-License-Identifier: Apache-2.0

import { IP_FAMILIES } from '../sources/kubernetes/cluster-change.js';

/** With it the autoscaler marks a node that is about to go. */
const TO_BE_DELETED_TAINT = 'ToBeDeletedByClusterAutoscaler';

/** What is read of our own Node object. */
export interface NodeCondition {
  metadata: { deletionTimestamp?: string | undefined };
  spec?: { taints?: readonly { key: string }[] | undefined } | undefined;
}

/** The body of `/healthz` and `/livez`, which has no `nodeEligible`. Times: RFC 3339, UTC. */
export interface HealthReport {
  lastUpdated: string;
  currentTime: string;
  nodeEligible?: boolean;
  healthy: boolean;
  status?: Record<string, { lastUpdated: string; healthy: boolean }>;
}

/**
 * Whether the proxy keeps up, by kube-proxy's rule: what was queued is programmed within
 * `timeoutMs` (twice the sync period). Whether load balancers shall send to this node at all is a
 * second question: {@link nodeEligible}.
 */
export class ProxyHealth {
  readonly #timeoutMs: number;
  readonly #now: () => number;
  readonly #elapsed: () => number;
  /** When the oldest change came that is not programmed, by the clock that nobody sets. */
  #pendingSince: number | null = null;
  #lastUpdated: number | null = null;
  /** Nobody has said anything: a node that starts is as good as any. */
  #nodeEligible = true;
  #draining = false;

  /**
   * @param now - ms since 1970
   * @param elapsed - ms since some time; whoever sets the clock of the node does not set it
   */
  constructor(
    timeoutMs: number,
    now: () => number = Date.now,
    elapsed: () => number = () => performance.now(),
  ) {
    this.#timeoutMs = timeoutMs;
    this.#now = now;
    this.#elapsed = elapsed;
  }

  /** Something has come that is to be programmed. */
  queued(): void {
    this.#pendingSince ??= this.#elapsed();
  }

  /**
   * A sync has succeeded.
   * @param pending - changes came meanwhile, or were left for the next sync
   */
  synced(pending = false): void {
    this.#lastUpdated = this.#now();
    this.#pendingSince = pending ? this.#elapsed() : null;
  }

  /** A sync has failed: there is something to do, asked for or not. */
  failed(): void {
    this.queued();
  }

  /** Our own Node object as it is now; `null`: there is none. */
  setNode(node: NodeCondition | null): void {
    this.#nodeEligible =
      node !== null &&
      (node.metadata.deletionTimestamp ?? '') === '' &&
      !(node.spec?.taints ?? []).some(({ key }) => key === TO_BE_DELETED_TAINT);
  }

  /** The agent is about to end: balancers are told to look elsewhere, the kubelet is not. */
  drain(): void {
    this.#draining = true;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Of the proxy alone, not of the node. */
  get healthy(): boolean {
    return this.#pendingSince === null || this.#elapsed() - this.#pendingSince < this.#timeoutMs;
  }

  get nodeEligible(): boolean {
    return this.#nodeEligible && !this.#draining;
  }

  /** What `/healthz` answers. */
  healthz(): { ok: boolean; report: HealthReport } {
    const { healthy, nodeEligible } = this;
    // Before the first sync there is nothing in this node that a balancer could send to.
    const ok = healthy && nodeEligible && this.#lastUpdated !== null;
    return this.#answer(ok, healthy, { nodeEligible });
  }

  /** What `/livez` answers: nothing of the node in it. */
  livez(): { ok: boolean; report: HealthReport } {
    const { healthy } = this;
    return this.#answer(healthy, healthy, {});
  }

  #answer(
    ok: boolean,
    healthy: boolean,
    node: { nodeEligible?: boolean },
  ): { ok: boolean; report: HealthReport } {
    const currentTime = rfc3339(this.#now());
    const updated = this.#lastUpdated === null ? GO_ZERO_TIME : rfc3339(this.#lastUpdated);
    const family = { lastUpdated: updated, healthy };
    // kube-proxy lists a family once it has been programmed.
    const known = this.#lastUpdated !== null || !healthy;
    return {
      ok,
      report: {
        // "Now" where all is well, as kube-proxy's readers are used to.
        lastUpdated: ok ? currentTime : updated,
        currentTime,
        ...node,
        healthy,
        ...(known && {
          // One sync serves both.
          status: Object.fromEntries(IP_FAMILIES.map((name) => [name, { ...family }])),
        }),
      },
    };
  }
}

const GO_ZERO_TIME = '0001-01-01T00:00:00Z';

/** As Go's RFC3339Nano: no zeroes at the end of the fraction, no fraction that is zero. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');
}
