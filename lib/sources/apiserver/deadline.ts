// SPDX-License-Identifier: Apache-2.0
import type { ClientRequest } from 'node:http';
import type { Clock } from './clock.js';

/** The time that an answer has; when it is over, its request is destroyed. */
export class Deadline {
  readonly #clock: Clock;
  readonly #background: boolean;
  #ms: number;
  #what: string;
  #request: ClientRequest | undefined;
  #cancel: () => void;

  constructor(clock: Clock, ms: number, what: string, background = false) {
    this.#clock = clock;
    this.#background = background;
    this.#ms = ms;
    this.#what = what;
    this.#cancel = clock.after(ms, () => this.#over(), background);
  }

  guard(request: ClientRequest): void {
    this.#request = request;
  }

  restart(ms = this.#ms, what = this.#what): void {
    this.#ms = ms;
    this.#what = what;
    this.#cancel();
    this.#cancel = this.#clock.after(ms, () => this.#over(), this.#background);
  }

  end(): void {
    this.#cancel();
  }

  #over(): void {
    this.#request?.destroy(new Error(`${this.#what} for ${Math.round(this.#ms / 1000)} s`));
  }
}
