// SPDX-License-Identifier: Apache-2.0
import { addAbortSignal, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { logEvents } from '../../agent/log-events.js';
import { SluiceError } from '../../errors.js';
import type { InterfaceSpec } from '../../model/model.js';
import type { ManifestInput } from '../../proxy/input.js';
import { type ApplyReport, ServiceProxy } from '../../proxy/service-proxy.js';
import { messageOf } from '../control/protocol.js';
import { ControlServer } from '../control/server.js';
import { Reloader } from './reloader.js';
import { resourcesOf } from './resources.js';
import { type RunFlags, readSettings, type Settings } from './settings.js';
import { PathWatcher } from './watch.js';

/** After this time what was refused is read once more. */
const SECOND_LOOK_MS = 100;

/**
 * Runs the agent until `stop` is aborted. Starts completely or not at all; afterwards a bad manifest
 * or configuration is logged, and what ran before runs on.
 *
 * @param onReload - takes the function that asks for a reload
 * @throws SluiceError if it cannot start
 */
export async function runAgent(
  flags: RunFlags,
  log: Logger,
  stop: AbortSignal,
  onReload: (reload: (cause: string) => void) => void,
): Promise<void> {
  const settings = await readSettings(flags);
  const stdin = settings.manifests.includes('-') ? await readStdin(stop) : '';
  await using control = await ControlServer.listen(flags.control);
  if (stop.aborted) return;
  const { interfaces, routes, node } = settings;
  await using proxy = await ServiceProxy.open({ ...settings.open, interfaces, routes, node });
  log.info({ engine: proxy.engine, why: proxy.why }, 'engine started');
  logEvents(proxy, log);

  report(log, 'started', await proxy.apply(manifestsOf(settings, stdin)));
  control.serve(resourcesOf(proxy));
  log.info({ control: flags.control }, 'ready');

  await using follower = new Follower(flags, settings, stdin, proxy, log);
  await follower.start();
  onReload((cause) => follower.reload(cause));
  // What changed before the watch began.
  follower.reload('change');
  if (!stop.aborted)
    await new Promise<void>((resolve) => {
      stop.addEventListener('abort', () => resolve(), { once: true });
    });
  log.info({ cause: stop.reason }, 'stopping');
}

/** The whole standard input, or what came of it before the agent was told to stop. */
async function readStdin(stop: AbortSignal): Promise<string> {
  try {
    return await text(addAbortSignal(stop, process.stdin));
  } catch (error) {
    if (stop.aborted) return '';
    throw new SluiceError('ERR_MANIFEST', messageOf(error), { path: 'stdin', cause: error });
  }
}

/** Follows the manifests and the configuration file. */
class Follower implements AsyncDisposable {
  readonly #flags: RunFlags;
  readonly #stdin: string;
  readonly #proxy: ServiceProxy;
  readonly #log: Logger;
  readonly #watcher: PathWatcher;
  readonly #reloader: Reloader;
  #settings: Settings;

  constructor(
    flags: RunFlags,
    settings: Settings,
    stdin: string,
    proxy: ServiceProxy,
    log: Logger,
  ) {
    this.#flags = flags;
    this.#settings = settings;
    this.#stdin = stdin;
    this.#proxy = proxy;
    this.#log = log;
    this.#reloader = new Reloader((cause) => this.#reload(cause));
    this.#watcher = new PathWatcher(
      () => this.reload('change'),
      (path, error) => log.warn({ path, reason: messageOf(error) }, 'cannot be watched'),
    );
  }

  start(): Promise<void> {
    const { config } = this.#flags;
    const files = this.#settings.manifests.filter((path) => path !== '-');
    return this.#watcher.watch(config === undefined ? files : [config, ...files]);
  }

  reload(cause: string): void {
    this.#reloader.request(cause);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watcher.close();
    await this.#reloader.stop();
  }

  async #reload(cause: string): Promise<void> {
    try {
      await this.#follow(cause).catch(async (error) => {
        if (isClosed(error)) throw error;
        // A file that is still being written reads as half of itself.
        await setTimeout(SECOND_LOOK_MS);
        await this.#follow(cause);
      });
    } catch (error) {
      if (isClosed(error)) return;
      this.#log.error({ cause, ...reasonOf(error) }, 'reload refused; what ran before runs on');
    }
  }

  async #follow(cause: string): Promise<void> {
    const settings = await readSettings(this.#flags);
    const applied = await this.#proxy.apply(this.#inputOf(settings));
    if (!same(settings.open, this.#settings.open))
      this.#log.warn('engine and options of the configuration take effect at the next start');
    const moved = !same(settings.manifests, this.#settings.manifests);
    this.#settings = settings;
    if (moved) await this.start();
    report(this.#log, 'reloaded', applied, cause);
  }

  /** Interfaces, routes and node only where the configuration says something else than it did. */
  #inputOf(settings: Settings): ManifestInput {
    const input = manifestsOf(settings, this.#stdin);
    if (!same(settings.interfaces, this.#settings.interfaces)) {
      const declared = new Set([...settings.interfaces, ...this.#settings.interfaces].map(nameOf));
      const attached = this.#proxy.interfaces.specs().filter((spec) => !declared.has(nameOf(spec)));
      input.interfaces = [...settings.interfaces, ...attached];
    }
    if (!same(settings.routes, this.#settings.routes)) input.routes = settings.routes;
    if (!same(settings.node, this.#settings.node)) input.node = settings.node;
    return input;
  }
}

function manifestsOf(
  { manifests, serviceProxyName, balancer }: Settings,
  stdin: string,
): ManifestInput {
  return {
    manifests,
    stdin: Readable.from([stdin]),
    ...(serviceProxyName !== undefined && { serviceProxyName }),
    ...(balancer !== undefined && { balancer }),
  };
}

function report(log: Logger, what: string, applied: ApplyReport, cause?: string): void {
  const { generation, services, backends, skipped, warnings, changed } = applied;
  // A file that was touched and says what it said before is no news.
  const news = changed || cause !== 'change';
  if (news) for (const warning of warnings) log.warn(warning);
  const level = news ? 'info' : 'debug';
  log[level]({ cause, generation, changed, services, backends, skipped }, what);
}

function reasonOf(error: unknown): { code?: string; path?: string | undefined; reason: string } {
  if (!(error instanceof SluiceError)) return { reason: messageOf(error) };
  return { code: error.code, path: error.path, reason: error.message };
}

function isClosed(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 'ERR_CLOSED';
}

function nameOf(spec: InterfaceSpec): string {
  return spec.name;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
