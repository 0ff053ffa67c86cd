// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Children } from './children.js';
import { namespaceObstacle } from './namespaces.js';

const PROGRAMS = ['ip', 'nice', 'curl', 'dpdk-testpmd'] as const;

/** Why the demo cannot use network namespaces and DPDK here, in one sentence; `null`: it can. */
export async function nativeObstacle(): Promise<string | null> {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  if (process.geteuid?.() !== 0) return 'network namespaces and tap devices need root';
  const missing = PROGRAMS.filter((name) => which(name) === null);
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
  } catch {
    return '/dev/net/tun is missing, so there are no tap devices';
  }
  return namespaceObstacle(new Children());
}

/** Path of a program, or `null` if PATH has none. */
export function which(name: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}
