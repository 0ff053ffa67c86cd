// SPDX-License-Identifier: Apache-2.0

/** A figure with three significant digits, and no exponent. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return String(Math.round(value));
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** `1`, `10k`, `4M`, `1G`: counts that are round. */
export function formatCount(count: number): string {
  if (count >= 1e9 && count % 1e9 === 0) return `${count / 1e9}G`;
  if (count >= 1_000_000 && count % 1_000_000 === 0) return `${count / 1_000_000}M`;
  if (count >= 1_000 && count % 1_000 === 0) return `${count / 1_000}k`;
  return String(count);
}
