// SPDX-License-Identifier: Apache-2.0
import { formatCount } from '../report/number.js';
import type { Case, Point } from '../rig/case.js';
import { type Family, population, type Services } from '../rig/network.js';
import { tableSize, WINDOW } from '../rig/sizes.js';

interface Ipv6Point extends Point {
  flows: number;
}

type Key = 'ipv6' | 'ipv4' | '5tswap' | 'ratio' | 'clocks6' | 'clocks4' | 'clocksRatio';

/** The smallest that both families have room in. */
const FRAME = 80;
const SERVICES: Services = { count: 1_000, each: 3, families: [4, 6], protocols: ['udp'] };

export const ipv6: Case<Ipv6Point, Key> = {
  name: 'ipv6',
  title: 'ClusterIP NAT on flow hits, IPv6 against IPv4',
  measures:
    'As `forward`, through one proxy that has 1k services of both families: IPv6, IPv4 and testpmd with the IPv6 traffic in turn. Frames of 80 B, because a UDP datagram over IPv6 that can be checked does not fit into 64 B.',
  figures: {
    ipv6: { title: 'IPv6', unit: 'Mpps' },
    ipv4: { title: 'IPv4', unit: 'Mpps' },
    '5tswap': { title: '5tswap, IPv6', unit: 'Mpps' },
    ratio: { title: 'IPv6 of 5tswap', unit: '' },
    clocks6: { title: 'clocks, IPv6', unit: '' },
    clocks4: { title: 'clocks, IPv4', unit: '' },
    clocksRatio: { title: 'IPv6 clocks of IPv4', unit: '' },
  },
  panels: [
    { title: 'Packets by flows (1k services, 80 B)', figures: ['ipv6', 'ipv4', '5tswap'] },
    { title: 'Clocks a packet', figures: ['clocks6', 'clocks4'] },
  ],
  points: ({ quick }) =>
    (quick ? [1_000, 1_000_000] : [1_000, 10_000, 100_000, 1_000_000]).map((flows) => ({
      ...{ group: 'flows', label: formatCount(flows), flows },
    })),
  async round({ flows }, bench) {
    const size = tableSize(flows);
    const options = { flows: size, flows6: size };
    const sluice = await bench.sluice({ wire: 'memif', services: SERVICES, options });
    const traffic = (family: Family) =>
      ({
        population: population(SERVICES, flows, { family }),
        frame: FRAME,
        run: { kind: 'throughput', directions: 'both', window: WINDOW },
      }) as const;
    const six = await bench.throughSluice(sluice, traffic(6));
    const four = await bench.throughSluice(sluice, traffic(4));
    const ceiling = await bench.throughTestpmd('5tswap', 'memif', traffic(6));
    return {
      ...{ ipv6: six.mpps, ipv4: four.mpps, '5tswap': ceiling.mpps },
      ratio: six.mpps / ceiling.mpps,
      ...{ clocks6: six.clocks, clocks4: four.clocks, clocksRatio: six.clocks / four.clocks },
    };
  },
};
