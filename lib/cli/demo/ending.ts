// SPDX-License-Identifier: Apache-2.0
import { setMaxListeners } from 'node:events';
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A reason to end before all is done that somebody outside has given. */
export class Interruption extends Error {
  constructor(readonly signalName: (typeof SIGNALS)[number]) {
    super(`ended by ${signalName}`);
    this.name = 'Interruption';
  }

  /** As a shell would have it: 130 for Ctrl-C. */
  get exitCode(): number {
    return 128 + constants.signals[this.signalName];
  }
}

/** Turns signals of the operating system, and a time limit, into an `AbortSignal`. */
export class Ending {
  readonly #controller = new AbortController();
  readonly #listeners = SIGNALS.map((name) => {
    // Stays until the clean-up is through, so that a second Ctrl-C does not cut it short.
    const listener = (): void => this.#controller.abort(new Interruption(name));
    process.on(name, listener);
    return { name, listener };
  });
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    // Everything under way listens to it.
    setMaxListeners(0, this.signal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the run as a failure if it is not over in time. */
  limit(milliseconds: number): void {
    this.#timer = setTimeout(
      () => this.#controller.abort(new Error(`not through after ${milliseconds / 1_000} s`)),
      milliseconds,
    );
  }

  /** From here on signals do what they do by themselves. */
  dispose(): void {
    clearTimeout(this.#timer);
    for (const { name, listener } of this.#listeners) process.off(name, listener);
  }
}
