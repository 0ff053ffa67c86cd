// SPDX-License-Identifier: Apache-2.0

/** `"tpc"`, `70000`, `a list`, `nothing`: what was found, short enough for an error message. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'function') return 'a function';
  return String(value);
}

/** `a`, `a or b`, `a, b or c`. */
export function listOf(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words[words.length - 1]}`;
}

/** The candidate that `word` was probably meant to be, or `null` where none is near. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const lower = word.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const other = candidate.toLowerCase();
    const related = lower.length > 2 && (other.startsWith(lower) || lower.startsWith(other));
    const distance = related ? 1 : editDistance(lower, other);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Says that a key is unknown, which key was probably meant, and which ones there are. */
export function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  const hint = meant === null ? '' : `; did you mean ${meant}?`;
  return `unknown key ${show(key)}${hint} (known: ${known.join(', ')})`;
}

/** Says that a word is none of the known ones, and which one was probably meant. */
export function unknownWord(value: unknown, known: readonly string[]): string {
  const meant = typeof value === 'string' ? nearest(value, known) : null;
  const hint = meant === null ? '' : `; did you mean ${meant}?`;
  return `expected ${listOf(known)}, found ${show(value)}${hint}`;
}

/** `services` and `[2]` make `services[2]`; an empty base makes the key alone. */
export function join(base: string, key: string): string {
  if (base === '') return key;
  return base.endsWith(' ') ? `${base}${key}` : `${base}.${key}`;
}

/** Optimal string alignment distance: a swap of two neighbours counts as one mistake. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, before[j - 2]! + 1);
      }
      current.push(cost);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length]!;
}
