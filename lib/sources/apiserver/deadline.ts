// SPDX-License-Identifier: Apache-2.0
import type { Clock } from './clock.js';

/** The time was over. */
export class TimeUp extends Error {}

interface Destroyable {
  destroy(error: Error): unknown;
}

/** The time that an answer has; when it is over, what is guarded is destroyed. */
export class Deadline {
  readonly #clock: Clock;
  readonly #background: boolean;
  #ms: number;
  #what: string;
  #transfer: Destroyable | undefined;
  #isOver = false;
  #cancel: () => void;

  constructor(clock: Clock, ms: number, what: string, background = false) {
    this.#clock = clock;
    this.#background = background;
    this.#ms = ms;
    this.#what = what;
    this.#cancel = clock.after(ms, () => this.#over(), background);
  }

  guard(transfer: Destroyable): void {
    this.#transfer = transfer;
    if (this.#isOver) this.#over();
  }

  /** What `work` comes to, if it does in time. */
  within<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.guard({ destroy: reject });
      work.then(resolve, reject);
    });
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
    this.#isOver = true;
    this.#transfer?.destroy(new TimeUp(`${this.#what} for ${Math.round(this.#ms / 1000)} s`));
  }
}
