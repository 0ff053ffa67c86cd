// SPDX-License-Identifier: Apache-2.0
import type { Case, Point } from '../rig/case.js';
import { runProgram } from '../rig/programs.js';

interface TunnelPoint extends Point {
  /** As the program names them: `ipv4/udp/flows:1000/services:1000`. */
  traffic: string;
}

type Key = 'hit' | 'decap' | 'encap' | 'decapRatio' | 'encapRatio';

const PROGRAM = 'tunnel_bench';

export const tunnel: Case<TunnelPoint, Key> = {
  name: 'tunnel',
  title: 'GRE: taking packets out, and putting them in',
  measures:
    'Clocks of a flow’s packet through the stages alone, without an interface: with no tunnel, one that comes in by a GRE tunnel and leaves as it is, and one that comes as it is and leaves by a GRE tunnel; in turn, and of the first. Outer and inner family are the same, no key. `native/stage/tunnel_bench.cc`.',
  figures: {
    hit: { title: 'no tunnel', unit: '' },
    decap: { title: 'out of GRE', unit: '' },
    encap: { title: 'into GRE', unit: '' },
    decapRatio: { title: 'out of GRE, of no tunnel', unit: '' },
    encapRatio: { title: 'into GRE, of no tunnel', unit: '' },
  },
  panels: [{ title: 'Clocks a packet', figures: ['hit', 'decap', 'encap'] }],
  points: ({ quick }) =>
    (quick ? [4] : [4, 6]).flatMap((version) =>
      (quick ? [1_000] : [1_000, 100_000]).map((flows) => ({
        group: `IPv${version}`,
        label: `${flows / 1_000}k flows`,
        traffic: `ipv${version}/udp/flows:${flows}/`,
      })),
    ),
  async round({ traffic }, bench) {
    const { benchmarks } = (await runProgram(bench, PROGRAM, [
      `--benchmark_filter=${traffic}`,
      '--benchmark_format=json',
      '--benchmark_repetitions=1',
      '--benchmark_report_aggregates_only=false',
      `--benchmark_min_time=${bench.scale.seconds / 5}`,
    ])) as { benchmarks: { name: string; clocks: number }[] };
    const clocksOf = (what: string) =>
      benchmarks.find(({ name }) => name.startsWith(`${what}/`))?.clocks ?? Number.NaN;
    const [hit, decap, encap] = [clocksOf('hit'), clocksOf('decap'), clocksOf('encap')];
    return { hit, decap, encap, decapRatio: decap / hit, encapRatio: encap / hit };
  },
};
