// SPDX-License-Identifier: Apache-2.0
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ApiRequest } from '../sources/apiserver/connection.js';
import type { HealthPath } from './health-server.js';
import { DATAPLANE_METRICS, type Dataplane } from './metrics-dataplane.js';
import { KubeProxyMetrics, type SyncDone, type SyncOutcome } from './metrics-kubeproxy.js';
import { RequestMetrics } from './metrics-requests.js';
import { SampledMetrics } from './metrics-sampled.js';
import { PENDING_METRICS, SOURCE_METRICS, type SourceState } from './metrics-sources.js';

/** What is read when somebody asks for metrics; `null`, or an error: not there (any more). */
export interface MetricsSources {
  dataplane(): Dataplane | null;
  source(): SourceState | null;
}

export interface AgentMetricsOptions {
  /** Of the package. */
  version: string;
  /** When the process began; ms since 1970. */
  startMs?: number;
  /** ms since 1970. */
  now?: () => number;
}

/** All metrics of the agent, in a registry of their own. */
export class AgentMetrics {
  readonly registry = new Registry();
  readonly #kubeProxy: KubeProxyMetrics;
  readonly #requests: RequestMetrics;
  readonly #services: Gauge;
  readonly #backends: Gauge;
  readonly #dataplane: SampledMetrics<Dataplane>;
  readonly #source: SampledMetrics<SourceState>;
  #sources: MetricsSources = { dataplane: () => null, source: () => null };

  constructor({ version, startMs = performance.timeOrigin, now = Date.now }: AgentMetricsOptions) {
    const registers = [this.registry];
    this.#kubeProxy = new KubeProxyMetrics(this.registry, startMs, now);
    this.#source = new SampledMetrics(this.registry, [...PENDING_METRICS, ...SOURCE_METRICS]);
    this.#requests = new RequestMetrics(this.registry);
    const build = { name: 'sluice_build_info', help: 'Version of the package; always 1' };
    new Gauge({ ...build, labelNames: ['version'], registers }).set({ version }, 1);
    this.#services = new Gauge({
      name: 'sluice_services',
      help: 'Services that are served',
      registers,
    });
    this.#backends = new Gauge({
      name: 'sluice_backends',
      help: 'Backends that are served; one of two service ports counts twice',
      registers,
    });
    this.#dataplane = new SampledMetrics(this.registry, DATAPLANE_METRICS);
    collectDefaultMetrics({ register: this.registry });
  }

  /** Says where the rest of the values is read. */
  connect(sources: Partial<MetricsSources>): void {
    this.#sources = { ...this.#sources, ...sources };
  }

  /** A sync was asked for. */
  queued(): void {
    this.#kubeProxy.queued();
  }

  /** @param program - what is served now; left out: as before */
  synced(outcome: SyncOutcome, program?: { services: number; backends: number }): void {
    this.#kubeProxy.synced(outcome);
    if (program === undefined) return;
    this.#services.set(program.services);
    this.#backends.set(program.backends);
  }

  failed(done: SyncDone): void {
    this.#kubeProxy.failed(done);
  }

  /** `/healthz` or `/livez` has been answered. */
  answered(path: HealthPath, status: number): void {
    this.#kubeProxy.answered(path, status);
  }

  /** The API server has been asked something. */
  requested(request: ApiRequest): void {
    this.#requests.requested(request);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** All metrics in Prometheus' text format, all of one moment. */
  scrape(): Promise<string> {
    // The registry reads every value before it waits for anything.
    this.#dataplane.fill(orNull(this.#sources.dataplane));
    this.#source.fill(orNull(this.#sources.source));
    return this.registry.metrics();
  }
}

/** A proxy that has been closed has no counters; whoever looks at the end still gets the rest. */
function orNull<T>(read: () => T | null): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
