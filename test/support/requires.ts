// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import anyTest, { type ExecutionContext } from 'ava';
import { nativeAvailability } from '../../lib/engine/native/native.js';

/** What a test may need of the machine. */
export type Need =
  | 'the native addon'
  | 'root'
  | 'hugepages'
  | '/dev/net/tun'
  | 'two CPUs'
  | Program;

/** Programs that tests run. */
const PROGRAMS = [
  'ip',
  'curl',
  'ethtool',
  'nginx',
  'iperf3',
  'wrk',
  'traceroute',
  'tracepath',
  'dpdk-testpmd',
  'kubectl',
] as const;
type Program = (typeof PROGRAMS)[number];

const CHECKS: Readonly<Record<Exclude<Need, Program>, () => boolean>> = {
  'the native addon': () =>
    process.env['SLUICE_ENGINE'] !== 'software' && nativeAvailability().available,
  root: () => process.geteuid?.() === 0,
  hugepages: () => freeHugepages() >= 128,
  '/dev/net/tun': () => accessible('/dev/net/tun', constants.R_OK | constants.W_OK),
  'two CPUs': () => availableParallelism() >= 2,
};

/**
 * Registers tests that need something of the machine. Where it is missing the test is registered as
 * skipped, and its title says what it needs.
 */
export function requires(...needs: Need[]) {
  const obstacle = obstacleOf(...needs);
  return (title: string, body: (t: ExecutionContext) => Promise<void>): void => {
    if (obstacle === null) anyTest.serial(title, body);
    else anyTest.skip(`${title} (${obstacle})`, body);
  };
}

/** What is missing here of what a test needs, or null. */
export function obstacleOf(...needs: Need[]): string | null {
  const missing = needs.filter((need) => !isThere(need));
  return missing.length === 0 ? null : `needs ${missing.join(', ')}`;
}

function isThere(need: Need): boolean {
  const program = PROGRAMS.find((name) => name === need);
  return program === undefined ? CHECKS[need as Exclude<Need, Program>]() : onPath(program);
}

/** Free hugepages of 2 MB. */
export function freeHugepages(): number {
  try {
    return Number(readFileSync('/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages', 'utf8'));
  } catch {
    return 0;
  }
}

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .some((folder) => accessible(join(folder, program), constants.X_OK));
}

function accessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
