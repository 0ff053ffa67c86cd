// SPDX-License-Identifier: Apache-2.0

/**
 * Runs a task on request, one run at a time. Requests that come while it runs make for one more run
 * behind it, however many they are.
 */
export class Reloader {
  readonly #task: (cause: string) => Promise<void>;
  #running: Promise<void> | null = null;
  #next: string | null = null;
  #stopped = false;

  /** @param task - must not reject */
  constructor(task: (cause: string) => Promise<void>) {
    this.#task = task;
  }

  request(cause: string): void {
    if (this.#stopped) return;
    this.#next = cause;
    this.#running ??= this.#run();
  }

  /** Resolves when the run under way is over; there will be no other. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#next !== null && !this.#stopped) {
      const cause = this.#next;
      this.#next = null;
      await this.#task(cause);
    }
    this.#running = null;
  }
}
