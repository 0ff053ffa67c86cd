// SPDX-License-Identifier: Apache-2.0
import type { Case, Point } from '../rig/case.js';
import { type Family, population, type Services } from '../rig/network.js';
import { WINDOW } from '../rig/sizes.js';

interface FragmentsPoint extends Point {
  family: Family;
  bytes: number;
}

type Key = 'sluice' | 'macswap' | 'ratio' | 'clocks';

const FLOWS = 10_000;
const MTU = 1_500;
const SERVICES: Services = { count: 1_000, each: 3, families: [4, 6], protocols: ['udp'] };

export const fragments: Case<FragmentsPoint, Key> = {
  name: 'fragments',
  title: 'Datagrams in fragments, on flows that exist',
  measures:
    'Frames a second, each a fragment for an MTU of 1,500. The ceiling is testpmd’s `macswap`: `5tswap` would swap ports that only a first fragment has.',
  figures: {
    sluice: { title: 'Sluice', unit: 'Mpps' },
    macswap: { title: 'macswap', unit: 'Mpps' },
    ratio: { title: 'of macswap', unit: '' },
    clocks: { title: 'clocks', unit: '' },
  },
  panels: [{ title: 'Fragments', figures: ['sluice', 'macswap'] }],
  points: ({ quick }) =>
    ([4, 6] as const).flatMap((family) =>
      (quick ? [4_000] : [2_000, 4_000, 8_000]).map((bytes) => ({
        ...{ group: 'datagrams', label: `IPv${family}, ${bytes} B`, family, bytes },
      })),
    ),
  async round({ family, bytes }, bench) {
    const sluice = await bench.sluice({ wire: 'memif', services: SERVICES, options: {} });
    const measuring = {
      population: population(SERVICES, FLOWS, { family }),
      run: { kind: 'fragments', bytes, mtu: MTU, window: WINDOW },
    } as const;
    const own = await bench.throughSluice(sluice, measuring);
    const ceiling = await bench.throughTestpmd('macswap', 'memif', measuring);
    return {
      ...{ sluice: own.mpps, macswap: ceiling.mpps, ratio: own.mpps / ceiling.mpps },
      clocks: own.clocks,
    };
  },
};
