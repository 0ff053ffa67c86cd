// SPDX-License-Identifier: Apache-2.0
import type { BindAddress } from './bind-address.js';
import { configz } from './configz.js';
import { type Answer, HttpListener, NOT_FOUND } from './http-listener.js';

/** Where kube-proxy serves its metrics. */
export const METRICS_PORT = 10_249;

/** What `/proxyMode` says: none of kube-proxy's modes, because there are no rules of any kernel to look at. */
const PROXY_MODE = 'sluice';

export interface MetricsServerOptions {
  metrics: { contentType: string; scrape(): Promise<string> };
  /** The configuration in force. */
  configuration(): { apiVersion: string };
}

/**
 * Serves `/metrics`, `/proxyMode`, `/healthz` and `/configz` where kube-proxy has them.
 * @throws SluiceError `ERR_LISTEN`
 */
export function openMetricsServer(
  address: BindAddress,
  { metrics, configuration }: MetricsServerOptions,
): Promise<HttpListener> {
  const pages: Readonly<Record<string, () => Answer | Promise<Answer>>> = {
    '/metrics': async () => page(metrics.contentType, await metrics.scrape()),
    '/proxyMode': () => page(TEXT, PROXY_MODE),
    // The process answers, no more: the proxy's health has a port of its own.
    '/healthz': () => page(TEXT, 'ok'),
    '/configz': () => page('application/json', JSON.stringify(configz(configuration()))),
  };
  return HttpListener.open(address, (path) =>
    Object.hasOwn(pages, path) ? pages[path]!() : NOT_FOUND,
  );
}

const TEXT = 'text/plain; charset=utf-8';

function page(type: string, body: string): Answer {
  return {
    status: 200,
    headers: { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' },
    body,
  };
}
