// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../../errors.js';
import type { ObjectSink, WatchedKind } from '../kubernetes/watched.js';
import { type Clock, dateOf, sleep, Turns } from './clock.js';
import type { ApiConnection } from './connection.js';
import { TimeUp } from './deadline.js';
import { isOlder, openWatch, type WatchEvent } from './events.js';
import { FailureLog, type WatchLog } from './failure-log.js';
import { Backoff } from './pacing.js';
import { pagesOf } from './pages.js';
import type { WatchedResource } from './resources.js';
import { isExpired, isOutage, messageOf, statusOf } from './status.js';

export interface ReflectorSettings {
  /** Something has come into the sink. */
  onChange(): void;
  /** The server answers again. */
  onContact(): void;
  log: WatchLog;
  pageSize: number;
  clock: Clock;
  random: () => number;
}

/** How one kind is doing. Times are ms since 1970. */
export interface WatchState {
  kind: WatchedKind;
  /** A list has been taken whole, at some time. */
  synced: boolean;
  /** The API is not installed. */
  absent: boolean;
  /** How far we are; undefined: the next thing is a list. */
  resourceVersion: string | undefined;
  /** When the server last said something. */
  lastContactMs: number | undefined;
  lists: number;
  watches: number;
  errors: number;
  lastError: string | undefined;
}

/** Watches end after 5 to 10 minutes, not all of them at once, as client-go's do. */
const SHORTEST_WATCH_S = 300;
/** A watch that ends sooner and has said nothing is a failure. */
const SHORT_MS = 1000;
const ABSENT_MS = 30_000;
/** As often pages may expire before a list is asked for in one piece. */
const PAGED_TRIES = 2;

/**
 * Keeps a sink in step with one resource: lists it, watches it from there, and goes on from where it was whenever a
 * watch ends. What is in the sink stays there until a list says otherwise.
 */
export class Reflector {
  readonly resource: WatchedResource;
  readonly #connection: ApiConnection;
  readonly #sink: ObjectSink;
  readonly #settings: ReflectorSettings;
  readonly #backoff: Backoff;
  readonly #turns = new Turns();
  /** Its times are the clock's. */
  readonly #state: WatchState;
  readonly #failures: FailureLog;
  /** Answers in succession that made no sense, from one and the same resourceVersion. */
  #nonsense = 0;
  /** Lists in succession that expired between two pages. */
  #expiredLists = 0;
  /** The latest failure was that nobody answered. */
  #isAway = false;
  #waiting: AbortController | undefined;
  #onSynced: () => void = () => {};

  /** Resolves when the first list is in the sink. */
  readonly synced = new Promise<void>((resolve) => {
    this.#onSynced = resolve;
  });

  constructor(
    connection: ApiConnection,
    resource: WatchedResource,
    sink: ObjectSink,
    settings: ReflectorSettings,
  ) {
    this.#connection = connection;
    this.resource = resource;
    this.#sink = sink;
    this.#settings = settings;
    this.#backoff = new Backoff(settings.random);
    this.#failures = new FailureLog(resource, settings.log);
    this.#state = {
      kind: resource.kind,
      synced: false,
      absent: false,
      resourceVersion: undefined,
      lastContactMs: undefined,
      lists: 0,
      watches: 0,
      errors: 0,
      lastError: undefined,
    };
  }

  get state(): WatchState {
    const { lastContactMs: contact } = this.#state;
    const lastContactMs = contact && dateOf(this.#settings.clock, contact);
    return { ...this.#state, lastContactMs };
  }

  /** Another one has found the server: waiting for it is over. */
  wake(): void {
    this.#waiting?.abort();
  }

  /** Goes on until `signal` is aborted; never fails. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let wait = 0;
      let error: unknown;
      try {
        if (this.#state.resourceVersion === undefined) wait = await this.#list(signal);
        else wait = await this.#watch(this.#state.resourceVersion, signal);
      } catch (caught) {
        if (signal.aborted) return;
        error = caught;
        wait = this.#failed(error);
      }
      if (wait > 0) await this.#pause(wait, isOutage(error), signal);
    }
  }

  /** Puts the whole list into the sink. Returns how long to wait before what comes next, in ms. */
  async #list(signal: AbortSignal): Promise<number> {
    const { kind, optional = false } = this.resource;
    const pageSize = this.#expiredLists < PAGED_TRIES ? this.#settings.pageSize : undefined;
    let resourceVersion: string | undefined;
    this.#state.lists += 1;
    try {
      for await (const page of pagesOf(this.#connection, this.resource, pageSize, signal)) {
        this.#contact();
        if (resourceVersion === undefined) this.#sink.beginList(kind);
        resourceVersion = page.resourceVersion;
        await this.#putAll(page.items, signal);
        if (signal.aborted) return 0;
      }
    } catch (error) {
      if (resourceVersion === undefined && optional && statusOf(error)?.code === 404) {
        return this.#notInstalled();
      }
      if (resourceVersion !== undefined && isExpired(error)) this.#expiredLists += 1;
      throw error;
    }
    this.#sink.endList(kind);
    this.#state.absent = false;
    this.#state.resourceVersion = resourceVersion;
    this.#nonsense = 0;
    this.#expiredLists = 0;
    this.#failures.succeeded();
    this.#sync();
    return 0;
  }

  async #putAll(items: readonly unknown[], signal: AbortSignal): Promise<void> {
    await this.#turns.next();
    for (const item of items) {
      if (this.#turns.over) {
        this.#settings.onChange();
        await this.#turns.next();
      }
      if (signal.aborted) return;
      this.#sink.put(this.resource.kind, item);
    }
    this.#settings.onChange();
  }

  #notInstalled(): number {
    const { kind, path } = this.resource;
    const { random, log } = this.#settings;
    this.#contact();
    this.#failures.succeeded();
    if (!this.#state.absent) {
      this.#state.absent = true;
      log.info({ kind, path }, 'the API is not installed: there are no such objects');
      this.#sink.beginList(kind);
      this.#sink.endList(kind);
      this.#sync();
    }
    return ABSENT_MS * (0.8 + 0.4 * random());
  }

  #sync(): void {
    this.#state.synced = true;
    this.#settings.onChange();
    this.#onSynced();
  }

  /** One watch, from its beginning to its end. Returns how long to wait before the next, in ms. */
  async #watch(from: string, signal: AbortSignal): Promise<number> {
    const { clock, random } = this.#settings;
    const began = clock.now();
    const seconds = Math.round(SHORTEST_WATCH_S * (1 + random()));
    this.#state.watches += 1;
    const watch = await openWatch(this.#connection, this.resource, from, seconds, signal);
    try {
      await this.#follow(watch, signal);
    } catch (error) {
      // Silence is no failure: if the connection is dead, the next watch will say so.
      if (isSilence(error)) return 0;
      // A watch that was cut was a good one before.
      if (isOutage(error) && clock.now() - began >= SHORT_MS) this.#backoff.reset();
      throw error;
    }
    const saidNothing = this.#state.resourceVersion === from;
    if (saidNothing && clock.now() - began < SHORT_MS) return this.#backoff.next();
    this.#backoff.reset();
    return 0;
  }

  async #follow(watch: AsyncIterable<Iterable<WatchEvent>>, signal: AbortSignal): Promise<void> {
    this.#contact();
    for await (const events of watch) {
      this.#contact();
      this.#turns.restart();
      for (const event of events) {
        if (this.#turns.over) await this.#turns.next();
        if (signal.aborted) return;
        this.#take(event);
        if (this.#state.resourceVersion === undefined) return;
      }
    }
  }

  #take({ type, object, resourceVersion }: WatchEvent): void {
    const { kind } = this.resource;
    const reached = this.#state.resourceVersion!;
    if (type === 'bookmark' && isOlder(resourceVersion, reached)) {
      // The server was set back: what it will say is not what follows on what we know.
      const fields = { kind, resourceVersion, reached };
      this.#settings.log.warn(fields, 'the API server has gone back in time: listing again');
      this.#state.resourceVersion = undefined;
      return;
    }
    if (type === 'put') this.#sink.put(kind, object);
    else if (type === 'remove') this.#sink.remove(kind, object);
    if (resourceVersion !== reached) {
      this.#nonsense = 0;
      this.#backoff.reset();
    }
    this.#state.resourceVersion = resourceVersion;
    this.#failures.succeeded();
    if (type !== 'bookmark') this.#settings.onChange();
  }

  /** Decides how to go on after `error`. Returns how long to wait, in ms. */
  #failed(error: unknown): number {
    const status = statusOf(error);
    this.#state.errors += 1;
    this.#state.lastError = messageOf(error);
    this.#failures.failed(error);
    if (isOutage(error)) this.#isAway = true;
    else if (status !== undefined) this.#contact();
    if (this.#state.resourceVersion !== undefined && !isOutage(error)) {
      const isAuth = status?.code === 401 || status?.code === 403;
      if (!isAuth) this.#nonsense += 1;
      // A watch that is refused as such (410, 400, 404, a resourceVersion from the future) is not asked for again.
      const isRefused = isExpired(error) || [400, 404, 504].includes(status?.code ?? 0);
      if (isRefused || this.#nonsense > 1) {
        this.#state.resourceVersion = undefined;
        this.#nonsense = 0;
      }
    }
    return Math.max(this.#backoff.next(), status?.retryAfterMs ?? 0);
  }

  async #pause(ms: number, isOutage: boolean, signal: AbortSignal): Promise<void> {
    if (!isOutage) {
      await sleep(this.#settings.clock, ms, signal);
      return;
    }
    this.#waiting = new AbortController();
    await sleep(this.#settings.clock, ms, AbortSignal.any([signal, this.#waiting.signal]));
    this.#waiting = undefined;
  }

  /** The server has said something. */
  #contact(): void {
    this.#state.lastContactMs = this.#settings.clock.now();
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#failures.succeeded();
    this.#settings.onContact();
  }
}

const isSilence = (error: unknown): boolean =>
  error instanceof SluiceError && error.cause instanceof TimeUp;
