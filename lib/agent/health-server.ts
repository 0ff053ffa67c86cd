// SPDX-License-Identifier: Apache-2.0
import type { BindAddress } from './bind-address.js';
import { type Answer, HttpListener, NOT_FOUND } from './http-listener.js';
import type { HealthReport, ProxyHealth } from './proxy-health.js';

/** Where kube-proxy serves its health. */
export const HEALTH_PORT = 10_256;

/** The endpoints, as the counters of answers name them. */
export type HealthPath = 'healthz' | 'livez';

const PATHS = new Map<string, HealthPath>([
  ['/healthz', 'healthz'],
  ['/livez', 'livez'],
]);

/**
 * Serves `/healthz` and `/livez` as kube-proxy does.
 *
 * @param answered - told of each answer, for the counters
 * @throws SluiceError `ERR_LISTEN`
 */
export function openHealthServer(
  address: BindAddress,
  health: Pick<ProxyHealth, HealthPath>,
  answered: (path: HealthPath, status: number) => void = () => undefined,
): Promise<HttpListener> {
  return HttpListener.open(address, (path) => {
    const name = PATHS.get(path);
    if (name === undefined) return NOT_FOUND;
    const answer = healthAnswer(health[name]());
    answered(name, answer.status);
    return answer;
  });
}

function healthAnswer({ ok, report }: { ok: boolean; report: HealthReport }): Answer {
  return {
    status: ok ? 200 : 503,
    headers: { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' },
    body: JSON.stringify(report),
  };
}
