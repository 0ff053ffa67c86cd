// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

export interface ServedRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
  /** Which connection it came by, counted from 1. */
  connection: number;
}

export type Script = (request: ServedRequest, response: ServerResponse) => void;

/** An HTTP server that does what a test tells it, mistakes included. */
export class ScriptedServer {
  readonly requests: ServedRequest[] = [];
  script: Script;
  connections = 0;
  #server: Server | undefined;
  #port = 0;
  readonly #tls: https.ServerOptions | undefined;
  readonly #sockets = new Map<Socket, number>();

  constructor(script: Script, tls?: https.ServerOptions) {
    this.script = script;
    this.#tls = tls;
  }

  get url(): string {
    return `${this.#tls ? 'https' : 'http'}://127.0.0.1:${this.#port}`;
  }

  /** Listens, again at the same port if it did before. */
  async listen(): Promise<this> {
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#serve(request, response);
    };
    const server = this.#tls ? https.createServer(this.#tls, serve) : http.createServer(serve);
    server.on(this.#tls ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.set(socket, this.connections);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  /** Like a process that was killed: connections are reset. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    this.cut();
    await closed;
  }

  /** Resets all connections. */
  cut(): void {
    for (const socket of this.#sockets.keys()) socket.resetAndDestroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://x');
    const body = await text(request).catch(() => '');
    const served: ServedRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
      connection: this.#sockets.get(request.socket) ?? 0,
    };
    this.requests.push(served);
    this.script(served, response);
  }
}

export function sendJson(response: ServerResponse, value: unknown, code = 200): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

/** A Status that is no success. */
export function failure(code: number, reason: string, more: object = {}): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: reason,
    reason,
    code,
    ...more,
  };
}

/** Waits until `condition` holds, in real time, 5 s at most. */
export async function until(condition: () => boolean, what = String(condition)): Promise<void> {
  for (let tries = 0; tries < 2500; tries++) {
    if (condition()) return;
    await delay(2);
  }
  throw new Error(`it never came to this: ${what}`);
}
