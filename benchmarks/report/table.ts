// SPDX-License-Identifier: Apache-2.0
import { formatTable } from '../../lib/cli/table.js';
import type { Machine } from '../rig/machine.js';
import { formatNumber } from './number.js';
import type { CaseReport } from './report.js';
import type { Spread } from './spread.js';

/** The tables of one case: one for each group of points, medians with least and greatest. */
export function formatReport(report: CaseReport): string {
  const groups = [...new Set(report.points.map(({ group }) => group))];
  const tables = groups.map((group) => formatGroup(report, group));
  const faults = report.faults.map((fault) => `WRONG: ${fault}`);
  const head = `${report.case}: ${report.title} (${report.rounds} rounds, median and min..max)`;
  return [head, ...tables, ...faults].join('\n\n');
}

/** What was measured on. */
export function formatMachine(machine: Machine): string {
  const { cpu, cpus, memoryGib, kernel, hugepages, node, dpdk, sluice, commit, dirty } = machine;
  const roundTrip =
    machine.roundTripNs === null ? 'not measured' : `${formatNumber(machine.roundTripNs)} ns`;
  return [
    `${cpu}, ${cpus} CPUs, ${memoryGib} GiB, Linux ${kernel}, ${hugepages.free} of ${hugepages.total} hugepages free`,
    `a cache line between the first CPU and the last, and back: ${roundTrip}`,
    `sluice ${sluice} at ${commit ?? 'no commit'}${dirty ? ' (with changes)' : ''}, ${dpdk ?? 'no DPDK'}, Node ${node}`,
  ].join('\n');
}

function formatGroup(report: CaseReport, group: string): string {
  const points = report.points.filter((point) => point.group === group);
  // A column that is empty in this group is no column of it.
  const keys = Object.keys(report.figures).filter((key) =>
    points.some(({ summary }) => summary[key] !== undefined),
  );
  const titles = keys.map((key) => {
    const { title, unit } = report.figures[key]!;
    return unit === '' ? title : `${title} ${unit}`;
  });
  const rows = points.map(({ label, summary }) => [
    label,
    ...keys.map((key) => formatSpread(summary[key])),
  ]);
  return formatTable([group, ...titles], rows);
}

function formatSpread(found: Spread | undefined): string {
  if (found === undefined) return '';
  const [min, median, max] = [found.min, found.median, found.max].map(formatNumber);
  return min === max ? median! : `${median} ${min}..${max}`;
}
