// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { type ErrorCode, SluiceError } from '../../lib/errors.js';

/** What went in, the path that is to blame, and words that say what would be right. */
export type Row = [input: unknown, path: string | undefined, fragment: string];

/** Registers a test for each row: `run` refuses the input with `code`, the path and those words. */
export function table(
  name: string,
  code: ErrorCode,
  rows: readonly Row[],
  run: (input: never) => unknown,
): void {
  for (const [index, [input, path, fragment]] of rows.entries()) {
    test(`${name} ${index}: ${path ?? 'as a whole'}: ${fragment}`, (t) => {
      const error = t.throws(() => run(input as never), { instanceOf: SluiceError });
      t.is(error?.code, code);
      t.is(error?.path, path);
      t.true(error?.message.includes(fragment), error?.message);
    });
  }
}
