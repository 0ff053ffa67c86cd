// SPDX-License-Identifier: Apache-2.0
import { preferredEngine } from '../../engine/choose.js';
import { SluiceError } from '../../errors.js';
import type { EngineChoice } from '../../model/options.js';
import { brokenOff, cleanUpCheck } from './checks.js';
import { Cleanup } from './cleanup.js';
import { ClusterShop } from './cluster-shop.js';
import { Ending, Interruption } from './ending.js';
import { showLive } from './live.js';
import { openNativeWorld } from './native-demo.js';
import { showOnce } from './once.js';
import { fatesOutcome, formatJson, formatReport, holds, type Outcome } from './outcome.js';
import { nativeObstacle } from './prerequisites.js';
import { keepRolling } from './rollout.js';
import { settledFates } from './settle.js';
import { MANIFESTS } from './shop.js';
import { openSoftwareWorld } from './software-demo.js';
import type { Setting, World } from './world.js';

export interface DemoOptions {
  /** Check everything once and end; else a live table until Ctrl-C. */
  once: boolean;
  /** Print the outcome as one JSON object, as the last line on the standard output. */
  json: boolean;
  engine: EngineChoice;
  /** Path of a file that says where the API server is that the services are to come from. */
  kubeconfig?: string;
}

const ONCE_LIMIT_MS = 120_000;

/**
 * Runs pods, services and real traffic on this machine, and takes everything down again, whatever
 * happens. Progress goes to the standard error.
 *
 * @returns the exit code: 0 if every check holds (or the live table was ended by the user)
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const ending = new Ending();
  const cleanup = new Cleanup();
  const begin = performance.now();
  const say = (line: string): void => {
    const seconds = ((performance.now() - begin) / 1_000).toFixed(1).padStart(5);
    process.stderr.write(`[demo] ${seconds} s  ${line}\n`);
  };
  const setting: Setting = { cleanup, signal: ending.signal, say };
  if (options.once) ending.limit(ONCE_LIMIT_MS);

  const outcome: Outcome = {
    engine: options.engine === 'dpdk' ? 'dpdk' : 'software',
    why: 'no engine was started',
    checks: [],
    services: [],
    fates: { rx: 0, tx: 0, drops: {} },
  };
  let inventory = 'what was made so far';
  let failure: unknown = null;
  try {
    const { kubeconfig } = options;
    const shop = kubeconfig === undefined ? null : await ClusterShop.open(kubeconfig, setting);
    const world = await openWorld(options.engine, setting);
    outcome.engine = world.proxy.engine.kind;
    outcome.why = world.why;
    inventory = world.inventory();
    if (shop === null) await world.proxy.apply({ manifests: MANIFESTS });
    else {
      inventory += `, namespace ${shop.namespace} of the cluster`;
      outcome.cluster = { server: shop.server, namespace: shop.namespace };
      await shop.serve(world.proxy);
    }
    if (options.once) Object.assign(outcome, await showOnce(world, shop, setting));
    else Object.assign(outcome, await showUntilEnded(world, shop, setting, options));
  } catch (error) {
    // What an aborted command says of itself is not why it was aborted.
    failure = ending.signal.aborted ? ending.signal.reason : error;
    outcome.checks.push(brokenOff(failure));
    say(`failed: ${failure instanceof Error ? failure.message : String(failure)}`);
  }
  say('cleaning up');
  const left = await cleanup.run();
  outcome.checks.push(cleanUpCheck(left, inventory));
  ending.dispose();
  report(outcome, options);
  if (failure instanceof Interruption) return failure.exitCode;
  return holds(outcome) ? 0 : 1;
}

/** Network namespaces and DPDK where they can be had, else everything in this process. */
async function openWorld(choice: EngineChoice, setting: Setting): Promise<World> {
  const wanted =
    choice === 'auto' ? preferredEngine() : { kind: choice, why: `engine asks for ${choice}` };
  if (wanted.kind === 'software') return openSoftwareWorld(setting, wanted.why);
  const forced = choice === 'dpdk' || process.env['SLUICE_ENGINE'] === 'dpdk';
  const obstacle = await nativeObstacle();
  if (obstacle !== null) {
    if (forced) throw new SluiceError('ERR_ENGINE_UNAVAILABLE', obstacle, { path: 'engine' });
    return openSoftwareWorld(setting, obstacle);
  }
  try {
    return await openNativeWorld(setting);
  } catch (error) {
    const unavailable = error instanceof SluiceError && error.code === 'ERR_ENGINE_UNAVAILABLE';
    if (forced || !unavailable) throw error;
    return openSoftwareWorld(setting, error.message);
  }
}

async function showUntilEnded(
  world: World,
  shop: ClusterShop | null,
  setting: Setting,
  { json }: DemoOptions,
): Promise<Pick<Outcome, 'fates'>> {
  const { signal } = setting;
  const shown = new AbortController();
  if (shop !== null) void keepRolling(shop, AbortSignal.any([signal, shown.signal]));
  const why = shop === null ? '' : `services of ${shop.namespace} at ${shop.server}; `;
  const titled = { ...world, why: why + world.why };
  try {
    await showLive(titled, setting, json ? process.stderr : process.stdout);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    shown.abort();
  }
  // A time of its own: the run's signal has been given already.
  return { fates: fatesOutcome(await settledFates(world.proxy, AbortSignal.timeout(10_000))) };
}

function report(outcome: Outcome, { once, json }: DemoOptions): void {
  if (once && !json) process.stdout.write(`${formatReport(outcome)}\n`);
  if (json) process.stdout.write(`${formatJson(outcome)}\n`);
  if (!once && !json)
    for (const { name, detail } of outcome.checks)
      process.stderr.write(`[demo] ${name}: ${detail}\n`);
}
