// SPDX-License-Identifier: Apache-2.0
import type { Fields } from './fields.js';

const DNS_NAME = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/;

/** What {@link isObjectName} takes, for error messages. */
export const NAME_RULE = 'lower-case letters, digits, "-" and ".", as in "web-1"';

/** A legal name of a Kubernetes object: a DNS name of at most `max` characters. */
export function isObjectName(text: string, max: number): boolean {
  return text.length <= max && DNS_NAME.test(text);
}

/** The value of `key`, a legal name of at most `max` characters. */
export function objectName(fields: Fields, key: string, max: number): string {
  const rule = `a name of at most ${max} ${NAME_RULE}`;
  const name = fields.string(key, rule);
  if (!isObjectName(name, max)) fields.expected(key, rule);
  return name;
}

/** The key `namespace`; `default` where it is left out. */
export function namespaceName(fields: Fields): string {
  return fields.has('namespace') ? objectName(fields, 'namespace', 63) : 'default';
}
