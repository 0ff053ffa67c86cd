// SPDX-License-Identifier: Apache-2.0

interface Duty {
  what: string;
  undo: () => Promise<void> | void;
  atExit: (() => void) | undefined;
}

const UNDO_TIMEOUT_MS = 15_000;

/**
 * What has to be undone, last made first undone. If the process ends before {@link run} was
 * through, what can be undone synchronously still is.
 */
export class Cleanup {
  readonly #duties: Duty[] = [];
  readonly #onExit = (): void => {
    for (const { atExit } of this.#duties.toReversed()) {
      try {
        atExit?.();
      } catch {
        // The process is going: there is nobody left to tell.
      }
    }
  };

  constructor() {
    process.on('exit', this.#onExit);
  }

  /**
   * @param what - for messages: `namespace sluice-12-web-1`
   * @param undo - rejects if it could not be undone
   * @param atExit - the synchronous short form, for a process that ends without warning
   */
  defer(what: string, undo: () => Promise<void> | void, atExit?: () => void): void {
    this.#duties.push({ what, undo, atExit });
  }

  /** Undoes everything, whatever fails. @returns a sentence for each thing that is left behind */
  async run(): Promise<string[]> {
    const left: string[] = [];
    for (let duty = this.#duties.at(-1); duty !== undefined; duty = this.#duties.at(-1)) {
      try {
        await withinTime(duty.undo());
      } catch (error) {
        left.push(`${duty.what}: ${error instanceof Error ? error.message : String(error)}`);
        duty.atExit?.();
      }
      this.#duties.pop();
    }
    process.off('exit', this.#onExit);
    return left;
  }
}

async function withinTime(work: Promise<void> | void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`still there after ${UNDO_TIMEOUT_MS / 1000} s`)),
      UNDO_TIMEOUT_MS,
    );
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
