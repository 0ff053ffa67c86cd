// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import {
  canonicalAddress,
  formatPrefix,
  isMartian,
  networkOf,
  parseAddress,
  parsePrefix,
  UNICAST_RULE,
} from '../../model/address.js';
import { isObjectName } from '../../model/check-name.js';
import { show, unknownWord } from '../../model/explain.js';

/**
 * What the schemas of Kubernetes objects are made of. They leave out fields that are not known,
 * because Kubernetes adds fields, and are strict on those that are read. Defaults are those that the API server
 * fills in.
 */

/** Says what was found under a schema's own words on what is expected. */
export const expected = (what: string) => ({
  error: (issue: { input?: unknown }) => `expected ${what}, found ${show(issue.input)}`,
});

export const oneOf = <const T extends readonly [string, ...string[]]>(words: T) =>
  z.enum(words, { error: (issue) => unknownWord(issue.input, words) });

export const text = (what: string) => z.string(expected(what));

export const listOf = <T extends z.ZodType>(item: T, what: string) =>
  z.array(item, expected(`a list of ${what}`)).default([]);

export const objectOf = <T extends z.ZodRawShape>(shape: T, what: string) =>
  z.object(shape, expected(what));

export const wholeNumber = (what: string, min: number, max: number) => {
  const rule = `${what} from ${min} to ${max}`;
  return z.int(expected(rule)).min(min, expected(rule)).max(max, expected(rule));
};

/**
 * An address in canonical form.
 * @param words - what may stand in place of an address
 */
export const address = (what: string, words: readonly string[] = []) =>
  text(what).transform((value, context) => {
    if (words.includes(value)) return value;
    const canonical = canonicalAddress(value);
    const message =
      canonical === null ? `expected ${what}, found ${show(value)}` : martian(canonical);
    if (message === null) return canonical!;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

/** A network in canonical form; host bits and spaces around it are nothing. */
export const network = (what: string) =>
  text(what).transform((value, context) => {
    const canonical = canonicalNetwork(value);
    if (canonical !== null) return canonical;
    context.addIssue({ code: 'custom', message: `expected ${what}, found ${show(value)}` });
    return z.NEVER;
  });

/** The network that is meant, or `null`. */
export function canonicalNetwork(value: string): string | null {
  const [head = '', ...rest] = value.trim().split('/');
  const canonical = canonicalAddress(head);
  const prefix = canonical === null ? null : parsePrefix([canonical, ...rest].join('/'));
  return prefix === null ? null : formatPrefix(networkOf(prefix));
}

/** What is wrong with a canonical address as one of ours, or `null`. */
export function martian(canonical: string): string | null {
  const bytes = parseAddress(canonical)!;
  return isMartian(bytes) ? `expected ${UNICAST_RULE}, found ${show(canonical)}` : null;
}

export const protocol = oneOf(['TCP', 'UDP', 'SCTP']).default('TCP');

export const portName = text('a name').refine(
  (name) => name === '' || isObjectName(name, 63),
  expected('a name of lower-case letters, digits and "-"'),
);

export const labels = z
  .record(z.string(), text('a text (quote numbers and booleans)'), expected('an object of labels'))
  .default({});

const NAME_RULE = 'a name of lower-case letters, digits, "-" and "."';

export const metadata = objectOf(
  {
    name: text(NAME_RULE).refine((name) => isObjectName(name, 253), expected(NAME_RULE)),
    namespace: text('the name of a namespace')
      .refine((name) => isObjectName(name, 63), expected('the name of a namespace'))
      .default('default'),
    labels,
  },
  'an object with the name',
);
