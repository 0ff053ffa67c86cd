// SPDX-License-Identifier: Apache-2.0
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Tree } from './server/objects.js';

export interface Reply {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The JSON of it; undefined, where it is none. */
  readonly json: Tree;
}

export interface AskOptions {
  query?: Record<string, string | number | boolean>;
  /** Of the body. */
  type?: string;
  /** null: none. */
  token?: string | null;
  headers?: Record<string, string>;
}

/** An event of a watch. */
export interface WatchEvent {
  readonly type: string;
  readonly object: Tree;
}

/** Asks an API server, for tests. */
export class Client {
  readonly #url: string;
  readonly #token: string;
  readonly #agent: Agent;

  constructor(url: string, ca: string, token: string) {
    this.#url = url;
    this.#token = token;
    this.#agent = new Agent({ ca, keepAlive: true, maxSockets: 64 });
  }

  /** Whatever the answer is. @throws Where there is none. */
  async ask(method: string, path: string, body?: Tree, options: AskOptions = {}): Promise<Reply> {
    const response = await this.#send(method, path, body, options);
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part);
    const text = Buffer.concat(parts).toString('utf8');
    const isJson = String(response.headers['content-type']).startsWith('application/json');
    return {
      code: response.statusCode ?? 0,
      headers: response.headers,
      text,
      json: isJson ? JSON.parse(text) : undefined,
    };
  }

  /** @throws Error with the server's message, where the answer is no success. */
  async json(method: string, path: string, body?: Tree, options?: AskOptions): Promise<Tree> {
    const reply = await this.ask(method, path, body, options);
    if (reply.code >= 300) throw new Error(`${method} ${path}: ${reply.code} ${reply.text.trim()}`);
    return reply.json;
  }

  get = (path: string, query?: AskOptions['query']): Promise<Tree> =>
    this.json('GET', path, undefined, query && { query });
  create = (path: string, object: Tree): Promise<Tree> => this.json('POST', path, object);
  replace = (path: string, object: Tree): Promise<Tree> => this.json('PUT', path, object);
  /** By a merge patch. */
  patch = (path: string, change: Tree): Promise<Tree> =>
    this.json('PATCH', path, change, { type: 'application/merge-patch+json' });
  remove = (path: string, options?: Tree): Promise<Tree> => this.json('DELETE', path, options);

  /** Of a collection, until it ends or is closed. @throws Where it is refused. */
  async watch(path: string, query: AskOptions['query'] = {}): Promise<OpenWatch> {
    const response = await this.#send('GET', path, undefined, { query: { watch: true, ...query } });
    if (response.statusCode !== 200) {
      response.resume();
      throw new Error(`watch of ${path}: ${response.statusCode}`);
    }
    return new OpenWatch(response);
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(method: string, path: string, body: Tree, options: AskOptions): Promise<IncomingMessage> {
    const url = new URL(path, this.#url);
    for (const [name, value] of Object.entries(options.query ?? {})) {
      url.searchParams.set(name, String(value));
    }
    const token = options.token === undefined ? this.#token : options.token;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      Accept: 'application/json',
      ...(token !== null && { Authorization: `Bearer ${token}` }),
      ...(text !== undefined && {
        'Content-Type': options.type ?? 'application/json',
        'Content-Length': Buffer.byteLength(text),
      }),
      ...options.headers,
    };
    return new Promise((resolve, reject) => {
      const asked = request(url, { method, headers, agent: this.#agent }, resolve);
      asked.on('error', reject);
      asked.end(text);
    });
  }
}

export class OpenWatch {
  /** What has come. */
  readonly events: WatchEvent[] = [];
  /** The stream is over: it ended, or it broke. */
  isOver = false;
  readonly #response: IncomingMessage;
  #waiting: (() => void)[] = [];

  constructor(response: IncomingMessage) {
    this.#response = response;
    let rest = '';
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) if (line !== '') this.events.push(JSON.parse(line));
      this.#wake();
    });
    response.on('error', () => {});
    response.on('close', () => {
      this.isOver = true;
      this.#wake();
    });
  }

  /** Waits until the events are so that something holds. @throws Error after a time. */
  async until(holds: (events: readonly WatchEvent[]) => boolean, ms = 10_000): Promise<void> {
    const end = Date.now() + ms;
    while (!holds(this.events)) {
      const left = end - Date.now();
      if (left <= 0 || this.isOver) {
        const seen = this.events.map(
          ({ type, object }) => `${type} ${object?.metadata?.name ?? ''}`,
        );
        throw new Error(
          `watch ${this.isOver ? 'is over' : 'shows nothing new'}: ${seen.join(', ')}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async over(ms = 10_000): Promise<void> {
    const end = Date.now() + ms;
    while (!this.isOver && Date.now() < end) await new Promise((next) => setTimeout(next, 5));
    if (!this.isOver) throw new Error('the watch goes on');
  }

  close(): void {
    this.#response.destroy();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
