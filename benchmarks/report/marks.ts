// SPDX-License-Identifier: Apache-2.0
// The pieces that plots are made of.
import { formatCount, formatNumber } from './number.js';
import type { Spread } from './spread.js';

const WHISKER = 4;

/** Where words stand: to the right of `x`, around it, or to its left. */
type Anchor = 'start' | 'middle' | 'end';

export function words(x: number, y: number, text: string, kind = '', anchor: Anchor = 'start') {
  const named = kind === '' ? '' : ` class="${kind}"`;
  return `<text${named} x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${escaped(text)}</text>`;
}

export function box(kind: string, x: number, y: number, width: number, height: number): string {
  return `<rect class="${kind}" x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}"/>`;
}

export function line(kind: string, x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="${kind}" x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}"/>`;
}

/** From the least to the greatest round, across a bar whose middle is at `x`. */
export function uprightWhisker(x: number, low: number, high: number): string {
  return [
    line('whisker', x, low, x, high),
    line('whisker', x - WHISKER, low, x + WHISKER, low),
    line('whisker', x - WHISKER, high, x + WHISKER, high),
  ].join('');
}

/** The same of a bar that lies. */
export function lyingWhisker(y: number, low: number, high: number): string {
  return [
    line('whisker', low, y, high, y),
    line('whisker', low, y - WHISKER, low, y + WHISKER),
    line('whisker', high, y - WHISKER, high, y + WHISKER),
  ].join('');
}

/** What is shown when the pointer rests on a bar. */
export function hint({ min, median, max }: Spread): string {
  return `<title>${formatNumber(median)} (${formatNumber(min)} to ${formatNumber(max)})</title>`;
}

/** A tick's number as it is, short. */
export function tickText(tick: number): string {
  return formatCount(Number(tick.toPrecision(6)));
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}
