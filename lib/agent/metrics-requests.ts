// SPDX-License-Identifier: Apache-2.0
import { Counter, Histogram, type Registry } from 'prom-client';
import type { ApiRequest } from '../sources/apiserver/connection.js';

/** Requests to the API server, by the names of Kubernetes' own clients. */
export class RequestMetrics {
  readonly #requests: Counter;
  readonly #duration: Histogram;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#requests = new Counter({
      name: 'rest_client_requests_total',
      help: 'Number of HTTP requests, partitioned by status code, method, and host',
      labelNames: ['code', 'host', 'method'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'rest_client_request_duration_seconds',
      help: 'Request latency in seconds, by verb and host',
      labelNames: ['host', 'verb'],
      buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
      registers,
    });
  }

  requested({ method, host, status, seconds }: ApiRequest): void {
    this.#requests.inc({ code: status === null ? '<error>' : String(status), host, method });
    this.#duration.observe({ host, verb: method }, seconds);
  }
}
