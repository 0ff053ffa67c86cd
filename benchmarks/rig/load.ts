// SPDX-License-Identifier: Apache-2.0
import type { Bench } from './bench.js';
import type { Measurement } from './measure.js';
import { population } from './network.js';
import { tableSize, WINDOW } from './sizes.js';
import type { SluiceSetup } from './sluice-messages.js';

/** Traffic on flows that exist, or of which every packet is the first of its flow. */
export interface Load {
  kind: 'hits' | 'new';
  /** That exist, or that the table has room for. */
  flows: number;
}

/** New flows come out of so many, by clients that have not been seen for long. */
const NEW_FLOWS = 4_000_000;

/** Sends a load over memif through the Sluice of a set-up, whose table has room for the flows. */
export async function throughLoaded(
  { kind, flows }: Load,
  setup: Omit<SluiceSetup, 'wire' | 'options'>,
  bench: Bench,
): Promise<Measurement> {
  const options = { flows: tableSize(flows) };
  const sluice = await bench.sluice({ wire: 'memif', ...setup, options });
  if (kind === 'hits') {
    return bench.throughSluice(sluice, {
      population: population(setup.services, flows),
      run: { kind: 'throughput', directions: 'both', window: WINDOW },
    });
  }
  return bench.throughSluice(sluice, {
    population: population(setup.services, NEW_FLOWS, { clients: bench.nextClients() }),
    run: { kind: 'setup-udp', window: WINDOW },
  });
}
