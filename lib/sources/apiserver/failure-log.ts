// SPDX-License-Identifier: Apache-2.0
import type { WatchedResource } from './resources.js';
import { isExpired, messageOf, statusOf } from './status.js';

/** Where a watch tells how it is doing; pino's loggers are one. */
export interface WatchLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Tells each failure of one resource once, until there has been a success: an hour's outage is one line. */
export class FailureLog {
  readonly #resource: WatchedResource;
  readonly #log: WatchLog;
  #latest: string | undefined;

  constructor(resource: WatchedResource, log: WatchLog) {
    this.#resource = resource;
    this.#log = log;
  }

  failed(error: unknown): void {
    const status = statusOf(error);
    const failure = status === undefined ? messageOf(error) : `${status.code} ${status.reason}`;
    const isNew = failure !== this.#latest;
    this.#latest = failure;
    const fields = { kind: this.#resource.kind, error: messageOf(error) };
    if (!isNew || isExpired(error)) this.#log.debug(fields, 'the watch has failed');
    else if (status?.code === 403) this.#log.warn(fields, this.#missingRule());
    else this.#log.warn(fields, 'the watch has failed; what is known stays, and it is tried again');
  }

  succeeded(): void {
    if (this.#latest === undefined) return;
    this.#latest = undefined;
    this.#log.info({ kind: this.#resource.kind }, 'in step with the API server again');
  }

  #missingRule(): string {
    const [, first, group] = this.#resource.path.split('/');
    const name = this.#resource.path.split('/').at(-1);
    const rule = `apiGroups ["${first === 'apis' ? group : ''}"], resources ["${name}"], verbs ["list", "watch"]`;
    return `RBAC forbids the watch; a ClusterRole needs ${rule}`;
  }
}
