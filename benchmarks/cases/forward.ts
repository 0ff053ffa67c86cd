// SPDX-License-Identifier: Apache-2.0
import { formatCount } from '../report/number.js';
import type { Bench } from '../rig/bench.js';
import type { Case, Point, Scale } from '../rig/case.js';
import type { Measurement, Measuring } from '../rig/measure.js';
import { population, type Services, type WireKind } from '../rig/network.js';
import { tableSize, WINDOW } from '../rig/sizes.js';
import type { ForwardMode } from '../rig/testpmd.js';
import type { Population, Traffic } from '../rig/traffic.js';

interface ForwardPoint extends Point {
  flows: number;
  services: number;
  frame: Traffic['frame'];
  wire: WireKind;
  spread: Population['spread'];
  ceilings: readonly ForwardMode[];
  /** Measure a proxy with one service beside it. */
  besideOne: boolean;
}

type Key = 'sluice' | 'one' | 'flat' | ForwardMode | 'ratio' | 'clocks';

const BASE = {
  flows: 10_000,
  services: 1_000,
  frame: 64,
  wire: 'memif',
  spread: 'even',
  ceilings: ['5tswap'],
  besideOne: false,
} as const;

export const forward: Case<ForwardPoint, Key> = {
  name: 'forward',
  title: 'ClusterIP NAT on flow hits, both directions',
  measures:
    'Packets a second through one worker: queries from clients and replies from backends, one for one, UDP, on flows that are in the table. testpmd is the ceiling: same interfaces, rings, bursts and CPU, in turn. Clocks are TSC clocks a packet outside the drivers’ rx and tx calls, counted by the worker.',
  figures: {
    sluice: { title: 'Sluice', unit: 'Mpps' },
    one: { title: '1 service', unit: 'Mpps' },
    flat: { title: 'of 1 service', unit: '' },
    io: { title: 'io', unit: 'Mpps' },
    macswap: { title: 'macswap', unit: 'Mpps' },
    '5tswap': { title: '5tswap', unit: 'Mpps' },
    ratio: { title: 'of 5tswap', unit: '' },
    clocks: { title: 'clocks', unit: '' },
  },
  panels: [
    { title: 'By flows (1k services, 64 B)', group: 'flows', figures: ['sluice', '5tswap'] },
    {
      title: 'By services and flows (64 B)',
      group: 'services',
      figures: ['sluice', 'one', '5tswap'],
    },
    { title: 'By frame (10k flows)', group: 'frame', figures: ['sluice', '5tswap'] },
    { title: 'Clocks a packet, by flows', group: 'flows', figures: ['clocks'] },
  ],
  points,
  async round(point, bench) {
    const own = await through(point, point.services, bench);
    const one = point.besideOne ? (await through(point, 1, bench)).mpps : Number.NaN;
    const ceilings: Partial<Record<ForwardMode, number>> = {};
    for (const mode of point.ceilings) {
      const traffic = measuring(point, point.services);
      ceilings[mode] = (await bench.throughTestpmd(mode, point.wire, traffic)).mpps;
    }
    const ratio = own.mpps / (ceilings['5tswap'] ?? Number.NaN);
    return { sluice: own.mpps, one, flat: own.mpps / one, ...ceilings, ratio, clocks: own.clocks };
  },
};

function servicesOf(count: number): Services {
  return { count, each: 3, families: [4], protocols: ['udp'] };
}

async function through(point: ForwardPoint, services: number, bench: Bench): Promise<Measurement> {
  const sluice = await bench.sluice({
    wire: point.wire,
    services: servicesOf(services),
    options: { flows: tableSize(point.flows) },
  });
  return bench.throughSluice(sluice, measuring(point, services));
}

function measuring({ flows, spread, frame }: ForwardPoint, services: number): Measuring {
  return {
    population: population(servicesOf(services), flows, { spread }),
    frame,
    run: { kind: 'throughput', directions: 'both', window: WINDOW },
  };
}

function points({ quick }: Scale): ForwardPoint[] {
  const flows = quick ? [1_000, 1_000_000] : [1, 100, 1_000, 10_000, 100_000, 1_000_000, 4_000_000];
  const services = quick ? [10_000] : [1_000, 10_000, 100_000];
  const perServices = quick ? [10_000] : [1_000, 10_000];
  const frames = quick ? (['imix'] as const) : ([64, 512, 1_500, 'imix'] as const);
  const point = (group: string, label: string, own: Partial<ForwardPoint> = {}): ForwardPoint => ({
    ...BASE,
    ...own,
    group,
    label,
  });
  return [
    ...flows.map((count) => point('flows', formatCount(count), { flows: count })),
    ...services.flatMap((count) =>
      perServices.map((each) =>
        point('services', `${formatCount(count)}, ${formatCount(each)} flows`, {
          services: count,
          flows: each,
          besideOne: true,
        }),
      ),
    ),
    ...frames.map((frame) =>
      point('frame', typeof frame === 'number' ? `${frame} B` : 'IMIX', { frame }),
    ),
    point('spread', 'Zipf 1.0, 100k flows', { flows: 100_000, spread: { zipf: 1 } }),
    point('ceilings', '10k flows', { ceilings: ['io', 'macswap', '5tswap'] }),
    point('vhost-user', '10k flows', { wire: 'vhost-user' }),
  ];
}
