// SPDX-License-Identifier: Apache-2.0
import { formatCount } from '../report/number.js';
import type { Case, Point, Scale } from '../rig/case.js';
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
}

type Key = 'sluice' | 'clocks' | 'io' | 'macswap' | '5tswap' | 'ratio';

const BASE = {
  flows: 10_000,
  services: 1_000,
  frame: 64,
  wire: 'memif',
  spread: 'even',
  ceilings: ['5tswap'],
} as const;

export const forward: Case<ForwardPoint, Key> = {
  name: 'forward',
  title: 'ClusterIP NAT on flow hits, both directions',
  measures:
    'Packets a second through one worker: queries from clients and replies from backends, one for one, UDP, on flows that are in the table. testpmd is the ceiling: same interfaces, rings, bursts and CPU, in turn. Clocks are TSC clocks a packet outside the drivers’ rx and tx calls, counted by the worker.',
  figures: {
    sluice: { title: 'Sluice', unit: 'Mpps' },
    io: { title: 'io', unit: 'Mpps' },
    macswap: { title: 'macswap', unit: 'Mpps' },
    '5tswap': { title: '5tswap', unit: 'Mpps' },
    ratio: { title: 'of 5tswap', unit: '' },
    clocks: { title: 'clocks', unit: '' },
  },
  panels: [
    { title: 'By flows (1k services, 64 B)', group: 'flows', figures: ['sluice', '5tswap'] },
    { title: 'By services and flows (64 B)', group: 'services', figures: ['sluice', '5tswap'] },
    { title: 'By frame (10k flows)', group: 'frame', figures: ['sluice', '5tswap'] },
    { title: 'Clocks a packet, by flows', group: 'flows', figures: ['clocks'] },
  ],
  points,
  async round(point, bench) {
    const services: Services = {
      count: point.services,
      each: 3,
      families: [4],
      protocols: ['udp'],
    };
    const sluice = await bench.sluice({
      wire: point.wire,
      services,
      options: { flows: tableSize(point.flows) },
    });
    const measuring = {
      population: population(services, point.flows, { spread: point.spread }),
      frame: point.frame,
      run: { kind: 'throughput', directions: 'both', window: WINDOW },
    } as const;
    const own = await bench.throughSluice(sluice, measuring);
    const ceilings: Partial<Record<ForwardMode, number>> = {};
    for (const mode of point.ceilings)
      ceilings[mode] = (await bench.throughTestpmd(mode, point.wire, measuring)).mpps;
    return {
      sluice: own.mpps,
      clocks: own.clocks,
      ...ceilings,
      ratio: own.mpps / ceilings['5tswap']!,
    };
  },
};

function points({ quick }: Scale): ForwardPoint[] {
  const flows = quick ? [1_000, 1_000_000] : [1, 100, 1_000, 10_000, 100_000, 1_000_000, 4_000_000];
  const services = quick ? [1, 10_000] : [1, 1_000, 10_000, 100_000];
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
