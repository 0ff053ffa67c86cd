// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Children } from './children.js';

// Everything that the demo makes and that outlives a killed process carries the process's number in
// its name, so that a later demo can tell what is in use from what has been abandoned.

export const NETNS_FOLDER = '/var/run/netns';
/** Where DPDK processes keep their sockets. */
export const DPDK_FOLDER = '/var/run/dpdk';

const PREFIX = 'sluice-demo-';

/** Name of something that this process makes. */
export function ownName(what: string): string {
  return `${PREFIX}${process.pid}-${what}`;
}

/** Those of `names` that belong to a demo whose process is gone. */
export function abandonedNames(
  names: readonly string[],
  isAlive: (pid: string) => boolean = (pid) => existsSync(`/proc/${pid}`),
): string[] {
  return names.filter((name) => {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    return pid !== undefined && !isAlive(pid);
  });
}

/**
 * Removes what demos left that were killed before they could clean up.
 * @returns what it was
 */
export async function removeAbandoned(children: Children): Promise<string[]> {
  const namespaces = abandonedIn(NETNS_FOLDER);
  for (const name of namespaces) await children.run('ip', ['netns', 'del', name]);
  const folders = [tmpdir(), DPDK_FOLDER].flatMap((parent) =>
    abandonedIn(parent).map((name) => join(parent, name)),
  );
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  return [...namespaces, ...folders];
}

function abandonedIn(folder: string): string[] {
  return existsSync(folder) ? abandonedNames(readdirSync(folder)) : [];
}
