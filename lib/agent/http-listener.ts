// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SluiceError } from '../errors.js';
import { type BindAddress, formatBindAddress } from './bind-address.js';

/** What a server says to a request. */
export interface Answer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** Answers by path, without the query. */
export type Answerer = (path: string) => Answer | Promise<Answer>;

/** A probe that has sent half a request gets no longer than this. */
const REQUEST_MS = 10_000;
/** Answers under way at the end get no longer than this. */
const CLOSE_MS = 1_000;

/** A server on one address that answers every method alike and reads no bodies. */
export class HttpListener {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws SluiceError `ERR_LISTEN` */
  static async open(address: BindAddress, answer: Answerer): Promise<HttpListener> {
    const server = createServer(
      { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS },
      (...io) => {
        void respond(answer, ...io);
      },
    );
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        const { host, port } = address;
        // Without a host Node takes both families, or IPv4 alone where there is no IPv6.
        server.listen({ port, ...(host !== null && { host }) }, () => {
          server.removeListener('error', reject);
          resolve();
        });
      });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new SluiceError(
        'ERR_LISTEN',
        `cannot listen on ${formatBindAddress(address)}: ${REASONS[code ?? ''] ?? message}`,
        { cause: error },
      );
    }
    // Errors of accept(), such as too many open files: the next connection is a new attempt.
    server.on('error', () => undefined);
    return new HttpListener(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The port is free at once; resolves when the answers under way are given, or a second later. */
  async close(): Promise<void> {
    const late = setTimeout(() => this.#server.closeAllConnections(), CLOSE_MS);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    clearTimeout(late);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'no interface has this address',
  EACCES: 'permission denied',
};

/** As Go's: for whatever path a server does not know. */
export const NOT_FOUND: Answer = {
  status: 404,
  headers: { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' },
  body: '404 page not found\n',
};

async function respond(
  answer: Answerer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let said: Answer;
  try {
    said = await answer((request.url ?? '/').replace(/\?.*$/s, ''));
  } catch (error) {
    said = {
      status: 500,
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      body: `${error instanceof Error ? error.message : String(error)}\n`,
    };
  }
  const { status, headers, body } = said;
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
