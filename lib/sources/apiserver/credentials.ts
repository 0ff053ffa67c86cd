// SPDX-License-Identifier: Apache-2.0
import type { Agent, RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { SluiceError } from '../../errors.js';
import type { Clock } from './clock.js';
import { readConfiguration, type ServerOptions } from './configuration.js';
import { messageOf } from './status.js';

/** Who we are to the server, as one request needs it. */
export interface Credentials {
  headers: Record<string, string>;
  /** Certificates and what else TLS needs. */
  tls: Pick<RequestOptions, (typeof TLS_OPTIONS)[number]>;
  /** The way through a proxy, if the configuration has one. */
  agent: Agent | undefined;
}

const TLS_OPTIONS = [
  'ca',
  'cert',
  'key',
  'passphrase',
  'servername',
  'rejectUnauthorized',
] as const;

/** How old what is read from files may be. client-go takes a minute, too. */
const FRESH_MS = 60_000;

/**
 * Credentials as the configuration has them, read anew once a minute at the most: tokens of service accounts and
 * certificates are replaced in their files. Where they cannot be read, the latest ones stay.
 */
export class CredentialSource {
  readonly server: string;
  readonly #options: ServerOptions;
  readonly #clock: Clock;
  #config: KubeConfig | undefined;
  #latest: Credentials | undefined;
  #readAt = 0;
  #reading: Promise<Credentials> | undefined;

  private constructor(config: KubeConfig, options: ServerOptions, clock: Clock) {
    this.server = config.getCurrentCluster()!.server.replace(/\/+$/, '');
    this.#config = config;
    this.#options = options;
    this.#clock = clock;
  }

  /** @throws SluiceError `ERR_APISERVER`, `ERR_OPTIONS` */
  static async open(options: ServerOptions, clock: Clock): Promise<CredentialSource> {
    const source = new CredentialSource(await readConfiguration(options), options, clock);
    await source.current();
    return source;
  }

  /** @throws SluiceError `ERR_APISERVER` */
  async current(): Promise<Credentials> {
    if (this.#latest && this.#clock.now() - this.#readAt < FRESH_MS) return this.#latest;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** The server did not take `refused`: whatever can be read anew is, before the next request. */
  expire(refused: Credentials): void {
    if (refused !== this.#latest) return;
    this.#config = undefined;
    this.#readAt = Number.NEGATIVE_INFINITY;
  }

  async #read(): Promise<Credentials> {
    try {
      this.#config ??= await readConfiguration(this.#options);
      const config = this.#config;
      // A plugin's credentials are kept by the client for as long as they say that they last.
      const user = config.getCurrentUser();
      if (!user?.exec && !user?.authProvider) this.#config = undefined;
      this.#latest = await credentialsOf(config);
    } catch (error) {
      if (this.#latest === undefined) throw wrapped(error);
    }
    this.#readAt = this.#clock.now();
    return this.#latest;
  }
}

async function credentialsOf(config: KubeConfig): Promise<Credentials> {
  const cluster = config.getCurrentCluster()!;
  const isPlain = cluster.server.startsWith('http:');
  const verifies = !cluster.skipTLSVerify;
  // The client refuses HTTP unless it is told not to verify what HTTP does not have.
  if (isPlain) Object.assign(cluster, { skipTLSVerify: true });
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  if (isPlain) Object.assign(cluster, { skipTLSVerify: !verifies });
  const headers = { ...(options.headers as Record<string, string>) };
  if (typeof options.auth === 'string') {
    headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  const tls: Credentials['tls'] = {};
  for (const name of TLS_OPTIONS) {
    if (options[name] !== undefined) Object.assign(tls, { [name]: options[name] });
  }
  const agent = cluster.proxyUrl === undefined ? undefined : (options.agent as Agent);
  return { headers, tls, agent };
}

/** What a plugin, or reading a certificate, failed with. */
function wrapped(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const message = messageOf(error).split('\n')[0]!.slice(0, 300);
  return new SluiceError('ERR_APISERVER', `no credentials: ${message}`);
}
