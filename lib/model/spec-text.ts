// SPDX-License-Identifier: Apache-2.0
import { type ErrorCode, SluiceError } from '../errors.js';
import { join, show, unknownKey } from './explain.js';

/**
 * Reads the `key=value,key=value` tail of a specification in text.
 * @param repeatable - keys that may be given more than once
 * @returns the values of every key that was given, in order
 */
export function readPairs(
  parts: readonly string[],
  path: string,
  code: ErrorCode,
  known: readonly string[],
  repeatable: readonly string[] = [],
): Map<string, string[]> {
  const pairs = new Map<string, string[]>();
  for (const part of parts) {
    const equals = part.indexOf('=');
    if (equals < 1) {
      throw new SluiceError(code, `expected KEY=VALUE, found ${show(part)}`, { path });
    }
    const key = part.slice(0, equals);
    const value = part.slice(equals + 1);
    if (!known.includes(key)) {
      throw new SluiceError(code, unknownKey(key, known), { path: join(path, key) });
    }
    if (value === '') {
      throw new SluiceError(code, `expected a value behind "${key}="`, { path: join(path, key) });
    }
    const values = pairs.get(key);
    if (values === undefined) pairs.set(key, [value]);
    else if (repeatable.includes(key)) values.push(value);
    else {
      const message = `${key} is given twice: ${show(values[0])} and ${show(value)}`;
      throw new SluiceError(code, message, { path: join(path, key) });
    }
  }
  return pairs;
}
