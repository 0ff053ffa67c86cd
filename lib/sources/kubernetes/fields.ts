// SPDX-License-Identifier: Apache-2.0
import {
  canonicalAddress,
  isMartian,
  parseAddress,
  UNICAST_RULE,
  writeIpv4,
} from '../../model/address.js';
import { isObjectName } from '../../model/check-name.js';
import { show, unknownWord } from '../../model/explain.js';
import { isPlainObject } from '../../model/fields.js';
import { ObjectMistake } from './object-mistake.js';
import { canonicalNetwork } from './schema.js';

/**
 * Reads fields of the kinds of object that come by the ten thousand, where a schema takes too long. The
 * rules and the words are those of the schemas: loose on fields that are not known, strict on those that
 * are read, and a `null` is a field that is left out. Where a mistake is, is worked out on its way up.
 */
export type Raw = Readonly<Record<string, unknown>>;

const NONE: readonly never[] = Object.freeze([]);
const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({});

export function refuse(key: PropertyKey, message: string): never {
  throw new ObjectMistake([key], message);
}

function refuseValue(key: PropertyKey, what: string, value: unknown): never {
  return refuse(key, `expected ${what}, found ${show(value)}`);
}

export function asObject(value: unknown, what: string): Raw {
  if (isPlainObject(value)) return value;
  throw new ObjectMistake([], `expected ${what}, found ${show(value)}`);
}

/** What `read` makes of the value of `key`, which must be there. */
export function within<T>(object: Raw, key: string, read: (value: unknown) => T): T {
  try {
    return read(object[key] ?? undefined);
  } catch (error) {
    throw below(error, [key]);
  }
}

/** As {@link within}; `undefined` where it is left out. */
export function maybe<T>(object: Raw, key: string, read: (value: unknown) => T): T | undefined {
  return isLeftOut(object, key) ? undefined : within(object, key, read);
}

/** What `read` makes of each of the items of `key`; none where it is left out. */
export function list<T>(
  object: Raw,
  key: string,
  what: string,
  read: (value: unknown) => T,
): readonly T[] {
  const values = object[key] ?? NONE;
  if (!Array.isArray(values)) refuseValue(key, `a list of ${what}`, values);
  if (values.length === 0) return NONE;
  const items: T[] = [];
  try {
    for (const value of values) items.push(read(value));
  } catch (error) {
    throw below(error, [key, items.length]);
  }
  return items;
}

function below(error: unknown, parts: readonly PropertyKey[]): unknown {
  if (!(error instanceof ObjectMistake)) return error;
  return new ObjectMistake([...parts, ...error.parts], error.message);
}

export function isLeftOut(object: Raw, key: string): boolean {
  return object[key] === undefined || object[key] === null;
}

/** @param otherwise - what it is where it is left out; `undefined`: it must not be */
export function text(object: Raw, key: string, what: string, otherwise?: string): string {
  const value = object[key] ?? otherwise;
  return typeof value === 'string' ? value : refuseValue(key, what, value);
}

export function flag(object: Raw, key: string, otherwise: boolean): boolean {
  const value = object[key] ?? otherwise;
  return typeof value === 'boolean' ? value : refuseValue(key, 'true or false', value);
}

export function wholeNumber(
  object: Raw,
  key: string,
  what: string,
  [min, max]: readonly [number, number],
  otherwise?: number,
): number {
  const value = object[key] ?? otherwise;
  if (Number.isSafeInteger(value)) {
    const number = value as number;
    if (number >= min && number <= max) return number;
  }
  return refuseValue(key, `${what} from ${min} to ${max}`, value);
}

export function oneOf<const T extends string>(
  object: Raw,
  key: string,
  words: readonly T[],
  otherwise?: T,
): T {
  const value = object[key] ?? otherwise;
  return words.includes(value as T) ? (value as T) : refuse(key, unknownWord(value, words));
}

const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;

export function protocol(object: Raw): (typeof PROTOCOLS)[number] {
  return oneOf(object, 'protocol', PROTOCOLS, 'TCP');
}

const PORT_NAME = 'a name of lower-case letters, digits and "-"';

/** Empty: none. */
export function portName(object: Raw): string {
  const name = text(object, 'name', 'a name', '');
  return name === '' || isObjectName(name, 63) ? name : refuseValue('name', PORT_NAME, name);
}

const IPV4 = new Uint8Array(16);

/**
 * The canonical text of an address that something of ours may have.
 * @param words - what may stand in its place
 * @throws ObjectMistake of the value itself
 */
export function address(value: unknown, what: string, words: readonly string[] = NONE): string {
  if (typeof value === 'string') {
    if (words.includes(value)) return value;
    // As most of them are written.
    if (writeIpv4(value, IPV4, 0) && !isMartian(IPV4)) return value;
    const canonical = canonicalAddress(value);
    if (canonical !== null) {
      if (!isMartian(parseAddress(canonical)!)) return canonical;
      throw new ObjectMistake([], `expected ${UNICAST_RULE}, found ${show(canonical)}`);
    }
  }
  throw new ObjectMistake([], `expected ${what}, found ${show(value)}`);
}

/** A network in canonical form. @throws ObjectMistake of the value itself */
export function network(value: unknown, what: string): string {
  const canonical = typeof value === 'string' ? canonicalNetwork(value) : null;
  if (canonical !== null) return canonical;
  throw new ObjectMistake([], `expected ${what}, found ${show(value)}`);
}

export function labels(object: Raw, key: string): Readonly<Record<string, string>> {
  const given = object[key] ?? NO_LABELS;
  if (!isPlainObject(given)) return refuseValue(key, 'an object of labels', given);
  let isWhole = true;
  for (const label of Object.keys(given)) {
    const value = given[label];
    if (value === null || value === undefined) isWhole = false;
    else if (typeof value !== 'string') {
      const what = 'a text (quote numbers and booleans)';
      throw new ObjectMistake([key, label], `expected ${what}, found ${show(value)}`);
    }
  }
  // Both ways a key such as __proto__ is one as any other.
  if (isWhole) return { ...(given as Record<string, string>) };
  return Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string] => entry[1] != null),
  );
}

export interface Metadata {
  name: string;
  namespace: string;
  labels: Readonly<Record<string, string>>;
}

const NAME_RULE = 'a name of lower-case letters, digits, "-" and "."';
const NAMESPACE_RULE = 'the name of a namespace';

export function metadata(object: Raw): Metadata {
  return within(object, 'metadata', (value) => {
    const raw = asObject(value, 'an object with the name');
    const name = text(raw, 'name', NAME_RULE);
    if (!isObjectName(name, 253)) refuseValue('name', NAME_RULE, name);
    const namespace = text(raw, 'namespace', NAMESPACE_RULE, 'default');
    if (!isObjectName(namespace, 63)) refuseValue('namespace', NAMESPACE_RULE, namespace);
    return { name, namespace, labels: labels(raw, 'labels') };
  });
}
