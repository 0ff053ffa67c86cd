// SPDX-License-Identifier: Apache-2.0

/** What several rounds came to. */
export interface Spread {
  min: number;
  median: number;
  max: number;
}

/**
 * Least, median and greatest. Of an even number of values the median is the mean of the middle two.
 * @throws RangeError if there are no values
 */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('there is no spread of nothing');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle]!;
  const median = sorted.length % 2 === 1 ? upper : (sorted[middle - 1]! + upper) / 2;
  return { min: sorted[0]!, median, max: sorted.at(-1)! };
}

/** A spread for each key; rounds that lack a key count for the others. */
export function spreads<Key extends string>(
  rounds: readonly Partial<Record<Key, number>>[],
): Partial<Record<Key, Spread>> {
  const values = new Map<Key, number[]>();
  for (const round of rounds)
    for (const [key, value] of Object.entries(round) as [Key, number][])
      values.set(key, [...(values.get(key) ?? []), value]);
  const result: Partial<Record<Key, Spread>> = {};
  for (const [key, each] of values) result[key] = spread(each);
  return result;
}
