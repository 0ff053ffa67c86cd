// SPDX-License-Identifier: Apache-2.0
import { Argument, type Command } from 'commander';
import { familyOf, formatEndpoint } from '../../model/address.js';
import type { WorkerQueue, WorkerStats } from '../../observe/stats.js';
import type {
  BackendView,
  FlowView,
  InterfaceView,
  ServicePortView,
  ServiceView,
} from '../../observe/views.js';
import { controlOption, type OutputFormat, outputOption, wholeNumber } from '../choices.js';
import { callAgent } from '../control/client.js';
import type { DropRow, OccupancyRow } from '../control/protocol.js';
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
    titles: [
      ...['namespace', 'name', 'kind', 'address', 'port', 'protocol', 'backends', 'connections'],
    ],
    rows: (services: ServiceView[]) => services.flatMap(serviceRows),
  },
  backends: {
    titles: ['service', 'port', 'protocol', 'backend', 'weight', 'state', 'connections'],
    rows: (backends: BackendView[]) =>
      backends.map((backend): Row => {
        const { service, servicePort, protocol, address, port, weight, state } = backend;
        const endpoint = formatEndpoint(address, port);
        return [service, servicePort, protocol, endpoint, weight, state, backend.connections];
      }),
  },
  flows: {
    titles: [
      ...['protocol', 'client', 'address', 'backend', 'source', 'service', 'state', 'idle'],
      ...['packets', 'bytes', 'reply-packets', 'reply-bytes'],
    ],
    rows: (flows: FlowView[]) =>
      flows.map(
        (flow): Row => [
          flow.protocol,
          formatEndpoint(flow.client, flow.clientPort),
          formatEndpoint(flow.address, flow.port),
          formatEndpoint(flow.backend, flow.backendPort),
          formatEndpoint(flow.source, flow.sourcePort),
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
      ...['name', 'kind', 'link', 'mac', 'mtu', 'addresses', 'scope', 'worker', 'queues', 'rss'],
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
          each.scope,
          each.worker,
          each.queues,
          each.rss,
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
  occupancy: {
    titles: ['table', 'worker', 'used', 'limit'],
    rows: (rows: OccupancyRow[]) =>
      rows.map(({ table, worker, used, limit }): Row => [table, worker ?? '-', used, limit]),
  },
  workers: {
    titles: [
      ...['worker', 'cpu', 'queues', 'rx', 'forwarded', 'answered', 'host', 'held', 'dropped'],
      ...['handed-in', 'handed-out', 'steered'],
      ...['originated', 'icmp-limited', 'related', 'flows-created', 'flows-expired'],
      ...['flows-evicted', 'flows-cleared', 'affinity-hits', 'masqueraded'],
      ...['polls', 'busy-polls', 'busy', 'clocks/packet'],
    ],
    rows: (workers: WorkerStats[]) =>
      workers.map(
        (worker): Row => [
          worker.worker,
          worker.cpu ?? '-',
          worker.queues.map(queueText).join(',') || '-',
          worker.rx,
          worker.forwarded,
          worker.answered,
          worker.host,
          worker.held,
          worker.dropped,
          worker.handedIn,
          worker.handedOut,
          worker.steered,
          worker.originated,
          worker.icmpLimited,
          worker.related,
          worker.flowsCreated,
          worker.flowsExpired,
          worker.flowsEvicted,
          worker.flowsCleared,
          worker.affinityHits,
          worker.masqueraded,
          worker.polls,
          worker.busyPolls,
          percent(worker.busyPolls, worker.polls),
          Math.round(worker.cyclesPerPacket),
        ],
      ),
  },
} satisfies Record<string, Sheet>;

/** `up[0]`: a queue of an interface; `up[rss]`: a share of what another worker receives from it. */
function queueText({ interface: name, queue }: WorkerQueue): string {
  return `${name}[${queue ?? 'rss'}]`;
}

function percent(part: number, whole: number): string {
  return `${whole > 0 ? ((100 * part) / whole).toFixed(1) : '0.0'}%`;
}

/** One row for each destination; a node port is on whatever addresses the node has. */
function serviceRows(service: ServiceView): Row[] {
  const { namespace, name, addresses, externalIPs, loadBalancer, ports } = service;
  const destinations = [
    ...addresses.map((address) => ['cluster', address] as const),
    ...externalIPs.map((address) => ['external', address] as const),
    ...loadBalancer.addresses.map((address) => ['load-balancer', address] as const),
  ];
  const row = (kind: string, address: string, number: number, port: ServicePortView): Row => {
    const { protocol, backends, connections } = port;
    const own = backends.filter(
      (backend) => address === '*' || familyOf(backend.address) === familyOf(address),
    );
    return [namespace, name, kind, address, number, protocol, own.length, connections];
  };
  return [
    ...destinations.flatMap(([kind, address]) =>
      ports.map((port) => row(kind, address, port.port, port)),
    ),
    ...ports
      .filter(({ nodePort }) => nodePort !== 0)
      .map((port) => row('node-port', '*', port.nodePort, port)),
  ];
}

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
