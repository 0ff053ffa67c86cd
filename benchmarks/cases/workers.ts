// SPDX-License-Identifier: Apache-2.0

import type { Spread } from '../report/spread.js';
import type { Case, Point } from '../rig/case.js';
import { runProgram } from '../rig/programs.js';

type Key = 'one' | 'two' | 'ratio' | 'busy' | 'lines' | 'own' | 'others';

/** What `workers_bench` prints. */
interface WorkersReport {
  contention: {
    name: string;
    packets: number;
    linesPerPacket: Record<string, number>;
    all: number;
  }[];
  scaling: ({ name: string } & Record<'one' | 'all' | 'ratio' | 'busy', Spread>)[];
}

const WORKERS = 2;
/** Share of the time that each worker must have had its CPU. */
const LEAST_BUSY = 0.9;

export const workers: Case<Point, Key> = {
  name: 'workers',
  title: 'One worker and two',
  measures:
    'Packets a second of CPU time through the stages of one worker, and of two that run side by side on their own CPUs and share all tables; the generator is in the workers. `split`: each has flows of its own, as RSS gives them; `all`: both have all flows. Then the cache lines of what workers share that one packet writes: of its own flow’s entry, and others.',
  figures: {
    one: { title: 'one', unit: 'Mpps' },
    two: { title: 'two', unit: 'Mpps' },
    ratio: { title: 'two of one', unit: '' },
    busy: { title: 'ran side by side', unit: '' },
    lines: { title: 'shared lines written', unit: '' },
    own: { title: 'of the own entry', unit: '' },
    others: { title: 'of others', unit: '' },
  },
  panels: [
    { title: 'Packets', group: 'scaling', figures: ['one', 'two'], layout: 'rows' },
    {
      title: 'Shared cache lines that a packet writes',
      group: 'contention',
      figures: ['own', 'others'],
      layout: 'rows',
    },
  ],
  points: () => [
    { group: 'scaling', label: 'all' },
    { group: 'contention', label: 'all' },
  ],
  async round({ group }, bench) {
    const { quick, seconds } = bench.scale;
    const args = [`--workers=${WORKERS}`, '--rounds=1', `--seconds=${seconds / 2}`];
    const report = (await runProgram(bench, 'workers_bench', [
      ...(quick ? ['--quick'] : []),
      ...args,
    ])) as WorkersReport;
    if (group === 'contention') return contentionOf(report);
    for (const { name, busy } of report.scaling)
      if (busy.min < LEAST_BUSY)
        bench.fault(
          `${name}: a worker had its CPU for ${Math.round(busy.min * 100)} % of the time`,
        );
    return scalingOf(report);
  },
};

function scalingOf({ scaling }: WorkersReport) {
  return new Map(
    scaling.map(({ name, one, all, ratio, busy }) => [
      name,
      {
        ...{ one: one.median / 1e6, two: all.median / 1e6 },
        ...{ ratio: ratio.median, busy: busy.median },
      },
    ]),
  );
}

function contentionOf({ contention }: WorkersReport) {
  return new Map(
    contention.map(({ name, all, linesPerPacket: { ownEntry = 0 } }) => [
      name,
      { lines: all, own: ownEntry, others: all - ownEntry },
    ]),
  );
}
