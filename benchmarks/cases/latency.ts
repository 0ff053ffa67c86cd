// SPDX-License-Identifier: Apache-2.0
import type { Case, Point } from '../rig/case.js';
import type { Measurement } from '../rig/measure.js';
import { population, type Services } from '../rig/network.js';
import { WINDOW } from '../rig/sizes.js';

interface LatencyPoint extends Point {
  /** Of what Sluice carries in the same round. */
  load: number;
}

type Key =
  | 'rate'
  | 'sluice50'
  | 'testpmd50'
  | 'sluice99'
  | 'testpmd99'
  | 'ratio'
  | 'sluice999'
  | 'testpmd999'
  | 'sluiceLost'
  | 'testpmdLost';

const FLOWS = 10_000;
const SERVICES: Services = { count: 1_000, each: 3, families: [4], protocols: ['udp'] };

export const latency: Case<LatencyPoint, Key> = {
  name: 'latency',
  title: 'Time of a packet through the proxy, at a load',
  measures:
    'From the generator’s tx call to its rx call, both directions, 64 B, 10k flows, 1k services. The load is a share of the packets a second that Sluice carries at most, measured anew in each round; testpmd gets the same packets a second, in turn. The generator’s own polling is in the figures of both. This traffic waits for nobody, so a ring can run full when anybody is held up; what was lost then is in the table.',
  figures: {
    rate: { title: 'load', unit: 'Mpps' },
    sluice50: { title: 'Sluice p50', unit: 'us' },
    testpmd50: { title: '5tswap p50', unit: 'us' },
    sluice99: { title: 'Sluice p99', unit: 'us' },
    testpmd99: { title: '5tswap p99', unit: 'us' },
    ratio: { title: 'p99 of 5tswap', unit: '' },
    sluice999: { title: 'Sluice p99.9', unit: 'us' },
    testpmd999: { title: '5tswap p99.9', unit: 'us' },
    sluiceLost: { title: 'Sluice lost', unit: 'ppm' },
    testpmdLost: { title: '5tswap lost', unit: 'ppm' },
  },
  panels: [
    { title: 'p50', figures: ['sluice50', 'testpmd50'] },
    { title: 'p99', figures: ['sluice99', 'testpmd99'] },
    { title: 'p99.9', figures: ['sluice999', 'testpmd999'], scale: 'log' },
  ],
  points: () =>
    [0.1, 0.5, 0.9].map((load) => ({
      ...{ group: 'load', label: `${Math.round(load * 100)} % of capacity` },
      load,
    })),
  async round({ load }, bench) {
    const sluice = await bench.sluice({ wire: 'memif', services: SERVICES, options: {} });
    const traffic = { population: population(SERVICES, FLOWS) };
    const capacity = await bench.throughSluice(sluice, {
      ...traffic,
      run: { kind: 'throughput', directions: 'both', window: WINDOW },
      seconds: bench.scale.seconds / 2,
    });
    const packetsPerSecond = load * capacity.mpps * 1e6;
    const paced = { ...traffic, run: { kind: 'latency', packetsPerSecond } } as const;
    const own = timesOf(await bench.throughSluice(sluice, paced));
    const ceiling = timesOf(await bench.throughTestpmd('5tswap', 'memif', paced));
    return {
      rate: packetsPerSecond / 1e6,
      ...{ sluice50: own.p50, sluice99: own.p99, sluice999: own.p999 },
      ...{ testpmd50: ceiling.p50, testpmd99: ceiling.p99, testpmd999: ceiling.p999 },
      ratio: own.p99 / ceiling.p99,
      ...{ sluiceLost: own.lost, testpmdLost: ceiling.lost },
    };
  },
};

/** In microseconds; what was lost in millionths of what was sent. */
function timesOf({ outcome }: Measurement): Record<'p50' | 'p99' | 'p999' | 'lost', number> {
  if (outcome.latency === null) throw new Error('the generator took no times');
  const { p50, p99, p999 } = outcome.latency;
  const lost = (outcome.lost / outcome.sent) * 1e6;
  return { p50: p50 / 1_000, p99: p99 / 1_000, p999: p999 / 1_000, lost };
}
