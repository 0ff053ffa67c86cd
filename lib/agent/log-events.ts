// SPDX-License-Identifier: Apache-2.0
import type { Logger } from 'pino';
import type { ServiceProxy } from '../proxy/service-proxy.js';

/** Tells a log what happens in a proxy. */
export function logEvents(proxy: ServiceProxy, log: Logger): void {
  proxy.on('interface', ({ name, kind, up, change }) =>
    log.info({ interface: name, kind, up, change }, 'interface'),
  );
  proxy.on('backend', (event) => log.debug(event, 'backend'));
  proxy.on('drops', (drops) => log.debug({ drops }, 'packets dropped'));
}
