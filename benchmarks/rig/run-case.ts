// SPDX-License-Identifier: Apache-2.0
import type { CaseReport, PointReport } from '../report/report.js';
import { spreads } from '../report/spread.js';
import type { Bench } from './bench.js';
import type { Case, Point, Round } from './case.js';
import type { Machine } from './machine.js';

/**
 * Measures all points of a case. Whatever goes wrong is in the report's faults; what was measured
 * until then is there.
 */
export async function runCase(
  each: Case,
  bench: Bench,
  machine: Machine,
  say: (what: string) => void,
): Promise<CaseReport> {
  bench.commands.clear();
  bench.faults.clear();
  const { name, title, measures, figures, panels } = each;
  const points: PointReport[] = [];
  const grid = each.points(bench.scale);
  if (grid.length === 0) bench.fault('there is nothing to measure: a program has not been built');
  for (const point of grid) {
    const rounds = await runPoint(each, point, bench, say);
    const { group, label } = point;
    if (rounds.length > 0) points.push({ group, label, rounds, summary: spreads(rounds) });
  }
  return {
    case: name,
    title,
    measures,
    date: new Date().toISOString(),
    quick: bench.scale.quick,
    rounds: bench.scale.rounds,
    machine,
    commands: Object.fromEntries(bench.commands),
    figures,
    panels,
    points,
    faults: [...bench.faults],
  };
}

async function runPoint(
  each: Case,
  point: Point,
  bench: Bench,
  say: (what: string) => void,
): Promise<Round<string>[]> {
  const where = `${point.group}, ${point.label}`;
  const rounds: Round<string>[] = [];
  bench.nextPoint();
  for (let round = 1; round <= bench.scale.rounds; round++) {
    say(`${where}: round ${round} of ${bench.scale.rounds}`);
    try {
      rounds.push(finite(await each.round(point, bench)));
    } catch (error) {
      bench.fault(`${where}: ${error instanceof Error ? error.message : String(error)}`);
      // What stands may be what is broken.
      await bench.endSluices();
      break;
    }
  }
  return rounds;
}

function finite(round: Round<string>): Round<string> {
  return Object.fromEntries(Object.entries(round).filter(([, value]) => Number.isFinite(value)));
}
