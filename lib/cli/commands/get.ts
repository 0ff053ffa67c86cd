// SPDX-License-Identifier: Apache-2.0
import { Argument, type Command } from 'commander';
import type { WorkerStats } from '../../observe/stats.js';
import type { BackendView, FlowView, InterfaceView, ServiceView } from '../../observe/views.js';
import { controlOption, type OutputFormat, outputOption, wholeNumber } from '../choices.js';
import { callAgent } from '../control/client.js';
import type { DropRow } from '../control/protocol.js';
import { type Cell, formatTable } from '../table.js';
import type { Terminal } from '../terminal.js';

interface GetFlags {
  output: OutputFormat;
  control: string;
  limit: number;
}

type Row = readonly Cell[];

interface Sheet {
  titles: readonly string[];
  rows(value: never): Row[];
}

const SHEETS = {
  services: {
    titles: ['namespace', 'name', 'address', 'port', 'protocol', 'backends', 'connections'],
    rows: (services: ServiceView[]) =>
      services.flatMap(({ namespace, name, addresses, ports }) =>
        addresses.flatMap((address) =>
          ports.map(({ port, protocol, backends, connections }): Row => {
            return [namespace, name, address, port, protocol, backends.length, connections];
          }),
        ),
      ),
  },
  backends: {
    titles: ['service', 'port', 'protocol', 'backend', 'weight', 'state', 'connections'],
    rows: (backends: BackendView[]) =>
      backends.map((backend): Row => {
        const { service, servicePort, protocol, address, port, weight, state } = backend;
        const endpoint = `${address}:${port}`;
        return [service, servicePort, protocol, endpoint, weight, state, backend.connections];
      }),
  },
  flows: {
    titles: [
      ...['protocol', 'client', 'address', 'backend', 'service', 'state', 'idle'],
      ...['packets', 'bytes', 'reply-packets', 'reply-bytes'],
    ],
    rows: (flows: FlowView[]) =>
      flows.map(
        (flow): Row => [
          flow.protocol,
          `${flow.client}:${flow.clientPort}`,
          `${flow.address}:${flow.port}`,
          `${flow.backend}:${flow.backendPort}`,
          flow.service ?? '-',
          flow.state,
          `${flow.idleSeconds}s`,
          flow.packets,
          flow.bytes,
          flow.replyPackets,
          flow.replyBytes,
        ],
      ),
  },
  interfaces: {
    titles: [
      ...['name', 'kind', 'link', 'mac', 'mtu', 'addresses', 'worker'],
      ...['rx-packets', 'rx-bytes', 'tx-packets', 'tx-bytes'],
    ],
    rows: (interfaces: InterfaceView[]) =>
      interfaces.map(
        (each): Row => [
          each.name,
          each.kind,
          each.up ? 'up' : 'down',
          each.mac,
          each.mtu,
          each.addresses.join(',') || '-',
          each.worker,
          each.rxPackets,
          each.rxBytes,
          each.txPackets,
          each.txBytes,
        ],
      ),
  },
  drops: {
    titles: ['reason', 'packets'],
    rows: (drops: DropRow[]) => drops.map(({ reason, packets }): Row => [reason, packets]),
  },
  workers: {
    titles: [
      ...['worker', 'rx', 'forwarded', 'answered', 'host', 'held', 'dropped'],
      ...['flows-created', 'polls', 'busy-polls', 'cycles/packet'],
    ],
    rows: (workers: WorkerStats[]) =>
      workers.map(
        (worker): Row => [
          worker.worker,
          worker.rx,
          worker.forwarded,
          worker.answered,
          worker.host,
          worker.held,
          worker.dropped,
          worker.flowsCreated,
          worker.polls,
          worker.busyPolls,
          Math.round(worker.cyclesPerPacket),
        ],
      ),
  },
} satisfies Record<string, Sheet>;

export function addGetCommand(program: Command, terminal: Terminal): void {
  program
    .command('get')
    .description('show what a running agent does')
    .addArgument(new Argument('<what>', 'what to show').choices(Object.keys(SHEETS)))
    .addOption(outputOption())
    .addOption(controlOption())
    .option('--limit <count>', 'flows only: at most so many', wholeNumber(1), 1_000)
    .action(async (what: keyof typeof SHEETS, flags: GetFlags) => {
      const query = what === 'flows' ? `?limit=${flags.limit}` : '';
      const value = await callAgent(flags.control, 'GET', `/v1/${what}${query}`);
      terminal.out(
        flags.output === 'json'
          ? `${JSON.stringify(value, null, 2)}\n`
          : `${formatSheet(SHEETS[what], value)}\n`,
      );
    });
}

function formatSheet(sheet: Sheet, value: unknown): string {
  return formatTable(sheet.titles, sheet.rows(value as never));
}
