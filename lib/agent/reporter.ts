// SPDX-License-Identifier: Apache-2.0
import type { Logger } from 'pino';
import { SluiceError } from '../errors.js';
import type { NodeSpec } from '../model/model.js';
import type { EventObject, EventRecorder } from '../sources/apiserver/event-recorder.js';
import type { ClusterChange } from '../sources/kubernetes/cluster-change.js';
import { isOfOtherFamily, warningText } from '../sources/kubernetes/warnings.js';
import type { Round } from './follower.js';
import type { AgentMetrics } from './metrics.js';
import { healthCheckAddresses } from './node-section.js';
import type { RefusedMember } from './programmer.js';
import type { ServiceHealthFailure } from './service-health.js';

export interface ReporterOptions {
  log: Logger;
  nodeName: string;
  events: Pick<EventRecorder, 'record'>;
  metrics: AgentMetrics;
}

/** Tells logs, metrics and the cluster's Events what the agent does and cannot do. */
export class Reporter {
  readonly #log: Logger;
  readonly #events: Pick<EventRecorder, 'record'>;
  readonly #metrics: AgentMetrics;
  readonly #nodeName: string;
  #noLocalEndpoints: ClusterChange['noLocalEndpoints'];
  #latestFailure = '';
  #first = true;

  constructor({ log, nodeName, events, metrics }: ReporterOptions) {
    this.#log = log;
    this.#nodeName = nodeName;
    this.#events = events;
    this.#metrics = metrics;
  }

  change(change: ClusterChange): void {
    this.#noLocalEndpoints = change.noLocalEndpoints ?? this.#noLocalEndpoints;
    for (const { kind, namespace, name, path, message } of change.refused)
      this.#log.error(
        { kind, namespace, name, path, reason: message },
        'object refused; what was there of it stays',
      );
    for (const warning of change.warnings) {
      this.#log.warn(warningText(warning));
      // The one that kube-proxy tells the cluster of, too.
      if (!isOfOtherFamily(warning)) continue;
      const reason = 'KubeProxyIncorrectIPVersion';
      const object = serviceObject(warning);
      this.#events.record({ object, type: 'Warning', reason, message: warning.message });
    }
    if (change.node === null)
      this.#log.warn({ node: this.#nodeName }, 'there is no Node object of this name');
  }

  /** @returns the addresses that health checks are answered on */
  node(spec: NodeSpec): string[] | null {
    this.#log.info({ node: spec }, 'node');
    return healthCheckAddresses(spec);
  }

  notTaken(members: readonly RefusedMember[]): void {
    for (const { section, key, reason } of members)
      this.#log.error({ section, key, reason }, 'not served; what was there of it stays');
  }

  healthCheckFailed({ namespace, name, port, message }: ServiceHealthFailure): void {
    this.#log.error({ namespace, name, port, reason: message }, 'health check is not served');
    this.#events.record({
      object: serviceObject({ namespace, name }),
      type: 'Warning',
      reason: 'FailedToStartServiceHealthcheck',
      message: `node ${this.#nodeName} failed to start healthcheck "${namespace}/${name}" on port ${port}: ${message}`,
    });
  }

  round({ durationMs, full, services, endpoints, triggers, report }: Round): void {
    const noLocalEndpoints = this.#noLocalEndpoints;
    const done = { seconds: durationMs / 1_000, full };
    this.#metrics.synced(
      { ...done, services, endpoints, triggers, noLocalEndpoints },
      report ?? undefined,
    );
    this.#latestFailure = '';
    const row = { services, endpoints, ms: Math.round(durationMs * 10) / 10 };
    if (this.#first) this.#starting();
    const level = this.#first || report !== null ? (this.#first ? 'info' : 'debug') : 'trace';
    this.#log[level]({ ...row, generation: report?.generation }, 'synchronized');
    for (const warning of report?.warnings ?? []) this.#log.warn(warning);
    this.#first = false;
  }

  /** @param seconds - that the round took */
  failed(error: unknown, seconds: number): void {
    if (error instanceof SluiceError && error.code === 'ERR_CLOSED') return;
    this.#metrics.failed({ seconds, full: true });
    const reason = error instanceof Error ? error.message : String(error);
    // The same again and again is no news.
    const level = reason === this.#latestFailure ? 'debug' : 'error';
    this.#latestFailure = reason;
    this.#log[level]({ reason }, 'synchronization failed; what was in force stays');
  }

  /** As kube-proxy says it of itself. */
  #starting(): void {
    const object = { apiVersion: 'v1', kind: 'Node', name: this.#nodeName, uid: this.#nodeName };
    this.#events.record({ object, type: 'Normal', reason: 'Starting', message: 'Starting sluice' });
  }
}

function serviceObject({ namespace, name }: { namespace: string; name: string }): EventObject {
  return { apiVersion: 'v1', kind: 'Service', namespace, name };
}
