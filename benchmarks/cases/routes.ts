// SPDX-License-Identifier: Apache-2.0
import { formatCount } from '../report/number.js';
import type { Bench } from '../rig/bench.js';
import type { Case, Point } from '../rig/case.js';
import type { Measurement } from '../rig/measure.js';
import { population, type Services } from '../rig/network.js';
import { tableSize, WINDOW } from '../rig/sizes.js';
import type { Run } from '../rig/traffic.js';

interface RoutesPoint extends Point {
  kind: 'hits' | 'new';
  flows: number;
  routes: number;
}

type Key = 'few' | 'many' | 'ratio' | 'clocksFew' | 'clocksMany' | 'clocksRatio';

const SERVICES: Services = { count: 1_000, each: 3, families: [4], protocols: ['udp'] };
const MANY = 1_000_000;

export const routes: Case<RoutesPoint, Key> = {
  name: 'routes',
  title: 'A million routes',
  measures:
    'Packets a second, and clocks a packet, through a proxy with a million IPv4 prefixes (/24) beside its own four routes, and through one with the four alone, in turn. Hits: on flows that are in the table. New: every packet is the first of its flow, and looks its route up.',
  figures: {
    few: { title: '4 routes', unit: 'Mpps' },
    many: { title: 'with more', unit: 'Mpps' },
    ratio: { title: 'of 4 routes', unit: '' },
    clocksFew: { title: 'clocks, 4 routes', unit: '' },
    clocksMany: { title: 'clocks, with more', unit: '' },
    clocksRatio: { title: 'clocks of 4 routes', unit: '' },
  },
  panels: [
    { title: 'Packets on flow hits', group: 'hits', figures: ['few', 'many'] },
    { title: 'New flows', group: 'new', figures: ['few', 'many'] },
  ],
  points: ({ quick }) => [
    ...(quick ? [100_000] : [1_000, 100_000]).map((flows) => pointOf('hits', flows)),
    pointOf('new', 1_000_000),
  ],
  async round(point, bench) {
    const few = await through(point, 0, bench);
    const many = await through(point, point.routes, bench);
    return {
      ...{ few: few.mpps, many: many.mpps, ratio: many.mpps / few.mpps },
      ...{ clocksFew: few.clocks, clocksMany: many.clocks },
      clocksRatio: many.clocks / few.clocks,
    };
  },
};

function pointOf(kind: RoutesPoint['kind'], flows: number): RoutesPoint {
  const label =
    kind === 'new' ? formatCount(MANY) : `${formatCount(MANY)}, ${formatCount(flows)} flows`;
  return { kind, group: kind, label, flows, routes: MANY };
}

async function through(point: RoutesPoint, count: number, bench: Bench): Promise<Measurement> {
  const { kind, flows } = point;
  const options = { flows: tableSize(flows) };
  const sluice = await bench.sluice({ wire: 'memif', services: SERVICES, routes: count, options });
  const clients = kind === 'new' ? bench.nextClients() : 0;
  const run: Run =
    kind === 'new'
      ? { kind: 'setup-udp', window: WINDOW }
      : { kind: 'throughput', directions: 'both', window: WINDOW };
  const among = kind === 'new' ? 4_000_000 : flows;
  return bench.throughSluice(sluice, { population: population(SERVICES, among, { clients }), run });
}
