// SPDX-License-Identifier: Apache-2.0
import type { HttpListener } from './http-listener.js';

/** kube-proxy's own pause. */
const RETRY_MS = 5_000;

/**
 * Opens a server as soon as it can be: an address that is taken, or not there yet, is tried again
 * until it is free. That kube-proxy does, too, unless `bindAddressHardFail` says otherwise.
 */
export class KeptListener {
  readonly #open: () => Promise<HttpListener>;
  readonly #failed: (error: unknown) => void;
  readonly #retryMs: number;
  #listener: HttpListener | null = null;
  #attempt: Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param failed - told of each attempt that failed */
  constructor(
    open: () => Promise<HttpListener>,
    failed: (error: unknown) => void,
    retryMs: number = RETRY_MS,
  ) {
    this.#open = open;
    this.#failed = failed;
    this.#retryMs = retryMs;
    this.#attempt = this.#try();
  }

  /** `null`: not open yet. */
  get port(): number | null {
    return this.#listener?.port ?? null;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#attempt;
    await this.#listener?.close();
    this.#listener = null;
  }

  async #try(): Promise<void> {
    try {
      this.#listener = await this.#open();
    } catch (error) {
      if (this.#closed) return;
      this.#timer = setTimeout(() => {
        this.#attempt = this.#try();
      }, this.#retryMs).unref();
      this.#failed(error);
    }
  }
}
