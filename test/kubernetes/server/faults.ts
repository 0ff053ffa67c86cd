// SPDX-License-Identifier: Apache-2.0
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Which requests something is to happen to. */
export interface RequestFilter {
  method?: string;
  /** The path without its query begins so, or fits. */
  path?: string | RegExp;
  watch?: boolean;
}

/** What goes wrong with the requests that it fits. All times are in milliseconds. */
export interface Fault extends RequestFilter {
  /** How many requests it happens to; all, if left out. */
  times?: number;
  delayMs?: number;
  /** The answer is a Status with this code. Of 410, its reason is Expired. */
  status?: number;
  retryAfterSeconds?: number;
  /** The body, as it is, whatever it is. */
  body?: string;
  /** The body goes in pieces of so many bytes. */
  chunkBytes?: number;
  /** Between two pieces. */
  everyMs?: number;
  /** What is written within this time goes in one chunk. */
  coalesceMs?: number;
  /** After so many bytes of the body the connection is destroyed. */
  cutAfterBytes?: number;
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly isWatch: boolean;
}

export function fits(filter: RequestFilter, { method, path, isWatch }: SeenRequest): boolean {
  return (
    (filter.method === undefined || filter.method === method) &&
    (filter.watch === undefined || filter.watch === isWatch) &&
    (filter.path === undefined ||
      (typeof filter.path === 'string' ? path.startsWith(filter.path) : filter.path.test(path)))
  );
}

/** The faults of a server. */
export class Faults {
  readonly #faults = new Set<{ fault: Fault; left: number }>();

  /** @returns Takes it away. */
  add(fault: Fault): () => void {
    const entry = { fault, left: fault.times ?? Number.POSITIVE_INFINITY };
    this.#faults.add(entry);
    return () => this.#faults.delete(entry);
  }

  clear(): void {
    this.#faults.clear();
  }

  /** The fault of a request: the first that fits it. */
  of(request: SeenRequest): Fault | undefined {
    for (const entry of this.#faults) {
      if (!fits(entry.fault, request)) continue;
      entry.left -= 1;
      if (entry.left <= 0) this.#faults.delete(entry);
      return entry.fault;
    }
    return undefined;
  }
}

/** Writes the body of a response, in the way that a fault wants it. */
export class Outlet {
  readonly #response: ServerResponse;
  readonly #fault: Fault;
  readonly #isPlain: boolean;
  #queue: Buffer[] = [];
  #isEnding = false;
  #isPumping = false;
  #written = 0;

  constructor(response: ServerResponse, fault: Fault = {}) {
    this.#response = response;
    this.#fault = fault;
    this.#isPlain =
      fault.chunkBytes === undefined &&
      fault.cutAfterBytes === undefined &&
      fault.coalesceMs === undefined;
  }

  write(text: string | Buffer): void {
    if (this.#isPlain) {
      this.#response.write(text);
      return;
    }
    this.#queue.push(Buffer.from(text));
    void this.#pump();
  }

  end(): void {
    this.#isEnding = true;
    if (this.#isPlain) this.#response.end();
    else void this.#pump();
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    const { chunkBytes = Number.POSITIVE_INFINITY, everyMs = 0, coalesceMs = 0 } = this.#fault;
    while (this.#queue.length > 0 && !this.#response.destroyed) {
      if (coalesceMs > 0) await sleep(coalesceMs);
      const bytes = Buffer.concat(this.#queue);
      this.#queue = [];
      for (let at = 0; at < bytes.length && !this.#response.destroyed; at += chunkBytes) {
        if (!this.#send(bytes.subarray(at, at + chunkBytes))) return;
        // Each piece in a segment of its own.
        await (everyMs > 0 ? sleep(everyMs) : new Promise(setImmediate));
        if (chunkBytes === Number.POSITIVE_INFINITY) break;
      }
    }
    this.#isPumping = false;
    if (this.#isEnding) this.#response.end();
  }

  #send(piece: Buffer): boolean {
    const left = (this.#fault.cutAfterBytes ?? Number.POSITIVE_INFINITY) - this.#written;
    if (piece.length < left) {
      this.#written += piece.length;
      this.#response.write(piece);
      return true;
    }
    // What was written must leave before the connection goes.
    this.#response.write(piece.subarray(0, left), () => this.#response.destroy());
    return false;
  }
}
