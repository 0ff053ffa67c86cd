// SPDX-License-Identifier: Apache-2.0
import type { SelectorObject } from './schema.js';

type Labels = Readonly<Record<string, string>>;

/** `labels` has every one of `wanted`. */
export function hasLabels(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

/** A label selector of a workload; an empty one selects everything. */
export function selects(selector: SelectorObject, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  if (!hasLabels(labels, matchLabels)) return false;
  return matchExpressions.every(({ key, operator, values = [] }) => {
    const value = labels[key];
    if (operator === 'Exists') return value !== undefined;
    if (operator === 'DoesNotExist') return value === undefined;
    if (operator === 'In') return value !== undefined && values.includes(value);
    return value === undefined || !values.includes(value);
  });
}
