// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Why kubectl cannot be run, or null. */
export function kubectlObstacle(): string | null {
  const isThere = (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, 'kubectl'), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  return isThere ? null : 'needs kubectl (apt-get install kubernetes-client)';
}

/** Verbs that check objects by a schema of the server's, which not every server here has. */
const VALIDATING = ['apply', 'create', 'replace'];

/**
 * Runs kubectl.
 *
 * @param home - A folder of the caller's: kubectl keeps its caches there.
 * @returns What it printed.
 * @throws Error with what it complained about.
 */
export async function kubectl(
  kubeconfig: string,
  home: string,
  args: readonly string[],
  stdin = '',
): Promise<string> {
  const isValidating = VALIDATING.includes(args[0] ?? '');
  const all = ['--kubeconfig', kubeconfig, ...args, ...(isValidating ? ['--validate=false'] : [])];
  const { PATH, LANG } = process.env;
  const child = spawn('kubectl', all, { env: { PATH, LANG, HOME: home } as NodeJS.ProcessEnv });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${output.stderr.trim() || code}`);
  return output.stdout;
}
