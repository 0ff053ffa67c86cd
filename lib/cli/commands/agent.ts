// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { availableParallelism, hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { type Command, Option } from 'commander';
import { runNodeAgent } from '../../agent/agent.js';
import { cleanup } from '../../agent/cleanup.js';
import {
  type EffectiveConfiguration,
  effectiveConfiguration,
  formatConfiguration,
  type Surroundings,
} from '../../agent/effective.js';
import {
  CONFIGURATION_FLAGS,
  type ConfigurationFlag,
  type GivenFlags,
  helpOf,
} from '../../agent/flags.js';
import { AgentLock } from '../../agent/lock.js';
import { STRANGE_FLAGS } from '../../agent/strange-keys.js';
import { SluiceError } from '../../errors.js';
import { resourcesOf } from '../agent/resources.js';
import { collect } from '../choices.js';
import { defaultControlPath, messageOf } from '../control/protocol.js';
import { ControlServer } from '../control/server.js';
import { packageVersion } from '../package-version.js';
import { openLog, untilStopped } from '../service.js';
import type { Terminal } from '../terminal.js';

export function addAgentCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('agent')
    .description('run the agent of a Kubernetes node: in place of kube-proxy, with policy')
    .option('--config <file>', 'YAML of kind AgentConfiguration');
  for (const flag of CONFIGURATION_FLAGS) command.addOption(optionOf(flag));
  command
    .option('--write-config-to <file>', 'write the configuration in force, - for stdout, and end')
    .option('--cleanup [boolean]', 'remove what a killed agent has left, and end')
    .addHelpText(
      'after',
      '\nFlags go before the file of --config; interfaces and routes are added to those of the file.\n' +
        'Durations are written as in Go: 10ms, 30s, 1m30s. SIGTERM and SIGINT end the agent.',
    );
  // Known, so that they can be answered with what there is in their place.
  for (const flag of Object.keys(STRANGE_FLAGS))
    command.addOption(new Option(`${flag === '--v' ? '-v, ' : ''}${flag} [value]`).hideHelp());
  command.action(() => run(givenFlags(command), terminal));
}

function optionOf(row: ConfigurationFlag): Option {
  const { flag, value, placeholder } = row;
  const option = new Option(`${flag} ${placeholder}`, helpOf(row));
  if (value !== 'list' && value !== 'specs') return option;
  return option.argParser((text, previous: readonly string[] = []) => collect(text, previous));
}

function givenFlags(command: Command): GivenFlags {
  return Object.fromEntries(
    command.options.map((option) => [
      option.long,
      command.getOptionValue(option.attributeName()) as GivenFlags[string],
    ]),
  );
}

async function run(flags: GivenFlags, terminal: Terminal): Promise<void> {
  const configuration = await effectiveConfiguration(flags, surroundings());
  const target = flags['--write-config-to'];
  if (typeof target === 'string') return writeConfiguration(configuration, target, terminal);
  if (isSet(flags['--cleanup'])) return cleanUp(configuration, terminal);
  const log = openLog(configuration.logLevel);
  for (const warning of configuration.warnings) log.warn(warning);
  await using lock = await AgentLock.acquire(configuration.lockFile, configuration.nodeName);
  if (lock.wasStale) log.info({ lock: lock.path }, 'the previous agent was killed');
  await using control = await ControlServer.listen(configuration.control);
  await untilStopped(
    (stop) =>
      runNodeAgent({
        configuration,
        log,
        version: packageVersion(),
        stop,
        started: ({ proxy }) => control.serve(resourcesOf(proxy)),
      }),
    () => log.info('the configuration is read at start alone; restart the agent to change it'),
  );
  log.info('stopped');
}

function surroundings(): Surroundings {
  const control = defaultControlPath();
  return {
    hostname: hostname(),
    cpus: availableParallelism(),
    control,
    lockFile: join(dirname(control), 'agent.lock'),
  };
}

async function writeConfiguration(
  configuration: EffectiveConfiguration,
  target: string,
  terminal: Terminal,
): Promise<void> {
  const text = formatConfiguration(configuration);
  if (target === '-') return terminal.out(text);
  try {
    // There may be secrets in it.
    await writeFile(target, text, { mode: 0o600 });
  } catch (cause) {
    const message = `cannot be written: ${messageOf(cause)}`;
    throw new SluiceError('ERR_OPTIONS', message, { path: `--write-config-to ${target}`, cause });
  }
}

async function cleanUp(configuration: EffectiveConfiguration, terminal: Terminal): Promise<void> {
  const { removed, kept } = await cleanup(configuration);
  for (const { path, what } of removed) terminal.out(`removed ${path} (${what})\n`);
  for (const { path, what, why } of kept) terminal.out(`kept ${path} (${what}): ${why}\n`);
  if (removed.length === 0) terminal.out('nothing to remove\n');
}

function isSet(given: GivenFlags[string]): boolean {
  if (given === undefined || given === 'false') return false;
  if (given === true || given === 'true') return true;
  throw new SluiceError('ERR_OPTIONS', `expected true or false, found ${JSON.stringify(given)}`, {
    path: '--cleanup',
  });
}
