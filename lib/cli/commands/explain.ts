// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { PROTOCOLS } from '../../model/model.js';
import type { ExplainReport } from '../../observe/explain-report.js';
import { controlOption, wholeNumber } from '../choices.js';
import { callAgent } from '../control/client.js';
import type { Terminal } from '../terminal.js';

interface ExplainFlags {
  from: string;
  to: string;
  port?: number;
  protocol?: string;
  fromPort?: number;
  interface?: string;
  json: boolean;
  control: string;
}

/** What of the flags is the agent's to judge. */
const ASKED = ['from', 'to', 'port', 'protocol', 'fromPort', 'interface'] as const;

export function addExplainCommand(program: Command, terminal: Terminal): void {
  program
    .command('explain')
    .description('say what a running agent would do with a packet; nothing is sent')
    .requiredOption('--from <address>', 'sender of the packet')
    .requiredOption('--to <address>', 'address that it speaks to')
    .option('--port <port>', 'port that it speaks to; left out: an echo request', wholeNumber(0))
    .addOption(
      new Option('--protocol <protocol>', 'default: TCP where there is a port').choices(PROTOCOLS),
    )
    .option('--from-port <port>', "sender's port, or identifier of the echo", wholeNumber(0))
    .option('--interface <name>', 'interface that it comes in by; default: by the route to --from')
    .option('--json', 'print everything as JSON', false)
    .addOption(controlOption())
    .action(async (flags: ExplainFlags) => {
      const query = new URLSearchParams();
      for (const key of ASKED) {
        const value = flags[key];
        if (value !== undefined) query.set(key, String(value));
      }
      const answer = await callAgent(flags.control, 'GET', `/v1/explain?${query}`);
      const report = answer as ExplainReport;
      terminal.out(
        flags.json ? `${JSON.stringify(report, null, 2)}\n` : `${report.text.join('\n')}\n`,
      );
    });
}
