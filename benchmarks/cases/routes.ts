// SPDX-License-Identifier: Apache-2.0
import { formatCount } from '../report/number.js';
import type { Case, Point } from '../rig/case.js';
import { type Load, throughLoaded } from '../rig/load.js';
import type { Services } from '../rig/network.js';

interface RoutesPoint extends Point, Load {
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
    const few = await throughLoaded(point, { services: SERVICES, routes: 0 }, bench);
    const many = await throughLoaded(point, { services: SERVICES, routes: point.routes }, bench);
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
