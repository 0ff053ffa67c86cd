// SPDX-License-Identifier: Apache-2.0
import type { Spread } from './spread.js';

/** The vertical axis of a panel. */
export interface Axis {
  ticks: number[];
  /** Where a value lies: 0 at the bottom, 1 at the top. */
  share(value: number): number;
}

const WANTED_TICKS = 5;

/** An axis that holds all values: from 0, or between powers of ten. */
export function axisOf(spreads: readonly Spread[], scale: 'linear' | 'log'): Axis {
  const most = Math.max(...spreads.map(({ max }) => max), 0) || 1;
  if (scale === 'linear') return linearAxis(most);
  const positive = spreads.map(({ min }) => min).filter((min) => min > 0);
  return logAxis(Math.min(...positive, most), most);
}

function linearAxis(most: number): Axis {
  const step = roundStep(most / WANTED_TICKS);
  const count = Math.ceil(most / step);
  const top = count * step;
  const ticks = Array.from({ length: count + 1 }, (_, index) => index * step);
  return { ticks, share: (value) => value / top };
}

function logAxis(least: number, most: number): Axis {
  const bottom = Math.floor(Math.log10(least));
  const top = Math.max(Math.ceil(Math.log10(most)), bottom + 1);
  const ticks = Array.from({ length: top - bottom + 1 }, (_, index) => 10 ** (bottom + index));
  const share = (value: number): number =>
    value <= 0 ? 0 : Math.max(0, (Math.log10(value) - bottom) / (top - bottom));
  return { ticks, share };
}

/** The next 1, 2 or 5 times a power of ten. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((digit) => digit * power >= least) ?? 10);
}
