// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { SluiceError } from '../../errors.js';
import { type Comparison, Network, type ProbeResult, parseTable } from '../../testing/index.js';
import { wholeNumber } from '../choices.js';
import type { Terminal } from '../terminal.js';

interface CheckFlags {
  expect?: string;
  nodes: number;
  pods: boolean;
  json: boolean;
}

export function addCheckCommand(program: Command, terminal: Terminal): void {
  program
    .command('check')
    .description('say who may speak to whom in a cluster of these manifests; nothing has to run')
    .argument('<manifests...>', 'files, folders, - for the standard input')
    .option('--expect <file>', 'table of what is expected; without it the matrix is printed')
    .option('--nodes <count>', 'nodes where the manifests have none', wholeNumber(1), 1)
    .option('--pods', 'print a row for each pod, not for each workload', false)
    .option('--json', 'print everything as JSON', false)
    .action(async (manifests: string[], flags: CheckFlags) => {
      const table = flags.expect === undefined ? null : await readTable(flags.expect);
      await using network = await Network.load(manifests, { nodes: flags.nodes });
      for (const note of notes(network)) terminal.err(`sluice: ${note}\n`);
      if (table === null) await printMatrix(network, flags, terminal);
      else printComparisons(await network.compare(table), network, flags, terminal);
    });
}

async function readTable(path: string) {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const message = isMissing ? 'there is no such file' : `cannot be read: ${cause}`;
    throw new SluiceError('ERR_CONFIG', message, { path, cause });
  }
  return parseTable(text, path);
}

function notes({ skipped, warnings }: Network): string[] {
  const kinds = Object.entries(skipped).map(([kind, count]) => `${count} ${kind}`);
  return [
    ...(kinds.length === 0
      ? []
      : [`passed over, as nothing here depends on it: ${kinds.join(', ')}`]),
    ...warnings,
  ];
}

async function printMatrix(
  network: Network,
  { json, pods }: CheckFlags,
  terminal: Terminal,
): Promise<void> {
  const matrix = await network.matrix({ by: pods ? 'pods' : 'workloads' });
  terminal.out(
    json ? asJson({ ...aside(network), probes: matrix.results.map(row) }) : `${matrix}\n`,
  );
}

function printComparisons(
  comparisons: readonly Comparison[],
  network: Network,
  { json }: CheckFlags,
  terminal: Terminal,
): void {
  const wrong = comparisons.filter(({ difference }) => difference !== null).length;
  const ok = comparisons.length - wrong;
  if (json) {
    const probes = comparisons.map(({ expected: { expect }, result, difference }) => ({
      ...row(result),
      expect,
      ok: difference === null,
      difference,
    }));
    terminal.out(asJson({ ...aside(network), ok, wrong, probes }));
  } else {
    for (const comparison of comparisons) terminal.out(`${line(comparison)}\n`);
    terminal.out(`${ok} ok, ${wrong} wrong\n`);
  }
  if (wrong > 0) terminal.exit(1);
}

function line({ expected: { from, to }, result, difference }: Comparison): string {
  const what = `${from} -> ${to} (${result.protocol})`;
  if (difference === null) return `ok     ${what}: ${result.verdict}`;
  return `WRONG  ${what}: ${difference.replaceAll('\n', '\n     ')}`;
}

function aside({ skipped, warnings }: Network) {
  return { skipped, warnings };
}

/** A probe without what each engine said on the way. */
function row({ backends, ...result }: ProbeResult) {
  return { ...result, backends: backends.map(({ legs: _, ...backend }) => backend) };
}

function asJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
