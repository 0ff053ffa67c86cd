// SPDX-License-Identifier: Apache-2.0
import { type ErrorCode, SluiceError } from '../errors.js';
import type { EngineOptionsInput } from '../model/options.js';
import type { AgentConfiguration } from './configuration.js';
import { MAX_FLOWS } from './configuration-schema.js';
import { parseDuration } from './duration.js';

// kube-proxy's `conntrack` as limits and timeouts of the engine, which has no tables of the kernel's.

type Conntrack = NonNullable<AgentConfiguration['conntrack']>;

/** Least size of a flow table. */
const MIN_FLOWS = 16;

/** kube-proxy's, and how many flows an engine has room for where nobody says anything. */
const DEFAULT_MIN = 131_072;

/** What timeouts are called in `conntrack`, and in `options.timeouts`. */
const TIMEOUTS = [
  ['tcpEstablishedTimeout', 'tcpEstablished'],
  ['tcpCloseWaitTimeout', 'tcpCloseWait'],
  ['udpTimeout', 'udpUnreplied'],
  ['udpStreamTimeout', 'udpStream'],
] as const;

/** The options with what `conntrack` says. */
export function withConntrack(
  options: EngineOptionsInput,
  conntrack: Conntrack,
  cpus: number,
): EngineOptionsInput {
  const timeouts = { ...options.timeouts };
  for (const [key, name] of TIMEOUTS) {
    const ms = parseDuration(conntrack[key] ?? '0')!;
    if (ms > 0) timeouts[name] = ms / 1_000;
  }
  const { maxPerCore, min } = conntrack;
  const isLeft = maxPerCore === 0 || (maxPerCore ?? min) === undefined;
  if (isLeft) return { ...options, timeouts };
  const most = Math.max(min ?? DEFAULT_MIN, (maxPerCore ?? 0) * cpus);
  const flows = Math.min(MAX_FLOWS, Math.max(MIN_FLOWS, most));
  return { ...options, timeouts, flows, flows6: flows };
}

/** The options without what `conntrack` says. */
export function withoutConntrack(
  options: EngineOptionsInput,
  conntrack: Conntrack,
): EngineOptionsInput {
  const left = { ...options, timeouts: { ...options.timeouts } };
  if (conntrack.maxPerCore !== undefined || conntrack.min !== undefined) {
    delete left.flows;
    delete left.flows6;
  }
  for (const [key, name] of TIMEOUTS) if (conntrack[key] !== undefined) delete left.timeouts[name];
  return left;
}

/**
 * What `conntrack` says `options` must not say, too.
 * @throws SluiceError of `code`
 */
export function refuseTwice(
  { conntrack = {}, options }: { conntrack?: Conntrack; options?: unknown },
  code: ErrorCode,
): void {
  const { flows, flows6, timeouts } = (options ?? {}) as EngineOptionsInput;
  const refuse = (key: string, other: string): never => {
    const message = `options.${other} says it already; give one of them`;
    throw new SluiceError(code, message, { path: `conntrack.${key}` });
  };
  for (const key of ['maxPerCore', 'min'] as const) {
    if (conntrack[key] === undefined) continue;
    if (flows !== undefined) refuse(key, 'flows');
    if (flows6 !== undefined) refuse(key, 'flows6');
  }
  for (const [key, name] of TIMEOUTS)
    if (conntrack[key] !== undefined && timeouts?.[name] !== undefined)
      refuse(key, `timeouts.${name}`);
}
