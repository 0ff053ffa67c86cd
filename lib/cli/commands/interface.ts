// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { parseInterfaceSpec } from '../../model/interface-spec.js';
import type { InterfaceView } from '../../observe/views.js';
import { controlOption } from '../choices.js';
import { callAgent } from '../control/client.js';
import type { Terminal } from '../terminal.js';

interface ControlFlag {
  control: string;
}

export function addInterfaceCommand(program: Command, terminal: Terminal): void {
  const group = program
    .command('interface')
    .description('add and remove interfaces of a running agent');
  group
    .command('add')
    .description('attach an interface while everything else runs on')
    .argument('<spec>', 'KIND:NAME[,key=value...], e.g. tap:web-1,netns=web-1,address=10.1.0.1/24')
    .addOption(controlOption())
    .action(async (spec: string, { control }: ControlFlag) => {
      parseInterfaceSpec(spec, 'SPEC');
      const added = (await callAgent(control, 'POST', '/v1/interfaces', { spec })) as InterfaceView;
      terminal.out(
        `interface ${added.name} added: ${added.kind}, ${added.up ? 'up' : 'waiting for its peer'}\n`,
      );
    });
  group
    .command('remove')
    .description('take an interface away while everything else runs on')
    .argument('<name>', 'name of the interface')
    .addOption(controlOption())
    .action(async (name: string, { control }: ControlFlag) => {
      await callAgent(control, 'DELETE', `/v1/interfaces/${encodeURIComponent(name)}`);
      terminal.out(`interface ${name} removed\n`);
    });
}
