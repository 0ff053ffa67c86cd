// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import {
  type EffectiveConfiguration,
  effectiveConfiguration,
  type Surroundings,
} from '../../lib/agent/effective.js';
import type { GivenFlags } from '../../lib/agent/flags.js';
import { folderOf } from './cli.js';

/** What every configuration of the agent begins with. */
export const HEAD = 'apiVersion: sluice.dev/v1alpha1\nkind: AgentConfiguration\n';

/** A machine whose host name is not yet the name of a Node. */
export const SURROUNDINGS: Surroundings = {
  hostname: ' Node-1.example ',
  cpus: 4,
  control: '/run/sluice/control.sock',
  lockFile: '/run/sluice/agent.lock',
};

export function effective(flags: GivenFlags): Promise<EffectiveConfiguration> {
  return effectiveConfiguration(flags, SURROUNDINGS);
}

/** The configuration that a file with this text makes, and further flags. */
export async function effectiveOf(
  t: ExecutionContext,
  text: string,
  flags: GivenFlags = {},
): Promise<EffectiveConfiguration> {
  const file = join(await folderOf(t), 'agent.yaml');
  await writeFile(file, text);
  return effective({ ...flags, '--config': file });
}
