// SPDX-License-Identifier: Apache-2.0

/** etcd keeps objects of 1.5 MiB by default; a line is an object, and has a few escapes more. */
export const LONGEST_LINE = 16 * 1024 * 1024;

const NEWLINE = 0x0a;

/** Cuts chunks of bytes into lines. Bytes become text by the line, so a character is never cut. */
export class LineSplitter {
  readonly #longest: number;
  #parts: Uint8Array[] = [];
  #length = 0;

  constructor(longest = LONGEST_LINE) {
    this.#longest = longest;
  }

  /** Bytes of a line that has not ended. */
  get pending(): number {
    return this.#length;
  }

  /**
   * The lines that end in `chunk`, without their ends; empty ones are left out.
   * @throws RangeError if a line is longer than it may be
   */
  *push(chunk: Uint8Array): Generator<string> {
    let start = 0;
    while (start < chunk.length) {
      const found = chunk.indexOf(NEWLINE, start);
      const end = found < 0 ? chunk.length : found;
      this.#length += end - start;
      if (this.#length > this.#longest) {
        throw new RangeError(`a line of more than ${this.#longest} bytes`);
      }
      if (end > start) this.#parts.push(chunk.subarray(start, end));
      if (found < 0) return;
      start = found + 1;
      const line = Buffer.concat(this.#parts).toString('utf8');
      this.#parts = [];
      this.#length = 0;
      if (line.trim() !== '') yield line;
    }
  }
}
