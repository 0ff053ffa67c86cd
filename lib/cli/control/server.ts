// SPDX-License-Identifier: Apache-2.0
import { chmod } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { listenAlone, makeRoom } from '../../agent/unix-sockets.js';
import { SluiceError } from '../../errors.js';
import { checkControlPath, type ErrorBody, errorBody, messageOf, statusOf } from './protocol.js';

/** Answers one request with a value that becomes JSON; throws `SluiceError` to refuse it. */
export type Handler = (request: ControlRequest) => unknown;

export interface ControlRequest {
  query: URLSearchParams;
  /** What follows the route's path: the name in `/v1/interfaces/NAME`. Empty: nothing. */
  name: string;
  /** The parsed JSON body, or `undefined`. */
  body: unknown;
}

/** Handlers by method and path, e.g. `GET /v1/services`; `DELETE /v1/interfaces/` takes a name. */
export type Routes = Readonly<Record<string, Handler>>;

const MAX_BODY_BYTES = 65_536;

/**
 * HTTP over a Unix socket that only its owner may open. Bound before the engine starts, so that a
 * second agent is refused at once; answers 503 until {@link serve} gives it something to say.
 */
export class ControlServer implements AsyncDisposable {
  readonly path: string;
  readonly #server: Server;
  #routes: Routes | null = null;

  private constructor(path: string) {
    this.path = path;
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
  }

  /**
   * Binds the socket. A socket that nobody listens on any more is replaced.
   * @throws SluiceError `ERR_OPTIONS` if the path is too long; `ERR_AGENT` if an agent listens there, or the path cannot be bound
   */
  static async listen(path: string): Promise<ControlServer> {
    checkControlPath(path);
    const server = new ControlServer(path);
    await makeRoom(path, {
      use: 'give another path with --control',
      taken: 'an agent listens here already; stop it, or give another path with --control',
    });
    try {
      await server.#bind();
      await chmod(path, 0o600);
    } catch (error) {
      await server.close();
      throw new SluiceError('ERR_AGENT', `cannot listen: ${messageOf(error)}`, {
        path,
        cause: error,
      });
    }
    return server;
  }

  serve(routes: Routes): void {
    this.#routes = routes;
  }

  /** Ends connections and takes the socket away. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #bind(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      listenAlone(this.#server, this.path, resolve);
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', 'http://agent');
      if (this.#routes === null) return reply(response, 503, agentError('the agent is starting'));
      const found = findRoute(this.#routes, request.method ?? 'GET', url.pathname);
      if (found === null)
        return reply(response, 404, agentError(`no such resource: ${url.pathname}`));
      const body = await readBody(request);
      const result = await found.handler({ query: url.searchParams, name: found.name, body });
      reply(response, 200, result ?? {});
    } catch (error) {
      reply(response, statusOf(error), errorBody(error));
    }
  }
}

function findRoute(
  routes: Routes,
  method: string,
  path: string,
): { handler: Handler; name: string } | null {
  const exact = routes[`${method} ${path}`];
  if (exact !== undefined && !path.endsWith('/')) return { handler: exact, name: '' };
  const slash = path.lastIndexOf('/') + 1;
  const named = routes[`${method} ${path.slice(0, slash)}`];
  if (named === undefined || slash === path.length) return null;
  return { handler: named, name: decodeURIComponent(path.slice(slash)) };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES)
      throw new SluiceError('ERR_OPTIONS', `longer than ${MAX_BODY_BYTES} bytes`, { path: 'body' });
    chunks.push(chunk);
  }
  if (length === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch (error) {
    throw new SluiceError('ERR_OPTIONS', `not JSON: ${messageOf(error)}`, { path: 'body' });
  }
}

function reply(response: ServerResponse, status: number, value: unknown): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(value)}\n`);
}

function agentError(message: string): ErrorBody {
  return { error: { code: 'ERR_AGENT', message } };
}
