// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { preferredEngine } from '../../engine/choose.js';
import type { EngineKind } from '../../engine/engine.js';
import { nativeAvailability } from '../../engine/native/native.js';
import { type OutputFormat, outputOption } from '../choices.js';
import { packageVersion } from '../package-version.js';
import type { Terminal } from '../terminal.js';

/** What `sluice version` prints. */
interface VersionReport {
  sluice: string;
  /** `null`: there is no native engine. */
  dpdk: string | null;
  /** What `--engine auto` would take, and why. */
  engine: EngineKind;
  why: string;
  /** CPU features that the native engine uses. */
  cpu: readonly string[];
  node: string;
}

export function addVersionCommand(program: Command, terminal: Terminal): void {
  program
    .command('version')
    .description('print versions, the engine that auto would choose and why, and CPU features')
    .addOption(outputOption())
    .action(({ output }: { output: OutputFormat }) => {
      const report = versionReport();
      terminal.out(
        output === 'json' ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report),
      );
    });
}

function versionReport(): VersionReport {
  const native = nativeAvailability();
  const { kind, why } = preferredEngine();
  return {
    sluice: packageVersion(),
    dpdk: native.available ? native.description.dpdk : null,
    engine: kind,
    why,
    cpu: native.available ? native.description.cpu : [],
    node: process.versions.node,
  };
}

function formatReport(report: VersionReport): string {
  return [
    `Sluice  ${report.sluice}`,
    `DPDK    ${report.dpdk?.replace(/^DPDK /, '') ?? 'none'}`,
    `Engine  ${report.engine} (${report.why})`,
    `CPU     ${report.cpu.join(' ') || 'no features in use'}`,
    `Node    ${report.node}`,
    '',
  ].join('\n');
}
