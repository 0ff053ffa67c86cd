// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Case, Point } from '../rig/case.js';
import { runProgram } from '../rig/programs.js';

interface MicroPoint extends Point {
  program: string;
  /** Which of the program's benchmarks: a regular expression. */
  filter: string;
}

const NATIVE = fileURLToPath(new URL('../../native/', import.meta.url));
/** Those of a case of their own. */
const NOT_MICRO = ['workers', 'tunnel'];

/** One or two of each kind: many a table takes longer to fill than to measure. */
const QUICK: Readonly<Record<string, string>> = {
  affinity: 'find_hit/places:1024',
  checksum: 'update',
  crc32c: 'bytes:(16|40)/manual_time',
  flow_table: '(find_hit|find_miss|insert)/ipv4/buckets:32768',
  fragments: 'in_order/ipv4',
  maglev: 'backends:3/',
  neighbours: 'find_hit/ipv4/neighbours:1024',
  pipeline:
    '^hit/ipv[46]/udp/flows:(1000|1000000)/services:1000/|^(setup|connections)/.*flows:65536/|^plain/.*flows:1000/',
  policy: 'rules:10000',
  routes: 'ipv4/routes:1000/',
  service_table: 'find_hit/ipv4/frontends:1000/',
};

export const micro: Case<MicroPoint, 'clocks'> = {
  name: 'micro',
  title: 'Tables, checksums and the packet path alone',
  measures:
    'TSC clocks of one operation, or of one packet through the stages, without an interface: the median over the bursts of a run. Google Benchmark, `native/**/*_bench.cc`.',
  figures: { clocks: { title: 'clocks', unit: '' } },
  panels: [{ title: 'Clocks of one operation', figures: ['clocks'], scale: 'log', layout: 'rows' }],
  points: ({ quick }) =>
    programs().map((name) => ({
      ...{ group: name, label: 'all', program: `${name}_bench` },
      filter: quick ? (QUICK[name] ?? '.') : '.',
    })),
  async round({ program, filter }, bench) {
    const args = [
      `--benchmark_filter=${filter}`,
      '--benchmark_format=json',
      '--benchmark_repetitions=1',
      '--benchmark_report_aggregates_only=false',
      `--benchmark_min_time=${bench.scale.seconds / 20}`,
    ];
    const { benchmarks } = (await runProgram(bench, program, args)) as {
      benchmarks: { name: string; clocks: number }[];
    };
    return new Map(
      benchmarks.map(({ name, clocks }) => [name.replace(/\/manual_time$/, ''), { clocks }]),
    );
  },
};

function programs(): string[] {
  return readdirSync(NATIVE, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('_bench.cc'))
    .map((file) => basename(file, '_bench.cc'))
    .filter((name) => !NOT_MICRO.includes(name))
    .sort();
}
