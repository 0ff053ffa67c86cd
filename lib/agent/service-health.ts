// SPDX-License-Identifier: Apache-2.0
import { SerialQueue } from '../proxy/serial-queue.js';
import { type Answer, HttpListener } from './http-listener.js';

/** A Service with a `healthCheckNodePort`, as it is now. */
export interface ServiceHealth {
  namespace: string;
  name: string;
  port: number;
  /** Ready endpoints on this node: distinct addresses of the family that has more. */
  localEndpoints: number;
}

/** A port that could not be opened: for the Warning Event `FailedToStartServiceHealthcheck`. */
export interface ServiceHealthFailure {
  namespace: string;
  name: string;
  port: number;
  message: string;
}

export interface ServiceHealthOptions {
  /** Answers are 503 while this is not so. */
  serving(): boolean;
  /** Once for each port that cannot be opened, however often it is tried. */
  failed(failure: ServiceHealthFailure): void;
  /** The node's addresses that node ports are served on; `null`: all. */
  addresses?: readonly string[] | null;
}

interface Entry {
  service: ServiceHealth;
  /** By address; empty: all. */
  listeners: Map<string, HttpListener>;
  /** Message that `failed` has been told. */
  told: string | null;
}

/**
 * Serves the health check of each Service with `externalTrafficPolicy: Local` on its
 * `healthCheckNodePort`: the balancer in front learns which nodes have endpoints. Any path, as
 * kube-proxy does. A port that cannot be opened is tried again with every update.
 */
export class ServiceHealthServers {
  readonly #options: ServiceHealthOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #queue = new SerialQueue();
  #addresses: readonly string[];
  /** No longer wanted, and perhaps still open. */
  #gone: Entry[] = [];

  constructor(options: ServiceHealthOptions) {
    this.#options = options;
    this.#addresses = listenedOn(options.addresses ?? null);
  }

  /**
   * Takes over what has changed, by `namespace/name`; `null`: no longer served so. Counts are in
   * force at once. Resolves when ports are closed and opened, or have failed to.
   */
  update(changes: ReadonlyMap<string, ServiceHealth | null>): Promise<void> {
    for (const [key, service] of changes) {
      const entry = this.#entries.get(key);
      if (entry !== undefined && service !== null && service.port === entry.service.port) {
        entry.service = service;
        continue;
      }
      if (entry !== undefined) this.#gone.push(entry);
      this.#entries.delete(key);
      if (service !== null) this.#entries.set(key, { service, listeners: new Map(), told: null });
    }
    return this.#reconcile();
  }

  /** The node has other addresses now; `null`: all. */
  setAddresses(addresses: readonly string[] | null): Promise<void> {
    this.#addresses = listenedOn(addresses);
    return this.#reconcile();
  }

  /** Ports that are open, by `namespace/name`. */
  get ports(): Map<string, number[]> {
    return new Map(
      [...this.#entries].map(([key, { listeners }]) => [
        key,
        [...listeners.values()].map(({ port }) => port),
      ]),
    );
  }

  close(): Promise<void> {
    this.#gone.push(...this.#entries.values());
    this.#entries.clear();
    return this.#reconcile();
  }

  /** First everything closes, then the rest opens: a port may go from one Service to another. */
  #reconcile(): Promise<void> {
    return this.#queue.run(async () => {
      const entries = [...this.#entries];
      const closing = this.#gone.flatMap((entry) => closeWhere(entry, () => true));
      this.#gone = [];
      for (const [, entry] of entries)
        closing.push(...closeWhere(entry, (address) => !this.#addresses.includes(address)));
      for (const [key, entry] of entries)
        if (this.#entries.get(key) === entry) await this.#open(entry);
      await Promise.all(closing);
    });
  }

  /** All addresses or none, as kube-proxy: half a health check would tell half of the balancers. */
  async #open(entry: Entry): Promise<void> {
    const missing = this.#addresses.filter((address) => !entry.listeners.has(address));
    try {
      for (const address of missing) {
        const host = address === '' ? null : address;
        const listener = await HttpListener.open({ host, port: entry.service.port }, () =>
          this.#answer(entry),
        );
        entry.listeners.set(address, listener);
      }
      entry.told = null;
    } catch (error) {
      await Promise.all(closeWhere(entry, () => true));
      this.#tell(entry, (error as Error).message);
    }
  }

  #tell(entry: Entry, message: string): void {
    if (entry.told === message) return;
    entry.told = message;
    const { namespace, name, port } = entry.service;
    this.#options.failed({ namespace, name, port, message });
  }

  #answer({ service: { namespace, name, localEndpoints } }: Entry): Answer {
    const serviceProxyHealthy = this.#options.serving();
    const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy };
    return {
      status: localEndpoints > 0 && serviceProxyHealthy ? 200 : 503,
      headers: {
        'Content-Type': 'application/json',
        'X-Content-Type-Options': 'nosniff',
        'X-Load-Balancing-Endpoint-Weight': String(localEndpoints),
      },
      body: JSON.stringify(body, null, '\t'),
    };
  }
}

function listenedOn(addresses: readonly string[] | null): readonly string[] {
  return addresses === null ? [''] : [...new Set(addresses)];
}

function closeWhere(entry: Entry, which: (address: string) => boolean): Promise<void>[] {
  return [...entry.listeners]
    .filter(([address]) => which(address))
    .map(([address, listener]) => {
      entry.listeners.delete(address);
      return listener.close();
    });
}
