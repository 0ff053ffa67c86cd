// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { allowedCpus } from '../../lib/cli/demo/testpmd.js';
import { packageVersion } from '../../lib/cli/package-version.js';
import { nativeAvailability } from '../../lib/engine/native/native.js';

/** What a figure was measured on, and what was measured. */
export interface Machine {
  cpu: string;
  cpus: number;
  memoryGib: number;
  kernel: string;
  /** Of 2 MB: free ones, and all, before the first run. */
  hugepages: { free: number; total: number };
  node: string;
  /**
   * Nanoseconds that a cache line takes from the generator's CPU to the worker's and back: virtual
   * CPUs are moved about, and rates between them move with it. `null`: could not be measured.
   */
  roundTripNs: number | null;
  /** `null`: the addon does not load. */
  dpdk: string | null;
  sluice: string;
  /** `null`: not in a repository. */
  commit: string | null;
  /** The working tree differs from the commit. */
  dirty: boolean;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ROUND_TRIP = `${ROOT}build-generator/round_trip`;
const ROUND_TRIP_MS = 10_000;
const HUGEPAGES = '/sys/kernel/mm/hugepages/hugepages-2048kB/';

export function describeMachine(): Machine {
  const native = nativeAvailability();
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    hugepages: { free: hugepages('free_hugepages'), total: hugepages('nr_hugepages') },
    roundTripNs: roundTrip(),
    node: process.versions.node,
    dpdk: native.available ? native.description.dpdk : null,
    sluice: packageVersion(),
    commit: git('rev-parse', '--short=12', 'HEAD'),
    // Results are written while the others are still measured: they are no change.
    dirty: (git('status', '--porcelain', '--', '.', ':!benchmarks/results') ?? '') !== '',
  };
}

function roundTrip(): number | null {
  const allowed = allowedCpus();
  const args = [allowed[0], allowed.at(-1)].map(String);
  try {
    const said = execFileSync(ROUND_TRIP, args, { encoding: 'utf8', timeout: ROUND_TRIP_MS });
    return Number(said);
  } catch {
    return null;
  }
}

function hugepages(file: string): number {
  try {
    return Number(readFileSync(HUGEPAGES + file, 'utf8'));
  } catch {
    return 0;
  }
}

function git(...args: string[]): string | null {
  try {
    return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return null;
  }
}
