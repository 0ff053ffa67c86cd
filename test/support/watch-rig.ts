// SPDX-License-Identifier: Apache-2.0
import type { ServerResponse } from 'node:http';
import type { ExecutionContext } from 'ava';
import { ClusterWatch } from '../../lib/sources/apiserver/cluster-watch.js';
import { ApiConnection } from '../../lib/sources/apiserver/connection.js';
import type { WatchLog } from '../../lib/sources/apiserver/failure-log.js';
import type { WatchedResource } from '../../lib/sources/apiserver/resources.js';
import type { ObjectSink, WatchedKind } from '../../lib/sources/kubernetes/watched.js';
import { ManualClock } from './manual-clock.js';
import { ScriptedServer, type ServedRequest, sendJson, until } from './scripted-server.js';

/** A sink that writes down what comes, and knows what there is. */
export class WrittenSink implements ObjectSink {
  readonly entries: string[] = [];
  readonly #objects = new Map<string, unknown>();
  readonly #listed = new Map<WatchedKind, Set<string>>();

  beginList(kind: WatchedKind): void {
    this.entries.push(`begin ${kind}`);
    this.#listed.set(kind, new Set());
  }

  put(kind: WatchedKind, object: unknown): void {
    const key = `${kind} ${nameOf(object)}`;
    this.entries.push(`put ${key}`);
    this.#objects.set(key, object);
    this.#listed.get(kind)?.add(key);
  }

  remove(kind: WatchedKind, object: unknown): void {
    const key = `${kind} ${nameOf(object)}`;
    this.entries.push(`remove ${key}`);
    this.#objects.delete(key);
  }

  endList(kind: WatchedKind): void {
    this.entries.push(`end ${kind}`);
    const listed = this.#listed.get(kind) ?? new Set();
    this.#listed.delete(kind);
    for (const key of this.#objects.keys()) {
      if (key.startsWith(`${kind} `) && !listed.has(key)) this.#objects.delete(key);
    }
  }

  /** Names of what there is, with their kinds, in order. */
  names(): string[] {
    return [...this.#objects.keys()].sort();
  }

  objects(): unknown[] {
    return [...this.#objects.values()];
  }
}

function nameOf(object: unknown): string {
  return (object as { metadata: { name: string } }).metadata.name;
}

export const object = (name: string, resourceVersion: number | string) => ({
  metadata: { name, resourceVersion: String(resourceVersion) },
});

export const list = (resourceVersion: number, names: string[], next?: string) => ({
  metadata: { resourceVersion: String(resourceVersion), continue: next },
  items: names.map((name, index) => object(name, index + 1)),
});

export const event = (type: string, name: string, resourceVersion: number | string): string =>
  `${JSON.stringify({ type, object: object(name, resourceVersion) })}\n`;

/** Answers of one kind in turn; the last one is for all that come after. */
export type Answer = (request: ServedRequest, response: ServerResponse) => void;

export const SERVICES: WatchedResource = { kind: 'Service', path: '/api/v1/services' };

/** A watch of a scripted server, with a clock that stands. */
export class WatchRig {
  readonly sink = new WrittenSink();
  readonly clock = new ManualClock();
  readonly logged: { level: string; fields: object; message: string }[] = [];
  readonly server: ScriptedServer;
  /** Answers to lists, and to watches. */
  lists: Answer[] = [];
  watches: Answer[] = [];
  changes = 0;
  watch!: ClusterWatch;
  connection!: ApiConnection;

  private constructor() {
    this.server = new ScriptedServer((request, response) => {
      const answers = request.query.has('watch') ? this.watches : this.lists;
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      answer?.(request, response);
    });
  }

  static async open(
    t: ExecutionContext,
    resources: WatchedResource[] = [SERVICES],
    options: { pageSize?: number; sink?: ObjectSink; random?: () => number } = {},
  ): Promise<WatchRig> {
    const rig = new WatchRig();
    t.teardown(() => rig.close());
    await rig.server.listen();
    const { clock } = rig;
    rig.connection = await ApiConnection.open({ master: rig.server.url, clock, qps: 0 });
    const write = (level: string) => (fields: object, message: string) =>
      void rig.logged.push({ level, fields, message });
    const log: WatchLog = { debug: write('debug'), info: write('info'), warn: write('warn') };
    rig.watch = new ClusterWatch(rig.connection, resources, options.sink ?? rig.sink, {
      onChange: () => {
        rig.changes += 1;
      },
      log,
      clock,
      random: options.random ?? (() => 0.5),
      ...(options.pageSize === undefined ? {} : { pageSize: options.pageSize }),
    });
    return rig;
  }

  async close(): Promise<void> {
    await this.watch?.close();
    this.connection?.close();
    await this.server.kill();
  }

  /** Queries of the watches, or lists, so far. */
  queries(what: 'list' | 'watch'): URLSearchParams[] {
    return this.server.requests
      .map(({ query }) => query)
      .filter((query) => query.has('watch') === (what === 'watch'));
  }

  /** From where each watch went on. */
  resumed(): (string | null)[] {
    return this.queries('watch').map((query) => query.get('resourceVersion'));
  }

  warnings(): string[] {
    return this.logged.filter(({ level }) => level === 'warn').map(({ message }) => message);
  }

  /** Waits until a back-off of `from` to `to` ms has begun. Returns how long it is. */
  async backoff(from = 800, to = 30_000): Promise<number> {
    const found = (): number | undefined =>
      this.clock.waits().find((wait) => wait >= from && wait <= to);
    await until(() => found() !== undefined, `a wait of ${from} to ${to} ms`);
    return found()!;
  }

  /** The same, and lets it pass. What comes then is under way when it returns. */
  async passBackoff(from = 800, to = 30_000): Promise<number> {
    const wait = await this.backoff(from, to);
    this.clock.advance(wait);
    return wait;
  }
}

export const answerJson =
  (value: unknown, code = 200): Answer =>
  (_, response) =>
    sendJson(response, value, code);

/** A watch that says `lines`, and ends, unless it is to stay open. */
export const answerWatch =
  (lines: string | Uint8Array, stays = false): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (lines.length > 0) response.write(lines);
    if (!stays) response.end();
  };

export const OPEN: Answer = answerWatch('', true);

export const errorLine = (code: number, reason: string): string =>
  `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code, reason, message: reason } })}\n`;
