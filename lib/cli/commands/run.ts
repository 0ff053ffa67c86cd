// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { LOG_LEVELS } from '../../agent/configuration-schema.js';
import { runAgent } from '../agent/agent.js';
import type { RunFlags } from '../agent/settings.js';
import { collect, controlOption, engineOption, wholeNumber } from '../choices.js';
import { openLog, untilStopped } from '../service.js';

export function addRunCommand(program: Command): void {
  program
    .command('run')
    .description(
      'run the agent: serve the services of Kubernetes manifests, and follow their changes',
    )
    .option(
      '-f, --file <path...>',
      'manifests: files, folders (their *.yaml, *.yml, *.json), - for the standard input',
      [],
    )
    .option(
      '--interface <spec>',
      'attach KIND:NAME[,key=value...], e.g. tap:web-1,netns=web-1; may be repeated',
      collect,
      [],
    )
    .option(
      '--route <spec>',
      'add PREFIX,via=ADDRESS or PREFIX,dev=NAME, either with mac=MAC; may be repeated',
      collect,
      [],
    )
    .addOption(engineOption())
    .option(
      '--config <file>',
      'YAML with interfaces, routes, node, manifests, balancer, serviceProxyName, engine and options',
    )
    .option('--workers <count>', 'worker threads of the dpdk engine', wholeNumber(1))
    .addOption(controlOption())
    .addOption(
      new Option('--log-level <level>', 'least level of the logs, JSON lines on stderr')
        .choices(LOG_LEVELS)
        .default('info'),
    )
    .addHelpText(
      'after',
      '\nManifests and the configuration are read again when they change, and on SIGHUP. A bad one is\n' +
        'logged, and what ran before runs on. SIGTERM and SIGINT end the agent.',
    )
    .action(run);
}

async function run(flags: RunFlags): Promise<void> {
  const log = openLog(flags.logLevel);
  let reload: (cause: string) => void = () => undefined;
  await untilStopped(
    (stop) =>
      runAgent(flags, log, stop, (function_) => {
        reload = function_;
      }),
    () => reload('SIGHUP'),
  );
  log.info('stopped');
}
