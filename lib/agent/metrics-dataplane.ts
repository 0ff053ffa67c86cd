// SPDX-License-Identifier: Apache-2.0
import { DROP_REASONS } from '../engine/reasons.js';
import type { InterfaceStats, Stats, WorkerStats } from '../observe/stats.js';
import type { Sample, SampledMetric } from './metrics-sampled.js';

/** What the data plane counts. */
export interface Dataplane {
  engine: string;
  stats: Stats;
}

type Metric = SampledMetric<Dataplane>;

const PREFIX = 'sluice_dataplane_';

/**
 * The data plane's own metrics. Series by interface, worker, table and reason; none by service,
 * backend or connection, of which there may be any number.
 */
export const DATAPLANE_METRICS: readonly Metric[] = [
  {
    type: 'gauge',
    name: `${PREFIX}info`,
    help: 'The engine that runs; always 1',
    labels: ['engine'],
    read: ({ engine }) => [[1, engine]],
  },
  total(
    'gauge',
    'generation',
    'Number of the running program; grows by one with every commit',
    ({ generation }) => generation,
  ),
  byDirection('packets', 'Packets by interface and direction', 'Packets'),
  byDirection('bytes', 'Bytes of whole frames by interface and direction', 'Bytes'),
  {
    type: 'gauge',
    name: `${PREFIX}interface_up`,
    help: 'Whether the peer of the interface is there',
    labels: ['interface'],
    read: ({ stats }) => stats.interfaces.map(({ name, up }) => [up ? 1 : 0, name]),
  },
  total('counter', 'received_packets_total', 'Packets that came in', ({ fates }) => fates.rx),
  {
    type: 'counter',
    name: `${PREFIX}packets_total`,
    help: 'What became of the packets that came in',
    labels: ['fate'],
    read: ({ stats: { fates } }) => [
      [fates.forwarded, 'forwarded'],
      [fates.answered, 'answered'],
      [fates.host, 'host'],
      [fates.dropped, 'dropped'],
    ],
  },
  total(
    'gauge',
    'held_packets',
    'Packets that wait for a neighbour or a first fragment',
    ({ fates }) => fates.held,
  ),
  {
    type: 'counter',
    name: `${PREFIX}dropped_packets_total`,
    help: 'Packets that were dropped, by reason',
    labels: ['reason'],
    // Reasons that never struck are 0, so that the first time is an increase.
    read: ({ stats }) => DROP_REASONS.map((reason) => [stats.fates.drops[reason] ?? 0, reason]),
  },
  total('gauge', 'flows', 'Connections in the tables', ({ flows }) => flows.count),
  total('counter', 'flows_created_total', 'New connections', ({ flows }) => flows.created),
  total(
    'counter',
    'flows_expired_total',
    'Connections that timed out',
    ({ flows }) => flows.expired,
  ),
  total(
    'counter',
    'flows_evicted_total',
    'Connections given up for want of room; none of them was established',
    ({ flows }) => flows.evicted,
  ),
  total(
    'counter',
    'flows_cleared_total',
    'Connections that ended with their backend',
    ({ flows }) => flows.cleared,
  ),
  sum('flows_by_affinity_total', 'New connections whose backend affinity chose', 'affinityHits'),
  sum('flows_masqueraded_total', 'New connections with a source of ours', 'masqueraded'),
  sum('originated_packets_total', 'Requests for neighbours, resets and ICMP errors', 'originated'),
  sum('icmp_limited_packets_total', 'Resets and ICMP errors that the rate forbade', 'icmpLimited'),
  sum('icmp_related_packets_total', 'ICMP errors that belong to a connection', 'related'),
  occupancy('table_used', 'Places that are taken in the shared tables', 'used'),
  occupancy('table_limit', 'Places of the shared tables', 'limit'),
  workerOccupancy('worker_table_used', 'Places that are taken in tables of one worker', 'used'),
  workerOccupancy('worker_table_limit', 'Places of the tables of one worker', 'limit'),
  byWorker('worker_received_packets_total', 'Packets that the worker received', 'rx'),
  byWorker('worker_polls_total', 'Rounds of the worker over its interfaces', 'polls'),
  byWorker('worker_busy_polls_total', 'Rounds that found a packet', 'busyPolls'),
  byWorker('worker_cycles_total', 'TSC clocks spent on packets; 0: not measured', 'cycles'),
];

/** Properties of `T` that are numbers. */
type Numeric<T> = { [K in keyof T]: T[K] extends number ? K : never }[keyof T];

function total(
  type: Metric['type'],
  name: string,
  help: string,
  pick: (stats: Stats) => number,
): Metric {
  return { type, name: PREFIX + name, help, labels: [], read: ({ stats }) => [[pick(stats)]] };
}

function sum(name: string, help: string, key: Numeric<WorkerStats>): Metric {
  return total('counter', name, help, ({ workers }) =>
    workers.reduce((all, worker) => all + worker[key], 0),
  );
}

function byWorker(name: string, help: string, key: Numeric<WorkerStats>): Metric {
  return {
    type: 'counter',
    name: PREFIX + name,
    help,
    labels: ['worker'],
    read: ({ stats }) => stats.workers.map((worker) => [worker[key], String(worker.worker)]),
  };
}

function byDirection(unit: string, help: string, suffix: 'Packets' | 'Bytes'): Metric {
  const of = (view: InterfaceStats): Sample[] => [
    [view[`rx${suffix}`], view.name, 'rx'],
    [view[`tx${suffix}`], view.name, 'tx'],
  ];
  return {
    type: 'counter',
    name: `${PREFIX}interface_${unit}_total`,
    help,
    labels: ['interface', 'direction'],
    read: ({ stats }) => stats.interfaces.flatMap(of),
  };
}

function occupancy(name: string, help: string, key: 'used' | 'limit'): Metric {
  return {
    type: 'gauge',
    name: PREFIX + name,
    help,
    labels: ['table'],
    read: ({ stats }) =>
      Object.entries(stats.occupancy).map(([table, places]) => [places[key], snakeCase(table)]),
  };
}

function workerOccupancy(name: string, help: string, key: 'used' | 'limit'): Metric {
  return {
    type: 'gauge',
    name: PREFIX + name,
    help,
    labels: ['worker', 'table'],
    read: ({ stats }) =>
      stats.workers.flatMap(({ worker, occupancy: tables }) =>
        Object.entries(tables).map(
          ([table, places]): Sample => [places[key], String(worker), snakeCase(table)],
        ),
      ),
  };
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
