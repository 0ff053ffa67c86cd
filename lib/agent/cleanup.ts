// SPDX-License-Identifier: Apache-2.0
import { unlink } from 'node:fs/promises';
import { SluiceError } from '../errors.js';
import type { InterfaceSpec } from '../model/model.js';
import type { EffectiveConfiguration } from './effective.js';
import { AgentLock } from './lock.js';
import { type SocketState, socketState } from './unix-sockets.js';

/** Something that an agent may have left. */
export interface Remains {
  path: string;
  /** `control socket`, `socket of interface up`, ... */
  what: string;
}

export interface CleanupReport {
  removed: Remains[];
  /** What is in the place of a socket of ours and is not for us to remove, and why. */
  kept: (Remains & { why: string })[];
}

const WHY_KEPT: Readonly<Partial<Record<SocketState, string>>> = {
  listening: 'a process listens on it',
  other: 'it is not a socket',
};

/**
 * Removes what an agent leaves that was killed: sockets in the file system. All else goes with its
 * process: the kernel devices of taps, the filter tables of `af_packet` with `kernel=blind`, and
 * memory, for DPDK runs without files.
 *
 * @throws SluiceError `ERR_AGENT` if an agent runs, or something cannot be removed
 */
export async function cleanup(
  configuration: Pick<EffectiveConfiguration, 'control' | 'lockFile' | 'interfaces' | 'nodeName'>,
): Promise<CleanupReport> {
  const { control, lockFile, interfaces, nodeName } = configuration;
  if ((await socketState(control)) === 'listening')
    throw new SluiceError('ERR_AGENT', 'an agent answers here; stop it first', { path: control });
  await using lock = await AgentLock.acquire(lockFile, nodeName);
  const report: CleanupReport = { removed: [], kept: [] };
  if (lock.wasStale) report.removed.push({ path: lockFile, what: 'lock' });
  const control_ = { path: control, what: 'control socket' };
  for (const remains of [control_, ...interfaces.flatMap(socketOf)]) {
    const state = await socketState(remains.path);
    const why = WHY_KEPT[state];
    if (why !== undefined) report.kept.push({ ...remains, why });
    if (state !== 'stale') continue;
    await remove(remains);
    report.removed.push(remains);
  }
  return report;
}

/** Sockets that we make; those that peers make are theirs. */
function socketOf({ kind, name, role, socket }: InterfaceSpec): Remains[] {
  const isOurs = (kind === 'memif' || kind === 'vhost-user') && role !== 'client';
  if (!isOurs || socket === undefined) return [];
  return [{ path: socket, what: `socket of interface ${name}` }];
}

async function remove({ path, what }: Remains): Promise<void> {
  await unlink(path).catch((cause: NodeJS.ErrnoException) => {
    // Somebody was faster.
    if (cause.code === 'ENOENT') return;
    const message = `cannot remove the ${what}: ${cause.message}`;
    throw new SluiceError('ERR_AGENT', message, { path, cause });
  });
}
