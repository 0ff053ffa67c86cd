// SPDX-License-Identifier: Apache-2.0

export interface Names {
  readonly namespace: string;
  readonly name: string;
}

type Named = { metadata: Names };

/** In the order of code points, so that locales do not matter. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By namespace and name. */
export function compareNames(a: Names, b: Names): number {
  return compareTexts(a.namespace, b.namespace) || compareTexts(a.name, b.name);
}

/** By namespace and name. */
export function sorted<T extends Named>(objects: readonly T[]): T[] {
  return [...objects].sort((a, b) => compareNames(a.metadata, b.metadata));
}

/** `namespace/name`. */
export function keyOf({ metadata }: Named): string {
  return `${metadata.namespace}/${metadata.name}`;
}
