// SPDX-License-Identifier: Apache-2.0
import type { WatchedKind } from './watched.js';

/** Something that the objects ask for and that is not served. */
export interface TranslationWarning {
  kind: Exclude<WatchedKind, 'Namespace'>;
  /** Empty where the kind has none. */
  namespace: string;
  name: string;
  message: string;
}

/** What is wrong where a Service has no cluster IP of the family of another of its addresses. */
export function lacksFamily(family: string): string {
  return `it has no ${family} cluster IP`;
}

/** Whether a warning says so. */
export function isOfOtherFamily({ kind, message }: TranslationWarning): boolean {
  return kind === 'Service' && ['IPv4', 'IPv6'].some((each) => message.endsWith(lacksFamily(each)));
}

/** `Service shop/cart: MESSAGE`. */
export function warningText({ kind, namespace, name, message }: TranslationWarning): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}: ${message}`;
}
