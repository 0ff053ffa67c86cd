// SPDX-License-Identifier: Apache-2.0
import { Command } from 'commander';
import { addAgentCommand } from './commands/agent.js';
import { addCheckCommand } from './commands/check.js';
import { addDemoCommand } from './commands/demo.js';
import { addExplainCommand } from './commands/explain.js';
import { addGetCommand } from './commands/get.js';
import { addInterfaceCommand } from './commands/interface.js';
import { addRunCommand } from './commands/run.js';
import { addVersionCommand } from './commands/version.js';
import { packageVersion } from './package-version.js';
import type { Terminal } from './terminal.js';

/** The command line with all its commands, ready to parse. */
export function buildProgram(terminal: Terminal): Command {
  const program = new Command('sluice')
    .description('User-space service proxy: Kubernetes services on DPDK, or without it.')
    .version(packageVersion(), '-V, --version', 'print the version and exit')
    .helpOption('-h, --help', 'print this help and exit')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      outputError: (text, write) => write(formatUsageError(text)),
    })
    .exitOverride();
  program.addHelpText(
    'after',
    '\nExit codes: 0 it worked, 1 something failed, 2 what was asked for is wrong.\n' +
      'Environment: SLUICE_ENGINE=dpdk|software decides where --engine is auto.',
  );
  addDemoCommand(program, terminal);
  addRunCommand(program);
  addAgentCommand(program, terminal);
  addGetCommand(program, terminal);
  addExplainCommand(program, terminal);
  addCheckCommand(program, terminal);
  addInterfaceCommand(program, terminal);
  addVersionCommand(program, terminal);
  return program;
}

function formatUsageError(text: string): string {
  return `sluice: ${text
    .replace(/^error: /, '')
    .trim()
    .replace(/\s+/g, ' ')} (ERR_OPTIONS)\n`;
}
