// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Command line of one of the demo's own scripts, which stand beside this file. */
export function scriptCommand(name: 'pod-server' | 'udp-client'): string[] {
  const extension = extname(import.meta.url);
  // From sources, the child needs the loader that this process was started with.
  const loader = extension === '.ts' ? process.execArgv : [];
  return [
    process.execPath,
    ...loader,
    fileURLToPath(new URL(`./${name}${extension}`, import.meta.url)),
  ];
}
