// SPDX-License-Identifier: Apache-2.0
import type { CheckedChanges, CheckedSection } from '../model/checked.js';

/**
 * What a section changes, or may change: of a whole list everything that is on it is put.
 * @param present - by key
 */
export function changesOf<T>(
  section: CheckedSection<T>,
  present: ReadonlyMap<string, unknown>,
  keyOf: (member: T) => string,
): CheckedChanges<T> {
  if ('put' in section) return section;
  const wanted = new Set(section.map(keyOf));
  return { put: section, removed: [...present.keys()].filter((key) => !wanted.has(key)) };
}
