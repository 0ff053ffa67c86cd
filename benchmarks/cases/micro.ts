// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Case, Point } from '../rig/case.js';

interface MicroPoint extends Point {
  program: string;
  /** As Google Benchmark calls it. */
  benchmark: string;
}

const FOLDER = fileURLToPath(new URL('../../build-bench/', import.meta.url));
const SUFFIX = '_bench';
/** One or two of each kind: many a table takes longer to fill than to measure. */
const QUICK = [
  /^hit\/ipv[46]\/udp\/flows:(1000|1000000)\/services:1000\//,
  /^(setup|connections|plain)\/.*flows:(1000|65536)\//,
  /^flow_table\/(find_hit|find_miss|insert)\/ipv4\/buckets:32768\//,
  /^(crc32c\/bytes:(16|40)|checksum\/update)\/manual_time/,
  /^(routes|service_table|neighbours)\/(lookup|find_hit)\/ipv4\/\w+:(1000|1024)\//,
  /^(fragments\/in_order\/ipv4|maglev\/build\/backends:3\/)/,
];
const TIMEOUT_MS = 120_000;

export const micro: Case<MicroPoint, 'clocks'> = {
  name: 'micro',
  title: 'Tables, checksums and the packet path alone',
  measures:
    'TSC clocks of one operation, or of one packet through the stages, without an interface: the median over the bursts of a run. Google Benchmark, `native/**/*_bench.cc`.',
  figures: { clocks: { title: 'clocks', unit: '' } },
  panels: [{ title: 'Clocks of one operation', figures: ['clocks'], scale: 'log', layout: 'rows' }],
  points: ({ quick }) =>
    programs().flatMap((program) =>
      benchmarksOf(program)
        .filter((benchmark) => !quick || QUICK.some((wanted) => wanted.test(benchmark)))
        .map((benchmark) => ({
          group: program.slice(0, -SUFFIX.length),
          label: benchmark.replace(/\/manual_time$/, ''),
          ...{ program, benchmark },
        })),
    ),
  async round({ program, benchmark }, bench) {
    const args = [
      `--benchmark_filter=^${benchmark}$`,
      '--benchmark_format=json',
      '--benchmark_repetitions=1',
      '--benchmark_report_aggregates_only=false',
      `--benchmark_min_time=${bench.scale.seconds / 20}`,
    ];
    bench.commands.set(program, [`build-bench/${program}`, ...args.slice(1)].join(' '));
    const timeoutMs = TIMEOUT_MS;
    const { stdout } = await bench.children.run(join(FOLDER, program), args, { timeoutMs });
    const { benchmarks } = JSON.parse(stdout) as { benchmarks: { clocks?: number }[] };
    const clocks = benchmarks[0]?.clocks;
    if (clocks === undefined) throw new Error(`${program} says no clocks of ${benchmark}`);
    return { clocks };
  },
};

/** Those that have been built. */
function programs(): string[] {
  return existsSync(FOLDER)
    ? readdirSync(FOLDER)
        .filter((file) => file.endsWith(SUFFIX))
        .sort()
    : [];
}

function benchmarksOf(program: string): string[] {
  const list = execFileSync(join(FOLDER, program), ['--benchmark_list_tests'], {
    encoding: 'utf8',
  });
  return list.split('\n').filter((line) => line !== '');
}
