// SPDX-License-Identifier: Apache-2.0
import type { Bench } from './bench.js';

/** A figure of a case: a column of its table. */
export interface Figure {
  title: string;
  unit: string;
}

/** One panel of a case's plot: bars of some figures over the points of a group. */
export interface Panel {
  title: string;
  /** Which points: those of this group; left out: all. */
  group?: string;
  /** Keys of figures of one unit. */
  figures: string[];
  /** `log` for what spreads over more than one power of ten. Default: `linear`. */
  scale?: 'linear' | 'log';
  /** `rows`: bars lie, for many points with long names. Default: they stand. */
  layout?: 'bars' | 'rows';
}

/** Where in the grid a measurement stands. */
export interface Point {
  /** Heading in the table. */
  group: string;
  /** Name within the group. */
  label: string;
}

/** Figures of one round, by key; what a point does not have is left out, or NaN. */
export type Round<Key extends string> = Partial<Record<Key, number>>;

/** Rounds of several rows of the table at once, by label: where one program measures them all. */
export type Rows<Key extends string> = Map<string, Round<Key>>;

/** How much is measured. */
export interface Scale {
  /** Few points, short runs. */
  quick: boolean;
  rounds: number;
  /** Length of one measured run. */
  seconds: number;
  warmUpSeconds: number;
}

/**
 * A benchmark: a grid of points, and how to run one round of a point. Everything that a round
 * compares is run in turn within it, so that ratios are made of neighbours in time.
 */
export interface Case<P extends Point = Point, Key extends string = string> {
  /** As on the command line. */
  name: string;
  title: string;
  /** What the figures are, in a few sentences. */
  measures: string;
  figures: Record<Key, Figure>;
  panels: Panel[];
  /** Points that use the same set-up stand next to each other: it is then made once. */
  points(scale: Scale): P[];
  /** @throws Error if the round cannot be run; what was merely wrong in it goes to `bench.fault` */
  round(point: P, bench: Bench): Promise<Round<Key> | Rows<Key>>;
}

/** For the list of cases, where points differ. */
export function defineCase<P extends Point, Key extends string>(each: Case<P, Key>): Case {
  return each as unknown as Case;
}
