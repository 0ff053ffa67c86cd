// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { destination, pino, stdTimeFunctions } from 'pino';
import { runAgent } from '../agent/agent.js';
import type { RunFlags } from '../agent/settings.js';
import { collect, controlOption, engineOption, wholeNumber } from '../choices.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
const STDERR = 2;

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
  const log = pino(
    {
      level: flags.logLevel,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ fd: STDERR, sync: true }),
  );
  const stop = new AbortController();
  let reload: (cause: string) => void = () => undefined;
  const handlers = {
    SIGTERM: () => stopOrLeave(stop, 'SIGTERM'),
    SIGINT: () => stopOrLeave(stop, 'SIGINT'),
    SIGHUP: () => reload('SIGHUP'),
  };
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  try {
    await runAgent(flags, log, stop.signal, (function_) => {
      reload = function_;
    });
    log.info('stopped');
  } finally {
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
  }
}

/** Whoever asks a second time does not want to wait. */
function stopOrLeave(stop: AbortController, signal: 'SIGTERM' | 'SIGINT'): void {
  if (stop.signal.aborted) process.exit(1);
  stop.abort(signal);
}
