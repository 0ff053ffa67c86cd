// SPDX-License-Identifier: Apache-2.0
import { Counter, exponentialBuckets, Gauge, Histogram, type Registry } from 'prom-client';
import {
  IP_FAMILIES,
  type NoLocalEndpoints,
  TRAFFIC_POLICIES,
} from '../sources/kubernetes/cluster-change.js';
import type { HealthPath } from './health-server.js';

/** How a sync went. */
export interface SyncDone {
  seconds: number;
  /** See `SyncRun.full`. */
  full: boolean;
}

/** What a sync that succeeded has programmed. */
export interface SyncOutcome extends SyncDone {
  /** Services and EndpointSlices that changed. */
  services: number;
  endpoints: number;
  /** When these changes began, as the endpoints controller noted it; ms since 1970. */
  triggers: readonly number[];
  /** Services with a Local policy, endpoints somewhere and none here; left out: as before. */
  noLocalEndpoints?: NoLocalEndpoints | undefined;
}

const SYNC_BUCKETS = exponentialBuckets(0.001, 2, 15);

const PROGRAMMING_BUCKETS = [
  0.25,
  0.5,
  ...steps(1, 1, 59),
  ...steps(60, 5, 12),
  ...steps(120, 30, 7),
];

/** kube-proxy's metrics that mean something here, with its names. One sync serves both families, and each is told. */
export class KubeProxyMetrics {
  readonly #startMs: number;
  readonly #now: () => number;
  readonly #duration: Histogram;
  readonly #fullDuration: Histogram;
  readonly #partialDuration: Histogram;
  readonly #programming: Histogram;
  readonly #lastSynced: Gauge;
  readonly #lastQueued: Gauge;
  readonly #serviceChanges: Counter;
  readonly #endpointChanges: Counter;
  readonly #noLocalEndpoints: Gauge;
  readonly #failures: Counter;
  readonly #answers: Record<HealthPath, Counter>;

  /**
   * @param startMs - when the process began: what changed before is not its doing
   * @param now - ms since 1970
   */
  constructor(registry: Registry, startMs: number, now: () => number) {
    this.#startMs = startMs;
    this.#now = now;
    const metric = (name: string, help: string, labelNames: readonly string[]) => ({
      name: `kubeproxy_${name}`,
      help,
      labelNames,
      registers: [registry],
    });
    const family = ['ip_family'];
    const duration = (name: string, help: string, buckets: number[]) =>
      new Histogram({ ...metric(name, help, family), buckets });
    this.#duration = duration(
      'sync_proxy_rules_duration_seconds',
      'SyncProxyRules latency in seconds',
      SYNC_BUCKETS,
    );
    this.#fullDuration = duration(
      'sync_full_proxy_rules_duration_seconds',
      'SyncProxyRules latency in seconds for full resyncs',
      SYNC_BUCKETS,
    );
    this.#partialDuration = duration(
      'sync_partial_proxy_rules_duration_seconds',
      'SyncProxyRules latency in seconds for partial resyncs',
      SYNC_BUCKETS,
    );
    this.#programming = duration(
      'network_programming_duration_seconds',
      'In Cluster Network Programming Latency in seconds',
      PROGRAMMING_BUCKETS,
    );
    this.#lastSynced = new Gauge(
      metric(
        'sync_proxy_rules_last_timestamp_seconds',
        'The last time proxy rules were successfully synced',
        family,
      ),
    );
    this.#lastQueued = new Gauge(
      metric(
        'sync_proxy_rules_last_queued_timestamp_seconds',
        'The last time a sync of proxy rules was queued',
        family,
      ),
    );
    this.#serviceChanges = new Counter(
      metric(
        'sync_proxy_rules_service_changes_total',
        'Cumulative proxy rules Service changes',
        [],
      ),
    );
    this.#endpointChanges = new Counter(
      metric(
        'sync_proxy_rules_endpoint_changes_total',
        'Cumulative proxy rules Endpoint changes',
        [],
      ),
    );
    this.#noLocalEndpoints = new Gauge(
      metric(
        'sync_proxy_rules_no_local_endpoints_total',
        'Number of services with a Local traffic policy and no endpoints',
        ['ip_family', 'traffic_policy'],
      ),
    );
    this.#failures = new Counter(
      metric(
        'sync_proxy_rules_nftables_sync_failures_total',
        'Cumulative proxy nftables sync failures',
        family,
      ),
    );
    this.#answers = {
      healthz: new Counter(
        metric('proxy_healthz_total', 'Cumulative proxy healthz HTTP status', ['code']),
      ),
      livez: new Counter(
        metric('proxy_livez_total', 'Cumulative proxy livez HTTP status', ['code']),
      ),
    };
    this.#begin();
  }

  queued(): void {
    for (const ip_family of IP_FAMILIES) this.#lastQueued.set({ ip_family }, this.#now() / 1_000);
  }

  synced(outcome: SyncOutcome): void {
    this.#ran(outcome);
    this.#serviceChanges.inc(outcome.services);
    this.#endpointChanges.inc(outcome.endpoints);
    const now = this.#now();
    const since = outcome.triggers.filter((trigger) => trigger >= this.#startMs);
    for (const ip_family of IP_FAMILIES) {
      this.#lastSynced.set({ ip_family }, now / 1_000);
      // The other clock may be ahead of ours.
      for (const trigger of since)
        this.#programming.observe({ ip_family }, Math.max(0, now - trigger) / 1_000);
      const counts = outcome.noLocalEndpoints?.[ip_family];
      for (const [traffic_policy, count] of Object.entries(counts ?? {}))
        this.#noLocalEndpoints.set({ ip_family, traffic_policy }, count);
    }
  }

  failed(done: SyncDone): void {
    this.#ran(done);
    for (const ip_family of IP_FAMILIES) this.#failures.inc({ ip_family });
  }

  answered(path: HealthPath, status: number): void {
    this.#answers[path].inc({ code: String(status) });
  }

  #ran({ seconds, full }: SyncDone): void {
    for (const ip_family of IP_FAMILIES) {
      this.#duration.observe({ ip_family }, seconds);
      (full ? this.#fullDuration : this.#partialDuration).observe({ ip_family }, seconds);
    }
  }

  /** What has not happened yet is 0, so that the first time is an increase. */
  #begin(): void {
    for (const ip_family of IP_FAMILIES) {
      for (const histogram of [
        this.#duration,
        this.#fullDuration,
        this.#partialDuration,
        this.#programming,
      ])
        histogram.zero({ ip_family });
      this.#lastSynced.set({ ip_family }, 0);
      this.#lastQueued.set({ ip_family }, 0);
      this.#failures.inc({ ip_family }, 0);
      for (const traffic_policy of TRAFFIC_POLICIES)
        this.#noLocalEndpoints.set({ ip_family, traffic_policy }, 0);
    }
    for (const counter of Object.values(this.#answers))
      for (const code of ['200', '503']) counter.inc({ code }, 0);
  }
}

function steps(first: number, step: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index * step);
}
