// SPDX-License-Identifier: Apache-2.0
import type { EngineKind } from '../../engine/engine.js';
import type { DropCounts } from '../../observe/counters.js';
import type { Fates } from '../../observe/stats.js';
import { formatTable } from '../table.js';
import { type Check, percent, type ServiceOutcome } from './checks.js';

/** What a demo showed; with `--json`, the last line on the standard output. */
export interface Outcome {
  engine: EngineKind;
  /** Why this engine. */
  why: string;
  /** Where the services came from; left out: from examples/shop. */
  cluster?: { server: string; namespace: string };
  checks: Check[];
  services: ServiceOutcome[];
  fates: {
    rx: number;
    /** Packets that were sent: forwarded, and answers of our own. `rx = tx + sum of drops`. */
    tx: number;
    drops: DropCounts;
  };
}

export function holds(outcome: Outcome): boolean {
  return outcome.checks.length > 0 && outcome.checks.every(({ ok }) => ok);
}

export function fatesOutcome(fates: Fates): Outcome['fates'] {
  return { rx: fates.rx, tx: fates.forwarded + fates.answered, drops: fates.drops };
}

/** One object on one line. */
export function formatJson(outcome: Outcome): string {
  const { engine, why, cluster, checks, services, fates } = outcome;
  return JSON.stringify({ engine, why, cluster, checks, services, fates });
}

/** For people. */
export function formatReport(outcome: Outcome): string {
  const { engine, why, cluster, checks, services, fates } = outcome;
  const drops = Object.entries(fates.drops);
  const sections = [
    `Engine: ${engine} (${why})`,
    ...(cluster === undefined
      ? []
      : [`Services: of ${cluster.server}, namespace ${cluster.namespace}`]),
    formatTable(
      ['service', 'address', 'backend', 'requests', 'share'],
      services.flatMap((service) =>
        service.backends.map((backend) => [
          service.name,
          `${service.address}:${service.port}/${service.protocol}`,
          `${backend.address}:${backend.port}`,
          backend.requests,
          percent(backend.requests / Math.max(1, service.requests)),
        ]),
      ),
    ),
    `Packets: ${fates.rx} received, ${fates.tx} sent` +
      drops.map(([reason, number]) => `, ${number} ${reason}`).join(''),
    formatTable(
      ['check', '', 'detail'],
      checks.map(({ name, ok, detail }) => [name, ok ? 'ok' : 'FAILED', detail]),
    ),
    holds(outcome) ? 'Every check holds.' : 'Not every check holds.',
  ];
  return sections.join('\n\n');
}
