// SPDX-License-Identifier: Apache-2.0
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { SluiceError } from '../../errors.js';
import { type Clock, sleep, systemClock } from './clock.js';
import type { ServerOptions } from './configuration.js';
import { CredentialSource, type Credentials } from './credentials.js';
import { Deadline } from './deadline.js';
import { parseJson, type Query, readText, reasonOf, searchOf } from './messages.js';
import { TokenBucket } from './pacing.js';
import { readStatus, statusError } from './status.js';

export interface ConnectionOptions extends ServerOptions {
  /** Lists and writes a second; default 5, as kube-proxy's. 0: no limit. */
  qps?: number;
  /** How many of them at once; default 10. */
  burst?: number;
  /** Default `sluice`. */
  userAgent?: string;
  clock?: Clock;
  /** Told of each request that has been answered, or has failed. */
  requested?(request: ApiRequest): void;
}

/** A request to the API server, for those who count. */
export interface ApiRequest {
  method: string;
  /** Name and port of the server. */
  host: string;
  /** HTTP status; `null`: no answer came. */
  status: number | null;
  /** Until the answer began. */
  seconds: number;
}

export interface RequestSettings {
  signal?: AbortSignal;
  /** How long until the whole answer is there, in ms; default 60,000. */
  timeoutMs?: number;
  /** Does not count for `qps`: the next page of a list, which waits for the previous one. */
  unpaced?: boolean;
  /** Does not keep the process alive. */
  background?: boolean;
}

interface Sent {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  query?: Query;
  headers?: Record<string, string>;
  body?: string;
}

const TIMEOUT_MS = 60_000;
/** TCP notices within a minute or so that the other side is gone without a word. */
const KEEP_ALIVE_MS = 30_000;
const LONGEST_BODY = 256 * 1024 * 1024;
const LONGEST_ERROR_BODY = 64 * 1024;

/**
 * Speaks HTTP/1.1 and JSON with an API server, as the configuration says. Errors are `ERR_APISERVER`; the path of
 * one is server and path, and {@link statusOf} tells what the server answered.
 */
export class ApiConnection {
  /** Address of the API server, without a slash at the end. */
  readonly server: string;
  readonly #credentials: CredentialSource;
  readonly #clock: Clock;
  readonly #userAgent: string;
  readonly #bucket: TokenBucket;
  readonly #agent: http.Agent;
  readonly #requested: (request: ApiRequest) => void;
  readonly #closing = new AbortController();
  readonly #open = new Set<() => void>();

  private constructor(credentials: CredentialSource, options: ConnectionOptions, clock: Clock) {
    this.server = credentials.server;
    this.#credentials = credentials;
    this.#clock = clock;
    this.#userAgent = options.userAgent ?? 'sluice';
    this.#requested = options.requested ?? (() => undefined);
    this.#bucket = new TokenBucket(options.qps ?? 5, options.burst ?? 10, clock);
    const settings = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, maxFreeSockets: 4 };
    const isPlain = this.server.startsWith('http:');
    this.#agent = isPlain ? new http.Agent(settings) : new https.Agent(settings);
  }

  /**
   * Reads the configuration. The server is not asked for anything.
   * @throws SluiceError `ERR_APISERVER`, `ERR_OPTIONS`
   */
  static async open(options: ConnectionOptions = {}): Promise<ApiConnection> {
    const clock = options.clock ?? systemClock;
    return new ApiConnection(await CredentialSource.open(options, clock), options, clock);
  }

  /** @throws SluiceError `ERR_APISERVER`, `ERR_CLOSED` */
  getJson(path: string, query: Query = {}, settings: RequestSettings = {}): Promise<unknown> {
    const headers = { 'accept-encoding': 'gzip' };
    return this.#json({ method: 'GET', path, query, headers }, settings);
  }

  /** @throws SluiceError `ERR_APISERVER`, `ERR_CLOSED` */
  postJson(path: string, body: unknown, settings: RequestSettings = {}): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    return this.#json({ method: 'POST', path, headers, body: JSON.stringify(body) }, settings);
  }

  /** A JSON merge patch (RFC 7386). @throws SluiceError `ERR_APISERVER`, `ERR_CLOSED` */
  patchJson(path: string, body: unknown, settings: RequestSettings = {}): Promise<unknown> {
    const headers = { 'content-type': 'application/merge-patch+json' };
    return this.#json({ method: 'PATCH', path, headers, body: JSON.stringify(body) }, settings);
  }

  /** @param options - the DeleteOptions. @throws SluiceError `ERR_APISERVER`, `ERR_CLOSED` */
  deleteJson(path: string, options: unknown, settings: RequestSettings = {}): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    return this.#json({ method: 'DELETE', path, headers, body: JSON.stringify(options) }, settings);
  }

  /**
   * An answer that has no end that we know of, from when the server has accepted the request: chunks
   * as they come. It is not paced.
   * @param idleMs - Without a byte for as long, it is cut: iterating throws.
   * @throws SluiceError `ERR_APISERVER`, `ERR_CLOSED`
   */
  async stream(
    path: string,
    query: Query,
    signal: AbortSignal,
    idleMs: number,
  ): Promise<AsyncIterable<Uint8Array>> {
    const sent: Sent = { method: 'GET', path, query };
    const deadline = new Deadline(this.#clock, TIMEOUT_MS, 'no answer');
    try {
      const response = await this.#send(sent, { signal }, deadline);
      deadline.restart(idleMs, 'nothing has come');
      return this.#chunks(response, path, deadline);
    } catch (error) {
      deadline.end();
      throw this.#wrapped(error, path);
    }
  }

  /** Ends what is under way: it fails with `ERR_CLOSED`. */
  close(): void {
    this.#closing.abort();
    for (const abort of this.#open) abort();
    this.#agent.destroy();
  }

  async *#chunks(
    response: IncomingMessage,
    path: string,
    deadline: Deadline,
  ): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of response) {
        deadline.restart();
        yield chunk as Uint8Array;
      }
    } catch (error) {
      throw this.#wrapped(error, path);
    } finally {
      deadline.end();
    }
  }

  async #json(sent: Sent, settings: RequestSettings): Promise<unknown> {
    const { timeoutMs = TIMEOUT_MS, background = false } = settings;
    const signal = settings.signal ?? this.#closing.signal;
    const wait = settings.unpaced ? 0 : this.#bucket.take();
    if (wait > 0) await sleep(this.#clock, wait, signal, background);
    const deadline = new Deadline(this.#clock, timeoutMs, 'no answer', background);
    try {
      const response = await this.#send(sent, settings, deadline);
      return parseJson(await readText(response, LONGEST_BODY));
    } catch (error) {
      throw this.#wrapped(error, sent.path);
    } finally {
      deadline.end();
    }
  }

  /** Sends, and once again with what can be read anew if the server does not know who we are. */
  async #send(sent: Sent, settings: RequestSettings, deadline: Deadline): Promise<IncomingMessage> {
    let credentials = await deadline.within(this.#credentials.current());
    let response = await this.#sendOnce(sent, settings, deadline, credentials);
    if (response.statusCode === 401) {
      response.resume();
      this.#credentials.expire(credentials);
      credentials = await deadline.within(this.#credentials.current());
      response = await this.#sendOnce(sent, settings, deadline, credentials);
    }
    const code = response.statusCode ?? 0;
    if (code >= 200 && code < 300) return response;
    const body = await readText(response, LONGEST_ERROR_BODY);
    throw statusError(
      this.server + sent.path,
      readStatus(code, body, response.headers['retry-after']),
    );
  }

  async #sendOnce(
    sent: Sent,
    settings: RequestSettings,
    deadline: Deadline,
    credentials: Credentials,
  ): Promise<IncomingMessage> {
    const attempt = () => this.#counted(sent, settings, deadline, credentials);
    try {
      return await attempt();
    } catch (error) {
      // The server may close an idle connection at the moment when we use it again.
      if (sent.method !== 'GET' || !(error instanceof StaleConnection)) throw error;
      return await attempt();
    }
  }

  async #counted(
    sent: Sent,
    settings: RequestSettings,
    deadline: Deadline,
    credentials: Credentials,
  ): Promise<IncomingMessage> {
    const beginning = performance.now();
    let status: number | null = null;
    try {
      const response = await this.#attempt(sent, settings, deadline, credentials);
      status = response.statusCode ?? null;
      return response;
    } finally {
      const seconds = (performance.now() - beginning) / 1_000;
      this.#requested({ method: sent.method, host: new URL(this.server).host, status, seconds });
    }
  }

  #attempt(
    { method, path, query = {}, headers, body }: Sent,
    { signal, background }: RequestSettings,
    deadline: Deadline,
    credentials: Credentials,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      if (this.#closing.signal.aborted || signal?.aborted) return reject(new Error('aborted'));
      const request = (this.server.startsWith('http:') ? http : https).request(
        this.server + path + searchOf(query),
        {
          ...credentials.tls,
          method,
          agent: credentials.agent ?? this.#agent,
          headers: {
            accept: 'application/json',
            'user-agent': this.#userAgent,
            ...headers,
            ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
            ...credentials.headers,
          },
        },
      );
      // Once there is a response, it is what must be destroyed: its reader gets the reason.
      let transfer: ClientRequest | IncomingMessage = request;
      const abort = (): void => void transfer.destroy(new Error('aborted'));
      const closed = (): void => {
        this.#open.delete(abort);
        signal?.removeEventListener('abort', abort);
      };
      this.#open.add(abort);
      signal?.addEventListener('abort', abort);
      deadline.guard(request);
      request.once('close', () => transfer === request && closed());
      request.once('response', (response) => {
        transfer = response;
        response.once('close', closed);
        deadline.guard(response);
        resolve(response);
      });
      request.once('socket', (socket) => {
        socket.setKeepAlive(true, KEEP_ALIVE_MS);
        if (background) socket.unref();
      });
      request.on('error', (error) => {
        const isReset = (error as NodeJS.ErrnoException).code === 'ECONNRESET';
        reject(request.reusedSocket && isReset ? new StaleConnection(error.message) : error);
      });
      request.end(body);
    });
  }

  #wrapped(error: unknown, path: string): SluiceError {
    if (error instanceof SluiceError) return error;
    if (this.#closing.signal.aborted) {
      return new SluiceError('ERR_CLOSED', 'the connection has been closed');
    }
    return new SluiceError('ERR_APISERVER', reasonOf(error), {
      path: this.server + path,
      cause: error,
    });
  }
}

class StaleConnection extends Error {}
