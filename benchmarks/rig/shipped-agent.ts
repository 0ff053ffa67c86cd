// SPDX-License-Identifier: Apache-2.0
// The agent as it is shipped: `sluice agent` from dist/, which the set-up builds.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Resident } from './agent-messages.js';
import { residentMemory } from './agent-meter.js';
import { monotonic } from './monotonic.js';

const MAIN = 'dist/cli/main.js';
const FILE = fileURLToPath(new URL(`../../${MAIN}`, import.meta.url));
const TIMEOUT_MS = 300_000;
const STOP_MS = 10_000;

export const SHIPPED_COMMAND = `node ${MAIN} agent --config agent.json`;

/** One start of a process, from its beginning until it says that it is in step. */
export interface ShippedStart {
  ms: number;
  /** When its engine runs, and it begins to list. */
  before: Resident;
  /** When it is in step. */
  after: Resident;
}

/** Starts it, waits until it is in step, and ends it. @throws Error with what it said, if it does not get there */
export async function startShipped(config: string): Promise<ShippedStart> {
  if (!existsSync(FILE)) throw new Error(`there is no ${MAIN}: npm run build:ts`);
  const began = monotonic();
  const stdio = ['ignore', 'ignore', 'pipe'] as const;
  const child = spawn(process.execPath, [FILE, 'agent', '--config', config], { stdio: [...stdio] });
  const exited = once(child, 'exit');
  const kill = (): void => void child.kill('SIGKILL');
  // It does not outlive this process.
  process.once('exit', kill);
  const late = setTimeout(kill, TIMEOUT_MS);
  const said: string[] = [];
  let before: Resident | null = null;
  try {
    for await (const line of createInterface({ input: child.stderr! })) {
      const now = monotonic();
      said.push(line);
      if (line.includes('"engine started"')) before = residentMemory(child.pid);
      if (before !== null && line.includes('"in step with the API server"'))
        return { ms: now - began, before, after: residentMemory(child.pid) };
    }
    throw new Error(`the agent has ended: ${said.slice(-3).join('; ')}`);
  } finally {
    clearTimeout(late);
    child.stderr?.resume();
    child.kill('SIGTERM');
    const stuck = setTimeout(kill, STOP_MS);
    await exited;
    clearTimeout(stuck);
    process.off('exit', kill);
  }
}
