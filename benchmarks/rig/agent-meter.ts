// SPDX-License-Identifier: Apache-2.0
// What a process costs, measured from within.
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { LOOP_RESOLUTION_MS, type Load, type LoopDelay, type Resident } from './agent-messages.js';
import { monotonic } from './monotonic.js';

/** Event loop delay and CPU time since a mark. */
export class Meter {
  readonly #loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  #at = { now: 0, cpu: 0, mainThread: 0 };

  constructor() {
    this.#loop.enable();
    this.mark();
  }

  mark(): void {
    this.#loop.reset();
    this.#at = times();
  }

  get loop(): LoopDelay {
    const { max } = this.#loop;
    const [p50, p99] = [50, 99].map((percent) => this.#loop.percentile(percent));
    return { p50: p50! / 1e6, p99: p99! / 1e6, max: max / 1e6 };
  }

  get load(): Load {
    const { now, cpu, mainThread } = times();
    const passed = now - this.#at.now;
    return {
      loop: this.loop,
      cpu: (cpu - this.#at.cpu) / passed,
      mainThread: (mainThread - this.#at.mainThread) / passed,
    };
  }
}

export function residentMemory(pid: number | 'self' = 'self'): Resident {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1_024) / 1e6;
  return { now: field('VmRSS'), peak: field('VmHWM'), huge: field('HugetlbPages') };
}

/** In ms. */
function times(): { now: number; cpu: number; mainThread: number } {
  const { user, system } = process.cpuUsage();
  const [onCpu] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
  return { now: monotonic(), cpu: (user + system) / 1e3, mainThread: Number(onCpu) / 1e6 };
}
