// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Outcome, Traffic } from './traffic.js';

/** Longer than the generator waits for links, and opens four million flows. */
const GRACE_MS = 120_000;

/**
 * Why there is no outcome. `ERR_OPTION`: a field of the traffic is wrong, the message names it.
 * `ERR_LINK`: the device under test did not answer within ten seconds. `ERR_OPENING`: flows could not
 * be opened through it. `ERR_DPDK`: DPDK or its devices refuse. `ERR_GENERATOR`: the process could
 * not be started, was killed or did not end.
 */
export type GeneratorErrorCode =
  | 'ERR_OPTION'
  | 'ERR_LINK'
  | 'ERR_OPENING'
  | 'ERR_DPDK'
  | 'ERR_GENERATOR';

/** The generator did not come to an outcome. */
export class GeneratorError extends Error {
  readonly code: GeneratorErrorCode;

  constructor(code: GeneratorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GeneratorError';
    this.code = code;
  }
}

/** What the generator tells on its way. */
export type GeneratorEvent =
  /** All flows have been opened. */
  | { event: 'opened'; flows: number; seconds: number }
  /** Twice a second. `seconds` since the warm-up ended, negative before. */
  | { event: 'progress'; seconds: number; packetsPerSecond: number };

type Line =
  | GeneratorEvent
  | { event: 'outcome'; outcome: Outcome }
  | { event: 'error'; code: GeneratorErrorCode; message: string };

/** What a run of the generator may be given. */
export interface GenerateOptions {
  /** Called with each event, in order. */
  onEvent?: (event: GeneratorEvent) => void;
  /** Ends the generator early; the promise then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Runs the generator once, to its end.
 *
 * @param binary - path of `traffic_generator`
 * @throws {@link GeneratorError}; the signal's reason when aborted; what `onEvent` throws
 */
export async function generate(
  binary: string,
  traffic: Traffic,
  { onEvent, signal }: GenerateOptions = {},
): Promise<Outcome> {
  signal?.throwIfAborted();
  const limit = AbortSignal.timeout(
    Math.ceil(GRACE_MS + 1_000 * (traffic.warmUpSeconds + traffic.seconds)),
  );
  const child = spawn(binary, { stdio: ['pipe', 'pipe', 'pipe'] });
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  closed.catch(() => {}); // it is awaited below, but may fail before
  const kill = () => child.kill('SIGKILL');
  for (const each of [signal, limit]) each?.addEventListener('abort', kill);
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2_000);
  });
  child.stdin.on('error', () => {}); // ended before it read; its exit tells why
  child.stdin.end(JSON.stringify(traffic));
  let last: Line | undefined;
  try {
    for await (const text of createInterface({ input: child.stdout })) {
      last = JSON.parse(text) as Line;
      if (last.event === 'opened' || last.event === 'progress') onEvent?.(last);
    }
    const [code, killedBy] = await closed;
    signal?.throwIfAborted();
    if (last?.event === 'outcome' && code === 0) return last.outcome;
    if (last?.event === 'error') throw new GeneratorError(last.code, last.message);
    throw new GeneratorError('ERR_GENERATOR', ending(code, killedBy, limit.aborted, complaint));
  } catch (error) {
    if (error instanceof GeneratorError || signal?.aborted) throw error;
    if (child.pid !== undefined) throw error;
    throw new GeneratorError('ERR_GENERATOR', `${binary} cannot be started`, { cause: error });
  } finally {
    kill();
    for (const each of [signal, limit]) each?.removeEventListener('abort', kill);
  }
}

function ending(
  code: number | null,
  signal: NodeJS.Signals | null,
  late: boolean,
  complaint: string,
): string {
  const how = late ? 'did not end in time' : `ended with ${signal ?? `exit code ${code}`}`;
  return `the generator ${how}${complaint === '' ? '' : `: ${complaint.trim()}`}`;
}
