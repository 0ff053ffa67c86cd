// SPDX-License-Identifier: Apache-2.0
// `npm run bench`, once the set-up is done: measures what was asked for and reports it. Progress
// goes to stderr, stdout is for the tables (or the JSON).
import { CommanderError } from 'commander';
import { CASES } from './cases/cases.js';
import type { CaseReport } from './report/report.js';
import { keepReport } from './report/results.js';
import { formatMachine, formatReport } from './report/table.js';
import { Bench } from './rig/bench.js';
import type { Scale } from './rig/case.js';
import { parseCommandLine, type Wish } from './rig/command-line.js';
import { describeMachine } from './rig/machine.js';
import { runCase } from './rig/run-case.js';

const FULL: Scale = { quick: false, rounds: 5, seconds: 1, warmUpSeconds: 0.3 };
const QUICK: Scale = { quick: true, rounds: 2, seconds: 1, warmUpSeconds: 0.2 };

const out = (text: string): void => void process.stdout.write(text);
const err = (text: string): void => void process.stderr.write(text);

try {
  await main(
    parseCommandLine(
      process.argv.slice(2),
      CASES.map(({ name }) => name),
      { out, err },
    ),
  );
} catch (error) {
  // Commander has written its own message.
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}

async function main(wish: Wish): Promise<void> {
  if (wish.list) {
    for (const { name, title } of CASES) out(`${name}: ${title}\n`);
    return;
  }
  const scale = wish.quick ? QUICK : FULL;
  const reports = await runAll(wish, { ...scale, rounds: wish.rounds ?? scale.rounds });
  if (wish.json) out(`${JSON.stringify(reports, null, 2)}\n`);
  const failed = reports.filter(({ faults }) => faults.length > 0);
  for (const { case: name, faults } of failed)
    err(`[bench] ${name} failed:\n${faults.map((fault) => `  ${fault}\n`).join('')}`);
  if (failed.length > 0) process.exitCode = 1;
}

async function runAll(wish: Wish, scale: Scale): Promise<CaseReport[]> {
  let current = '';
  const begin = performance.now();
  const say = (what: string): void => {
    const seconds = Math.round((performance.now() - begin) / 1000);
    err(`[bench] ${String(seconds).padStart(4)} s  ${current}: ${what}\n`);
  };
  const machine = describeMachine();
  if (!wish.json) out(`${formatMachine(machine)}\n`);
  await using bench = new Bench(scale, say);
  endInOrder(bench);
  const reports: CaseReport[] = [];
  for (const each of CASES.filter(({ name }) => wish.names.includes(name))) {
    current = each.name;
    const report = await runCase(each, bench, machine, say);
    reports.push(report);
    say(`written to ${keepReport(report)}`);
    if (!wish.json) out(`\n${formatReport(report)}\n`);
  }
  return reports;
}

function endInOrder(bench: Bench): void {
  process.once('exit', () => bench.abandon());
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const)
    process.once(signal, () => process.exit(128 + number));
}
