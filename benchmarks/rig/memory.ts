// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/** Memory that a process has asked for, in bytes. */
export interface AskedMemory {
  /** Of address space. */
  virtual: number;
  /** Of hugepages that it has in use: DPDK reserves the address space for them in advance. */
  huge: number;
}

export function memoryOf(pid: number): AskedMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return { virtual: field(status, 'VmSize'), huge: field(status, 'HugetlbPages') };
}

/** How much more `larger` has asked for; tables are in the one kind of memory or in the other. */
export function moreMemory(larger: AskedMemory, smaller: AskedMemory): number {
  return Math.max(larger.virtual - smaller.virtual, larger.huge - smaller.huge);
}

function field(status: string, name: string): number {
  const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  if (kib === undefined) throw new Error(`/proc/PID/status has no ${name}`);
  return Number(kib) * 1_024;
}
