// SPDX-License-Identifier: Apache-2.0
import { type ErrorCode, SluiceError } from '../errors.js';
import { join, show, unknownKey, unknownWord } from './explain.js';

/**
 * Reads the keys of one untrusted object. Every refusal carries the exact path of the value, what
 * was found there, and what would be right. A key whose value is `undefined` counts as left out.
 */
export class Fields {
  readonly path: string;
  readonly code: ErrorCode;
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #pathOf: ((key: string) => string) | undefined;

  /**
   * @param known - every key that there may be
   * @param pathOf - how a key is named in errors; default `path.key`
   */
  constructor(
    value: unknown,
    path: string,
    code: ErrorCode,
    known: readonly string[],
    pathOf?: (key: string) => string,
  ) {
    this.path = path;
    this.code = code;
    this.#pathOf = pathOf;
    if (!isPlainObject(value)) {
      throw new SluiceError(
        code,
        `expected an object with ${known.join(', ')}, found ${show(value)}`,
        path === '' ? {} : { path: path.replace(/: $/, '') },
      );
    }
    this.#object = value;
    for (const key of Object.keys(value)) {
      if (!known.includes(key) && value[key] !== undefined) this.fail(key, unknownKey(key, known));
    }
  }

  has(key: string): boolean {
    return this.value(key) !== undefined;
  }

  /** The value as it is; inherited properties do not count. */
  value(key: string): unknown {
    const value = this.#object[key];
    return value === undefined || !Object.hasOwn(this.#object, key) ? undefined : value;
  }

  pathOf(key: string): string {
    return this.#pathOf === undefined ? join(this.path, key) : this.#pathOf(key);
  }

  fail(key: string, message: string): never {
    throw new SluiceError(this.code, message, { path: this.pathOf(key) });
  }

  /** Refuses the value of `key`: `expected WHAT, found VALUE`. */
  expected(key: string, what: string): never {
    return this.fail(key, `expected ${what}, found ${show(this.value(key))}`);
  }

  /** @param what - describes a right value, e.g. `a name of 1 to 15 characters` */
  string(key: string, what: string): string {
    const value = this.value(key);
    if (typeof value !== 'string' || value === '') this.expected(key, what);
    return value as string;
  }

  integer(key: string, min: number, max: number, what = 'a whole number'): number {
    const value = this.value(key);
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      this.expected(key, `${what} from ${count(min)} to ${count(max)}`);
    }
    return value as number;
  }

  boolean(key: string): boolean {
    const value = this.value(key);
    if (typeof value !== 'boolean') this.expected(key, 'true or false');
    return value as boolean;
  }

  oneOf<T extends string>(key: string, words: readonly T[]): T {
    const value = this.value(key);
    if (!words.includes(value as T)) this.fail(key, unknownWord(value, words));
    return value as T;
  }

  /** @param what - the items, e.g. `zones` */
  strings(key: string, what: string): readonly string[] {
    return this.list(key, what).map((item, index) => {
      if (typeof item === 'string' && item !== '') return item;
      const message = `expected a text, found ${show(item)}`;
      throw new SluiceError(this.code, message, { path: `${this.pathOf(key)}[${index}]` });
    });
  }

  /** @param what - the items, e.g. `addresses` */
  list(key: string, what: string): readonly unknown[] {
    const value = this.value(key);
    if (!Array.isArray(value)) this.expected(key, `a list of ${what}`);
    return value as readonly unknown[];
  }
}

/** An object made by a literal, a parser, or a class; no list and not `null`. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
