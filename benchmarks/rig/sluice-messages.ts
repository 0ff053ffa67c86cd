// SPDX-License-Identifier: Apache-2.0
import type { ProxyOptions } from '../../lib/index.js';
import type { Services, WireKind } from './network.js';
import type { Policing } from './policies.js';

/** What a Sluice under test is started with. */
export interface SluiceSetup {
  wire: WireKind;
  services: Services;
  /** Default: no pod is known, and there is no rule. */
  policy?: Policing;
  /** Routes beside the four that are needed. Default: none. */
  routes?: number;
  /** Limits and timeouts; the rest is the same for all. */
  options: Pick<ProxyOptions, 'flows' | 'flows6' | 'workers' | 'timeouts'>;
}

/** To the process. */
export type Order = { ask: 'open'; setup: SluiceSetup; folder: string } | { ask: 'counts' };

/** From the process, one for each order that it could obey. */
export type Answer = { answer: 'opened' } | { answer: 'counts'; counts: Counts };

/** What Sluice has counted so far, over all workers. */
export interface Counts {
  rx: number;
  forwarded: number;
  /** Forwarded, answered, to the host, dropped and held: what became of `rx`. */
  fates: number;
  dropped: number;
  drops: Record<string, number>;
  /** TSC clocks on packets, the drivers' rx and tx calls left out. */
  cycles: number;
  flows: number;
  flowsCreated: number;
}
