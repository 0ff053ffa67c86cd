// SPDX-License-Identifier: Apache-2.0
import { messageOf } from '../../lib/cli/control/protocol.js';
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
  for (const point of each.points(bench.scale))
    points.push(...(await runPoint(each, point, bench, say)));
  await bench.endAgentRig();
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

/** One report, or one for each row of the point. */
async function runPoint(
  each: Case,
  point: Point,
  bench: Bench,
  say: (what: string) => void,
): Promise<PointReport[]> {
  const { group, label } = point;
  const where = `${group}, ${label}`;
  const measured = new Map<string, Round<string>[]>();
  bench.nextPoint();
  for (let round = 1; round <= bench.scale.rounds; round++) {
    say(`${where}: round ${round} of ${bench.scale.rounds}`);
    try {
      const outcome = await each.round(point, bench);
      const rows = outcome instanceof Map ? outcome : new Map([[label, outcome]]);
      for (const [row, found] of rows)
        measured.set(row, [...(measured.get(row) ?? []), finite(found)]);
    } catch (error) {
      bench.fault(`${where}: ${messageOf(error)}`);
      // What stands may be what is broken.
      await bench.endSluices();
      await bench.endAgentRig();
      break;
    }
  }
  return [...measured].map(([row, rounds]) => ({
    ...{ group, label: row, rounds },
    summary: spreads(rounds),
  }));
}

function finite(round: Round<string>): Round<string> {
  return Object.fromEntries(Object.entries(round).filter(([, value]) => Number.isFinite(value)));
}
