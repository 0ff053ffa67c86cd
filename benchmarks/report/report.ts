// SPDX-License-Identifier: Apache-2.0
import type { Figure, Panel } from '../rig/case.js';
import type { Machine } from '../rig/machine.js';
import type { Spread } from './spread.js';

/** One point of a case's grid, measured. */
export interface PointReport {
  group: string;
  label: string;
  /** As they came, in order: figures by key. */
  rounds: Partial<Record<string, number>>[];
  summary: Partial<Record<string, Spread>>;
}

/** What one case came to: the JSON that is kept, and what tables and plots are made of. */
export interface CaseReport {
  case: string;
  title: string;
  measures: string;
  /** ISO 8601. */
  date: string;
  /** Short runs, few rounds, a small grid: good for a look, not for a claim. */
  quick: boolean;
  rounds: number;
  machine: Machine;
  /** Command lines, by what they are. */
  commands: Record<string, string>;
  figures: Record<string, Figure>;
  panels: Panel[];
  points: PointReport[];
  /** What was found wrong while measuring. Empty, or nothing here is worth reading. */
  faults: string[];
}
