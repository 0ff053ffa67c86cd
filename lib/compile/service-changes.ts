// SPDX-License-Identifier: Apache-2.0
import { type CheckedSection, type CheckedService, serviceKey } from '../model/checked.js';
import { same } from './same.js';
import { changesOf } from './section.js';

/** A service that is new, changed or gone. */
export interface ServiceChange {
  readonly key: string;
  readonly before: CheckedService | undefined;
  readonly after: CheckedService | undefined;
  /** Of `after` in what was given, for errors. */
  readonly path: string;
}

/**
 * What a section changes: those that go first, then those that come or change, in the order in which
 * they were given.
 * @param present - by key
 */
export function readServices(
  section: CheckedSection<CheckedService> | undefined,
  present: ReadonlyMap<string, { readonly checked: CheckedService }>,
): ServiceChange[] {
  if (section === undefined) return [];
  const { put, removed } = changesOf(section, present, serviceKey);
  const where = 'put' in section ? 'services.put' : 'services';
  const changes: ServiceChange[] = [];
  for (const key of removed) {
    const before = present.get(key)?.checked;
    if (before !== undefined) changes.push({ key, before, after: undefined, path: '' });
  }
  for (const [index, after] of put.entries()) {
    const key = serviceKey(after);
    const before = present.get(key)?.checked;
    if (before !== undefined && same(before, after)) continue;
    changes.push({ key, before, after, path: `${where}[${index}]` });
  }
  return changes;
}
