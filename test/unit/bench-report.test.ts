// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { axisOf } from '../../benchmarks/report/axis.js';
import { formatCount, formatNumber } from '../../benchmarks/report/number.js';
import type { CaseReport } from '../../benchmarks/report/report.js';
import { keepReport } from '../../benchmarks/report/results.js';
import { spread, spreads } from '../../benchmarks/report/spread.js';
import { plot } from '../../benchmarks/report/svg.js';
import { formatMachine, formatReport } from '../../benchmarks/report/table.js';

const REPORT: CaseReport = {
  case: 'forward',
  title: 'Packets & <things>',
  measures: 'Packets.',
  date: '2026-01-01T00:00:00.000Z',
  quick: true,
  rounds: 3,
  machine: {
    ...{ cpu: 'A CPU', cpus: 2, memoryGib: 24, kernel: '6.1', hugepages: { free: 1, total: 2 } },
    roundTripNs: 123.4,
    ...{ node: '20.0.0', dpdk: 'DPDK 22.11', sluice: '0.1.0', commit: 'abc', dirty: true },
  },
  commands: {},
  figures: {
    sluice: { title: 'Sluice', unit: 'Mpps' },
    testpmd: { title: '5tswap', unit: 'Mpps' },
    clocks: { title: 'clocks', unit: '' },
  },
  panels: [
    { title: 'By flows', group: 'flows', figures: ['sluice', 'testpmd'] },
    { title: 'Clocks', figures: ['clocks'] },
    { title: 'Of nobody', group: 'nobody', figures: ['sluice'] },
  ],
  points: [
    point('flows', '1k', [
      { sluice: 10, testpmd: 20 },
      { sluice: 12, testpmd: 21 },
    ]),
    point('flows', '1M', [{ sluice: 8, testpmd: 20 }, { sluice: 6 }]),
    point('frame', 'IMIX', [{ sluice: 5, clocks: 70 }]),
  ],
  faults: [],
};

function point(group: string, label: string, rounds: Record<string, number>[]) {
  return { group, label, rounds, summary: spreads<string>(rounds) };
}

test('a spread is the least, the median and the greatest', (t) => {
  t.deepEqual(spread([3, 1, 2]), { min: 1, median: 2, max: 3 });
  t.deepEqual(spread([4, 1, 2, 3]), { min: 1, median: 2.5, max: 4 });
  t.deepEqual(spread([7]), { min: 7, median: 7, max: 7 });
  t.throws(() => spread([]), { instanceOf: RangeError });
});

test('a figure that a round lacks is left out of its spread', (t) => {
  t.deepEqual(spreads<string>([{ a: 1 }, { a: 3, b: 5 }, { b: 7 }]), {
    a: { min: 1, median: 2, max: 3 },
    b: { min: 5, median: 6, max: 7 },
  });
});

test('numbers have three digits that count', (t) => {
  const texts = [0, 0.1234, 1.2345, 12.345, 123.45, 12_345.6, Number.NaN].map(formatNumber);
  t.deepEqual(texts, ['0', '0.123', '1.23', '12.3', '123', '12346', '-']);
  t.deepEqual([1, 999, 1_000, 1_024, 100_000, 4_000_000].map(formatCount), [
    ...['1', '999', '1k', '1024', '100k', '4M'],
  ]);
});

test('a linear axis begins at 0, has round ticks and holds the greatest value', (t) => {
  for (const max of [0.003, 1, 7, 31.4, 999, 1e6]) {
    const { ticks, share } = axisOf([{ min: max / 2, median: max / 2, max }], 'linear');
    t.is(ticks[0], 0);
    t.true(ticks.at(-1)! >= max, `${max}`);
    t.true(ticks.length >= 3 && ticks.length <= 7, `${ticks}`);
    t.is(share(0), 0);
    t.is(share(ticks.at(-1)!), 1);
  }
  t.is(axisOf([{ min: 0, median: 0, max: 0 }], 'linear').share(0), 0);
});

test('a logarithmic axis goes from power to power', (t) => {
  const { ticks, share } = axisOf([{ min: 3, median: 40, max: 500 }], 'log');
  t.deepEqual(ticks, [1, 10, 100, 1_000]);
  t.deepEqual([0, 1, 1_000].map(share), [0, 0, 1]);
  t.true(Math.abs(share(10) - 1 / 3) < 1e-9);
});

test('a table has the columns of its group, and what was wrong', (t) => {
  const text = formatReport({ ...REPORT, faults: ['5 packets were lost'] });
  t.regex(text, /^forward: Packets & <things> \(3 rounds/);
  t.regex(text, /^FLOWS\s+SLUICE MPPS\s+5TSWAP MPPS$/m);
  t.regex(text, /^1k\s+11\.0 10\.0\.\.12\.0\s+20\.5 20\.0\.\.21\.0$/m);
  t.regex(text, /^FRAME\s+SLUICE MPPS\s+CLOCKS$/m);
  t.regex(text, /^IMIX\s+5\.00\s+70\.0$/m);
  t.regex(text, /^WRONG: 5 packets were lost$/m);
  t.regex(
    formatMachine(REPORT.machine),
    /A CPU, 2 CPUs.*\n.* 123 ns\n.*abc \(with changes\), DPDK 22\.11/,
  );
});

test('a plot has a panel for each group that was measured, and a bar for each figure', (t) => {
  const svg = plot(REPORT);
  const count = (pattern: RegExp): number => svg.match(pattern)?.length ?? 0;
  t.is(count(/class="panel"/g), 2);
  // Bars are told from the marks of the legend by their titles.
  t.is(count(/<title>[\d.]+ \(/g), 5);
  t.true(svg.includes('Packets &amp; &lt;things&gt;'));
  t.false(svg.includes('NaN'));
  t.regex(svg, /prefers-color-scheme: dark/);
  const opened = count(/<(?!\/)[a-z]+/g);
  t.is(opened, count(/<\/[a-z]+>/g) + count(/\/>/g), 'every element is closed');
});

test('a report is kept as JSON and as a plot; a quick one apart', (t) => {
  const folder = `${mkdtempSync(join(tmpdir(), 'sluice-results-'))}/`;
  t.teardown(() => rmSync(folder, { recursive: true }));
  t.is(keepReport(REPORT, folder), `${folder}quick/`);
  t.is(keepReport({ ...REPORT, quick: false }, folder), folder);
  t.deepEqual(JSON.parse(readFileSync(`${folder}quick/forward.json`, 'utf8')), REPORT);
  t.is(readFileSync(`${folder}forward.svg`, 'utf8'), plot(REPORT));
});
