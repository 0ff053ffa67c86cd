// SPDX-License-Identifier: Apache-2.0

/** Equal content. Models are plain values; this runs over hundreds of thousands of them. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || ArrayBuffer.isView(a)) {
    const [x, y] = [a as ArrayLike<unknown>, b as ArrayLike<unknown>];
    if (x.length !== y.length) return false;
    for (let i = 0; i < x.length; i++) if (!same(x[i], y[i])) return false;
    return true;
  }
  let more = 0;
  for (const key in a) {
    if (!same(a[key as keyof typeof a], b[key as keyof typeof b])) return false;
    more++;
  }
  for (const _ in b) more--;
  return more === 0;
}
