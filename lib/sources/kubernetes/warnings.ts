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

/** `Service shop/cart: MESSAGE`. */
export function warningText({ kind, namespace, name, message }: TranslationWarning): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}: ${message}`;
}
