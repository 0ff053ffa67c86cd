// SPDX-License-Identifier: Apache-2.0
import type { EngineOptions, Occupancy } from '../engine/engine.js';
import { DROP_REASONS } from '../engine/reasons.js';
import type { CounterReader, DropCounts, InterfaceCounts, WorkerCounts } from './counters.js';
import { dropCounts } from './counters.js';
import { type Occupied, occupancyOf, workerOccupancy } from './occupancy.js';
import type { InterfaceView } from './views.js';

/**
 * What became of the packets: `rx = forwarded + answered + host + dropped + held`, in total and,
 * when `handedIn` and `handedOut` are counted in, per worker.
 */
export interface Fates {
  /** Packets that came in. */
  rx: number;
  /** Sent on an interface. */
  forwarded: number;
  /** Sent back as a reply of our own: ARP, neighbour advertisement, echo. */
  answered: number;
  /** Handed to the host. */
  host: number;
  /** Waiting for a neighbour or a first fragment at this moment. */
  held: number;
  /** `forwarded + answered`. */
  tx: number;
  /** Sum of `drops`. */
  dropped: number;
  /** By reason; zeroes are left out. */
  drops: DropCounts;
}

/** Fates and work of one worker. */
export interface WorkerStats extends Fates {
  worker: number;
  /** That it runs on; `null`: none of its own. */
  cpu: number | null;
  /** What it receives from. */
  queues: WorkerQueue[];
  /** Packets taken over from other workers to be sent, and given to them. */
  handedIn: number;
  handedOut: number;
  /** Frames that it received for other workers (software RSS), which count them as `rx`. */
  steered: number;
  /** Frames of our own: requests for neighbours, resets and ICMP errors. */
  originated: number;
  /** Resets and ICMP errors that `icmpRate` forbade. */
  icmpLimited: number;
  /** ICMP errors that belong to a flow. */
  related: number;
  flowsCreated: number;
  flowsExpired: number;
  /** Flows that were given up for want of room: not established. */
  flowsEvicted: number;
  /** Flows that ended with their backend: gone or flushed. */
  flowsCleared: number;
  /** New flows whose backend affinity chose. */
  affinityHits: number;
  /** New flows with a source of ours. */
  masqueraded: number;
  /** Datagrams in fragments that are followed at this moment. */
  fragments: number;
  /** Part of `held`: fragments that wait for the first one of their datagram. */
  fragmentPackets: number;
  /** Rounds over all interfaces, and how many of them found a packet. */
  polls: number;
  busyPolls: number;
  /** TSC clocks spent on packets, the drivers' rx and tx left out. 0 where nobody measures. */
  cycles: number;
  /** `cycles / rx`, or 0. */
  cyclesPerPacket: number;
  /** How full what the worker has by itself is. */
  occupancy: Record<'held' | 'fragments' | 'fragmentPackets', Occupied>;
}

/** A receive queue of an interface. */
export interface WorkerQueue {
  interface: string;
  /** `null`: its share of what another worker receives (software RSS). */
  queue: number | null;
}

/** Counters of one interface, since it was added. */
export interface InterfaceStats extends InterfaceCounts {
  name: string;
  up: boolean;
}

/** Everything that is counted, at one moment. */
export interface Stats {
  /** Number of the running program: grows by one with every commit. */
  generation: number;
  /** Over all workers. */
  fates: Fates;
  workers: WorkerStats[];
  interfaces: InterfaceStats[];
  /** Connections of both families. */
  flows: {
    /** In the tables at this moment. */
    count: number;
    /** That the tables hold. */
    capacity: number;
    created: number;
    expired: number;
    /** Given up for want of room, and ended with their backend. */
    evicted: number;
    cleared: number;
  };
  /** How full the shared tables are at this moment. */
  occupancy: Record<keyof Occupancy, Occupied>;
}

/** Reads all counters into one record. */
export function readStats(
  counters: CounterReader,
  state: {
    generation: number;
    interfaces: readonly InterfaceView[];
    occupancy: Occupancy;
    options: EngineOptions;
    cpus: readonly number[];
  },
): Stats {
  const workers: WorkerStats[] = [];
  const drops = DROP_REASONS.map(() => 0);
  for (let worker = 0; worker < counters.workers; worker++) {
    const own = counters.drops(worker);
    for (const [index, count] of own.entries()) drops[index]! += count;
    workers.push({
      ...workerStats(worker, counters.worker(worker), own, state.options),
      cpu: state.cpus[worker] ?? null,
      queues: workerQueues(worker, counters.workers, state.interfaces),
    });
  }
  const sum = (pick: (worker: WorkerStats) => number): number =>
    workers.reduce((total, worker) => total + pick(worker), 0);
  return {
    generation: state.generation,
    fates: {
      rx: sum((worker) => worker.rx),
      forwarded: sum((worker) => worker.forwarded),
      answered: sum((worker) => worker.answered),
      host: sum((worker) => worker.host),
      held: sum((worker) => worker.held),
      tx: sum((worker) => worker.tx),
      dropped: drops.reduce((total, count) => total + count, 0),
      drops: dropCounts(drops),
    },
    workers,
    interfaces: state.interfaces.map(({ name, up, rxPackets, rxBytes, txPackets, txBytes }) => ({
      name,
      up,
      rxPackets,
      rxBytes,
      txPackets,
      txBytes,
    })),
    flows: {
      count: state.occupancy.flows + state.occupancy.flows6,
      capacity: state.options.flows + state.options.flows6,
      created: sum((worker) => worker.flowsCreated),
      expired: sum((worker) => worker.flowsExpired),
      evicted: sum((worker) => worker.flowsEvicted),
      cleared: sum((worker) => worker.flowsCleared),
    },
    occupancy: occupancyOf(state.occupancy, state.options),
  };
}

function workerStats(
  worker: number,
  counts: WorkerCounts,
  drops: number[],
  options: EngineOptions,
): Omit<WorkerStats, 'cpu' | 'queues'> {
  return {
    worker,
    ...counts,
    tx: counts.forwarded + counts.answered,
    dropped: drops.reduce((total, count) => total + count, 0),
    drops: dropCounts(drops),
    cyclesPerPacket: counts.rx > 0 ? counts.cycles / counts.rx : 0,
    occupancy: workerOccupancy(counts, options),
  };
}

/** Queue `q` of an interface is with the `q`-th worker from its first one on, round. */
function workerQueues(
  worker: number,
  workers: number,
  interfaces: readonly InterfaceView[],
): WorkerQueue[] {
  return interfaces.flatMap(({ name, worker: first, queues, rss }): WorkerQueue[] => {
    const queue = (worker + workers - first) % workers;
    if (queue < queues) return [{ interface: name, queue }];
    return rss === 'software' ? [{ interface: name, queue: null }] : [];
  });
}
