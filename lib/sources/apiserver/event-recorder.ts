// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { type Clock, dateOf, sleep, systemClock } from './clock.js';
import type { ApiConnection } from './connection.js';
import type { WatchLog } from './failure-log.js';
import { Backoff, TokenBucket } from './pacing.js';
import { isOutage, messageOf, statusOf } from './status.js';

/** An object that an event is about. */
export interface EventObject {
  apiVersion: string;
  kind: string;
  /** None: an object of the cluster, whose events are in `default`. */
  namespace?: string;
  name: string;
  uid?: string;
}

export interface RecordedEvent {
  object: EventObject;
  type: 'Normal' | 'Warning';
  /** One word in upper camel case, such as `Starting`. */
  reason: string;
  message: string;
  /** What was being done; default `Sync`. */
  action?: string;
}

export interface EventRecorderOptions {
  nodeName: string;
  log: WatchLog;
  clock?: Clock;
  random?: () => number;
}

/** An event that the server has, or will have; what is repeated is counted in it. Times are the clock's. */
interface Series {
  event: RecordedEvent;
  key: string;
  namespace: string;
  name: string;
  count: number;
  firstMs: number;
  latestMs: number;
  /** The count that the server has; 0: not created yet. */
  sentCount: number;
  sentMs: number;
  queued: boolean;
}

const SERIES_MS = 10 * 60_000;
/** A series is not brought up to date more often. */
const UPDATE_MS = 60_000;
const LONGEST_QUEUE = 100;
const MOST_SERIES = 1000;
/** What the API takes, in characters; bytes for the note. */
const LONGEST_NAME = 128;
const LONGEST_NOTE = 1024;
const CONTROLLER = 'sluice.dev/agent';

/**
 * Tells the cluster's users what happened, as Events (`events.k8s.io/v1`). Nobody waits for it: it never fails, never keeps the process
 * alive, and drops what the server does not take.
 */
export class EventRecorder {
  readonly #connection: ApiConnection;
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #series = new Map<string, Series>();
  readonly #queue: Series[] = [];
  readonly #bucket: TokenBucket;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  #sending = false;
  #disabled = false;
  #dropped = 0;

  constructor(connection: ApiConnection, options: EventRecorderOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#bucket = new TokenBucket(1, 25, this.#clock);
    this.#backoff = new Backoff(options.random ?? Math.random);
  }

  /** Events that the server has not got, and will not get. */
  get dropped(): number {
    return this.#dropped;
  }

  record(event: RecordedEvent): void {
    if (this.#disabled || this.#closing.signal.aborted) {
      this.#dropped += 1;
      return;
    }
    const series = this.#repeated(event) ?? this.#begin(event);
    // What is on its way takes the count along.
    if (series.queued || (series.count > 1 && series.sentCount === 0)) return;
    const wait = series.sentMs + UPDATE_MS - this.#clock.now();
    if (series.sentCount <= 1 || wait <= 0) {
      this.#enqueue(series);
    } else {
      series.queued = true;
      this.#clock.after(wait, () => this.#enqueue(series), true);
    }
  }

  /** What has not been sent by now never will be. */
  close(): void {
    this.#closing.abort();
    this.#dropped += this.#queue.length;
    this.#queue.length = 0;
  }

  #repeated(event: RecordedEvent): Series | undefined {
    const series = this.#series.get(keyOf(event));
    const now = this.#clock.now();
    if (series === undefined || now - series.latestMs > SERIES_MS) return undefined;
    series.count += 1;
    series.latestMs = now;
    return series;
  }

  #begin(event: RecordedEvent): Series {
    const key = keyOf(event);
    const now = this.#clock.now();
    const { namespace, name } = event.object;
    const series: Series = {
      event,
      key,
      namespace: namespace ?? 'default',
      name: `${name.slice(0, 230)}.${randomBytes(8).toString('hex')}`,
      count: 1,
      firstMs: now,
      latestMs: now,
      sentCount: 0,
      sentMs: 0,
      queued: false,
    };
    this.#series.delete(key);
    this.#series.set(key, series);
    const [oldest = ''] = this.#series.keys();
    if (this.#series.size > MOST_SERIES) this.#series.delete(oldest);
    return series;
  }

  #enqueue(series: Series): void {
    series.queued = true;
    if (this.#disabled || this.#closing.signal.aborted || this.#queue.length >= LONGEST_QUEUE) {
      this.#drop(series);
    } else {
      this.#queue.push(series);
      if (!this.#sending) void this.#sendAll();
    }
  }

  async #sendAll(): Promise<void> {
    const { signal } = this.#closing;
    this.#sending = true;
    while (this.#queue.length > 0 && !signal.aborted) {
      const wait = this.#bucket.take();
      if (wait > 0) await sleep(this.#clock, wait, signal, true);
      const series = this.#queue.shift();
      if (series === undefined) break;
      try {
        await this.#send(series);
        this.#backoff.reset();
      } catch (error) {
        this.#drop(series);
        if (signal.aborted) break;
        const pause = this.#failed(error);
        if (pause > 0) await sleep(this.#clock, pause, signal, true);
      }
    }
    this.#sending = false;
  }

  async #send(series: Series): Promise<void> {
    const path = `/apis/events.k8s.io/v1/namespaces/${series.namespace}/events`;
    const settings = { signal: this.#closing.signal, timeoutMs: 10_000, background: true };
    const { count } = series;
    series.queued = false;
    if (series.sentCount === 0) {
      await this.#connection.postJson(path, this.#body(series), settings);
    } else {
      const body = { series: this.#seriesOf(series) };
      await this.#connection.patchJson(`${path}/${series.name}`, body, settings);
    }
    series.sentCount = count;
    series.sentMs = this.#clock.now();
  }

  #body(series: Series): object {
    const { event, namespace, name, count } = series;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name, namespace },
      eventTime: this.#microTime(series.firstMs),
      ...(count > 1 ? { series: this.#seriesOf(series) } : {}),
      reportingController: CONTROLLER,
      reportingInstance: this.#options.nodeName.slice(0, LONGEST_NAME),
      action: (event.action ?? 'Sync').slice(0, LONGEST_NAME),
      reason: event.reason.slice(0, LONGEST_NAME),
      regarding: event.object,
      note: cut(event.message, LONGEST_NOTE),
      type: event.type,
    };
  }

  #seriesOf({ count, latestMs }: Series) {
    return { count, lastObservedTime: this.#microTime(latestMs) };
  }

  /** A Kubernetes MicroTime. */
  #microTime(time: number): string {
    const ms = dateOf(this.#clock, time);
    const micros = Math.floor((ms % 1) * 1000);
    return new Date(ms).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
  }

  #drop(series: Series): void {
    this.#dropped += 1;
    series.queued = false;
    // The next of its kind is told from the beginning; the server may not have this one (any more).
    if (this.#series.get(series.key) === series) this.#series.delete(series.key);
  }

  /** Returns how long to wait before the next event is tried, in ms. */
  #failed(error: unknown): number {
    const { log } = this.#options;
    const status = statusOf(error);
    const isGone = status?.code === 404 && status.reason !== undefined;
    const isEnding = status?.causes.includes('NamespaceTerminating') ?? false;
    if (status !== undefined && [403, 404].includes(status.code) && !isGone && !isEnding) {
      this.#disabled = true;
      this.#dropped += this.#queue.length;
      this.#queue.length = 0;
      this.#series.clear();
      log.warn({ error: messageOf(error) }, 'Events cannot be written, and are not tried again');
      return 0;
    }
    log.debug({ error: messageOf(error) }, 'an Event was not written');
    return isOutage(error) ? Math.max(this.#backoff.next(), status?.retryAfterMs ?? 0) : 0;
  }
}

function keyOf({ object, type, reason, message }: RecordedEvent): string {
  const { kind, namespace = '', name, uid = '' } = object;
  return [kind, namespace, name, uid, type, reason, message].join('\0');
}

/** Cuts to so many bytes of UTF-8, between characters. */
function cut(message: string, length: number): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= length) return message;
  return new TextDecoder().decode(bytes.subarray(0, length), { stream: true });
}
