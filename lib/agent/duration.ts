// SPDX-License-Identifier: Apache-2.0

const MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** Durations as Go writes them, without a sign: `30s`, `1m30s`, `1.5h`, `10ms`, `0`. */
export const DURATION_PATTERN = '^(0|(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$';

const WHOLE = new RegExp(DURATION_PATTERN, 'u');

/**
 * Reads a duration as Go's `time.ParseDuration` does, without a sign.
 * @returns milliseconds, or `null` if it is no duration
 */
export function parseDuration(text: string): number | null {
  if (!WHOLE.test(text)) return null;
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/([0-9.]+)([a-zµμ]+)/gu))
    ms += Number(count) * MS[unit!]!;
  // Decimal fractions of units add up to the nanosecond.
  return Math.round(ms * 1e6) / 1e6;
}
