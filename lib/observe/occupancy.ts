// SPDX-License-Identifier: Apache-2.0
import { SLOT_LIMIT } from '../compile/slots.js';
import type { EngineOptions, Occupancy } from '../engine/engine.js';
import type { WorkerCounts } from './counters.js';

/** Places that are taken, and how many there are. */
export interface Occupied {
  used: number;
  limit: number;
}

/** How full the tables are that all workers share. */
export function occupancyOf(
  used: Occupancy,
  options: EngineOptions,
): Record<keyof Occupancy, Occupied> {
  const of = (table: keyof Occupancy, limit: number): Occupied => ({ used: used[table], limit });
  return {
    flows: of('flows', options.flows),
    flows6: of('flows6', options.flows6),
    affinities: of('affinities', options.affinities),
    neighbours: of('neighbours', options.neighbours),
    // The option is for each family, the count for both.
    routes: of('routes', 2 * options.routes),
    frontends: of('frontends', SLOT_LIMIT),
    backends: of('backends', options.backends),
    pools: of('pools', SLOT_LIMIT),
  };
}

/** How full what a worker has by itself is. */
export function workerOccupancy(
  { held, fragments, fragmentPackets }: WorkerCounts,
  options: EngineOptions,
): Record<'held' | 'fragments' | 'fragmentPackets', Occupied> {
  return {
    // Fragments that wait are held too, and have a limit of their own.
    held: { used: held - fragmentPackets, limit: options.heldPackets },
    fragments: { used: fragments, limit: options.fragments },
    fragmentPackets: { used: fragmentPackets, limit: options.fragmentPackets },
  };
}
