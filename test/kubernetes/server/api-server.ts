// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, head, misanswer, send } from './answers.js';
import { firstObjects } from './bootstrap.js';
import type { Certificates } from './certificates.js';
import { VERSION } from './discovery.js';
import {
  type Fault,
  Faults,
  fits,
  Outlet,
  type RequestFilter,
  type SeenRequest,
} from './faults.js';
import { keepIn } from './journal.js';
import { runNamespaceController } from './namespace-controller.js';
import type { Tree } from './objects.js';
import { emptyOpenApi, OPENAPI_PROTOBUF, PROTOBUF, readProtobuf } from './protobuf.js';
import { keyOf, Registry } from './registry.js';
import { answer, placeOf, verbOf } from './requests.js';
import type { Resource } from './resources.js';
import { ApiError } from './status.js';
import { Store } from './store.js';
import { type Access, Tokens } from './tokens.js';
import { prepareWatch, type Watch } from './watches.js';

export interface ApiServerOptions {
  certificates: Certificates;
  /** Of 127.0.0.1. 0: a free one. */
  port?: number;
  tokens?: Record<string, Access>;
  /** A file that keeps what is stored. */
  data?: string;
  /** The first is the default family. */
  serviceCidrs?: readonly string[];
  bookmarkMs?: number;
  /** Changes that a watch can go back to. */
  historySize?: number;
  /** From the deletion of a namespace to its end. */
  namespaceDelayMs?: number;
}

export interface RequestRecord extends SeenRequest {
  readonly user: string | null;
  /** 0: nothing was answered yet. */
  code: number;
}

/** A watcher that leaves so much unread is dropped. */
const UNREAD_MAX = 256 * 1024 * 1024;

/** A Kubernetes API server for tests: HTTP/1.1 over TLS on 127.0.0.1. */
export class ApiServer {
  readonly registry: Registry;
  readonly store: Store;
  readonly faults = new Faults();
  readonly tokens: Tokens;
  /** What was asked, in the order in which it came. To be emptied by who reads it. */
  requests: RequestRecord[] = [];
  #server: Server | undefined;
  #port: number;
  readonly #options: ApiServerOptions;
  readonly #watches = new Map<Watch, { response: ServerResponse; seen: SeenRequest }>();
  readonly #sockets = new Set<Socket>();
  readonly #closers: (() => void)[] = [];

  private constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
    this.tokens = new Tokens(options.tokens ?? {});
    this.store = new Store(options.historySize ?? 200_000);
    if (options.data) this.#closers.push(keepIn(options.data, this.store));
    this.registry = new Registry(this.store, options.serviceCidrs ?? ['10.96.0.0/16']);
  }

  static async start(options: ApiServerOptions): Promise<ApiServer> {
    const server = new ApiServer(options);
    await server.listen();
    firstObjects(server.registry, server.port);
    const delay = options.namespaceDelayMs ?? 20;
    server.#closers.unshift(runNamespaceController(server.registry, delay));
    return server;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  /** Accepts connections (again). */
  async listen(): Promise<void> {
    const { key, certificate } = this.#options.certificates;
    const server = createServer({ key, cert: certificate, ALPNProtocols: ['http/1.1'] });
    server.on('request', (request, response) => void this.#serve(request, response));
    server.on('secureConnection', (socket) => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    server.keepAliveTimeout = 120_000;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Closes all connections and refuses new ones, until `listen`. What is stored stays. */
  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => {
      if (server) server.close(() => resolve());
      else resolve();
    });
    this.dropConnections();
    await closed;
  }

  dropConnections(): void {
    for (const watch of this.#watches.keys()) watch.stop();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Breaks the watches that fit off, without a word. @returns How many. */
  dropWatches(filter: RequestFilter = {}): number {
    const dropped = this.#watching(filter);
    for (const { response } of dropped) response.destroy();
    return dropped.length;
  }

  /** Sends watches a line (or a part of one) that is nobody's event. @returns To how many. */
  writeToWatches(text: string, filter: RequestFilter = {}): number {
    const watching = this.#watching(filter);
    for (const { watch } of watching) watch.write(text);
    return watching.length;
  }

  /** How many watches are open. */
  watches(filter: RequestFilter = {}): number {
    return this.#watching(filter).length;
  }

  #watching(filter: RequestFilter) {
    return [...this.#watches]
      .filter(([, { seen }]) => fits(filter, seen))
      .map(([watch, { response }]) => ({ watch, response }));
  }

  /** Everything before now is forgotten: 410 for who asks for it. */
  compact(): void {
    this.store.compact();
  }

  /** Stores an object of any shape: nothing is checked, defaulted or allocated. */
  inject(
    plural: string,
    object: Tree,
    key = keyOf(object.metadata?.namespace, object.metadata?.name),
  ): void {
    this.registry.commit(this.#resource(plural), key, {
      ...object,
      metadata: { ...object.metadata },
    });
  }

  /** Removes what was injected (or anything else), past all rules. */
  eject(plural: string, key: string): void {
    this.registry.commitRemoval(this.#resource(plural), key, {});
  }

  /** Creates objects by the rules, but past HTTP; namespaces come before what is in them. */
  load(objects: readonly Tree[]): void {
    for (const object of objects) {
      const [version = '', group = ''] = String(object.apiVersion).split('/').reverse();
      const resource = this.registry.resources.find(
        (one) => one.kind === object.kind && one.group === group && one.version === version,
      );
      if (!resource) throw new Error(`no resource of ${object.apiVersion} ${object.kind}`);
      const namespace = resource.namespaced ? (object.metadata.namespace ?? 'default') : null;
      const stored = this.registry.create(resource, namespace, object, { manager: 'load' });
      if (object.status === undefined || !resource.subresources.includes('status')) continue;
      const { name } = stored.object.metadata;
      const target = { resource, namespace, name };
      const body = { ...object, metadata: stored.object.metadata };
      this.registry.update(target, body, { manager: 'load', subresource: 'status' });
    }
  }

  #resource(plural: string): Resource {
    const found = this.registry.resources.find((one) => one.plural === plural);
    if (!found) throw new Error(`no resource ${plural}`);
    return found;
  }

  async stop(): Promise<void> {
    await this.refuse();
    for (const close of this.#closers) close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://localhost');
    const query = url.searchParams;
    const isWatch = ['true', '1'].includes(query.get('watch') ?? '');
    const seen = { method: request.method ?? 'GET', path: url.pathname, query, isWatch };
    const record: RequestRecord = { ...seen, user: null, code: 0 };
    this.requests.push(record);
    response.on('error', () => {});
    const fault = this.faults.of(seen) ?? {};
    try {
      const body = await readBody(request);
      if (fault.delayMs) await sleep(fault.delayMs);
      if (response.destroyed) return;
      this.#handle(request, response, body, record, fault);
    } catch (error) {
      record.code = error instanceof ApiError ? error.code : 500;
      fail(response, error, fault);
    }
  }

  #handle(
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    record: RequestRecord,
    fault: Fault,
  ): void {
    const { method, path, query, isWatch } = record;
    const place = placeOf(path, this.registry);
    const access = this.tokens.admit(request.headers.authorization);
    (record as { user: string | null }).user = access.user;
    this.tokens.authorize(access, path, place && verbOf(method, place, isWatch), place);
    if (fault.status || fault.body !== undefined) {
      record.code = fault.status ?? 200;
      misanswer(response, fault);
      return;
    }
    if (/^\/(healthz|livez|readyz)(\/|$)/.test(path)) {
      record.code = 200;
      response.setHeader('X-Content-Type-Options', 'nosniff');
      send(request, response, 200, 'text/plain; charset=utf-8', 'ok', fault);
      return;
    }
    if (path === '/openapi/v2' && String(request.headers.accept).includes(OPENAPI_PROTOBUF)) {
      record.code = 200;
      const document = emptyOpenApi(VERSION.gitVersion);
      send(request, response, 200, OPENAPI_PROTOBUF, document, fault);
      return;
    }
    if (isWatch && method === 'GET' && place) {
      const scope = { resource: place.resource, namespace: place.namespace, query };
      if (place.name !== undefined) query.set('fieldSelector', `metadata.name=${place.name}`);
      const times = { bookmarkMs: this.#options.bookmarkMs ?? 60_000 };
      const begin = prepareWatch(this.store, scope, times);
      record.code = 200;
      head(response, 200, 'application/json');
      response.flushHeaders();
      this.#stream(response, begin, record, fault);
      return;
    }
    const contentType = request.headers['content-type'] ?? '';
    const told = answer(this.registry, {
      method,
      path,
      query,
      contentType,
      body: contentType.startsWith(PROTOBUF) ? readProtobuf(body) : parse(body.toString('utf8')),
      manager:
        query.get('fieldManager') ?? (request.headers['user-agent'] ?? '').split('/')[0] ?? '',
    });
    record.code = told.code;
    const isPretty = ['true', '1'].includes(query.get('pretty') ?? '');
    const text = isPretty ? JSON.stringify(JSON.parse(told.body), null, 2) : told.body;
    send(request, response, told.code, 'application/json', text, fault);
  }

  #stream(
    response: ServerResponse,
    begin: ReturnType<typeof prepareWatch>,
    seen: SeenRequest,
    fault: Fault,
  ): void {
    const outlet = new Outlet(response, fault);
    const watch = begin({
      write: (line) => {
        if (response.writableLength > UNREAD_MAX) response.destroy();
        else outlet.write(line);
      },
      end: () => outlet.end(),
    });
    this.#watches.set(watch, { response, seen });
    const over = (): void => {
      watch.stop();
      this.#watches.delete(watch);
    };
    response.on('close', over);
    if (response.destroyed) over();
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

function parse(body: string): Tree {
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new ApiError(400, 'BadRequest', `couldn't get version/kind; json parse error: ${error}`);
  }
}
