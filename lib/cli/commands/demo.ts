// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { EngineChoice } from '../../model/options.js';
import { engineOption } from '../choices.js';
import type { Terminal } from '../terminal.js';

interface DemoFlags {
  once: boolean;
  json: boolean;
  engine: EngineChoice;
  kubeconfig?: string;
}

export function addDemoCommand(program: Command, terminal: Terminal): void {
  program
    .command('demo')
    .description('run pods, services and real traffic on this machine, and show what happens')
    .option('--once', 'check everything once and end', false)
    .option('--json', 'print the outcome as one JSON object, as the last line', false)
    .addOption(engineOption().default('auto'))
    .option('--kubeconfig <file>', "the services come from this file's API server")
    .action(async (flags: DemoFlags) => {
      const { runDemo } = await import('../demo/demo.js');
      terminal.exit(await runDemo(flags));
    });
}
