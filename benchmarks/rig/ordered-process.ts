// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SerialQueue } from '../../lib/proxy/serial-queue.js';

const NODE_OPTIONS = ['--import=tsx'];
const ANSWER_TIMEOUT_MS = 10_000;

interface Failed {
  answer: 'failed';
  why: string;
}

/** In the process: obeys what its parent orders, one order at a time, and ends with it. */
export function obeyParent<Order, Answer>(
  obey: (order: Order) => Promise<Answer>,
  close: () => Promise<void>,
): void {
  process.on('message', (order: Order) => {
    obey(order).then(
      (answer) => process.send?.(answer),
      (error: unknown) => process.send?.({ answer: 'failed', why: String(error) } satisfies Failed),
    );
  });
  process.once('disconnect', () => close().finally(() => process.exit(0)));
  // The parent ends this process in order; Ctrl-C in the terminal is for the parent.
  process.on('SIGINT', () => undefined);
}

/** A process of this folder that does what it is ordered to. */
export class OrderedProcess<Order extends { ask: string }, Answer extends { answer: string }>
  implements AsyncDisposable
{
  readonly command: string;
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #orders = new SerialQueue();

  /** @param name - of the script, without `-process.ts` */
  constructor(name: string) {
    this.#name = name;
    const script = `${name}-process.ts`;
    this.command = `node ${NODE_OPTIONS.join(' ')} benchmarks/rig/${script}`;
    this.#child = fork(fileURLToPath(new URL(script, import.meta.url)), {
      execArgv: NODE_OPTIONS,
      stdio: ['ignore', 2, 2, 'ipc'],
    });
  }

  /** Process id: what it takes of memory can be read from there. */
  get pid(): number {
    return this.#child.pid!;
  }

  /** Stops the whole process for a while, or lets it go on. */
  freeze(frozen: boolean): void {
    if (!this.#hasEnded) this.#child.kill(frozen ? 'SIGSTOP' : 'SIGCONT');
  }

  /** At once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** @throws Error if it cannot, ends, or does not answer in time */
  ask<Kind extends Answer['answer']>(
    order: Order,
    wanted: Kind,
    timeoutMs = ANSWER_TIMEOUT_MS,
  ): Promise<Extract<Answer, { answer: Kind }>> {
    // One order at a time: the next message is the answer.
    return this.#orders.run(async () => {
      const answer = await this.#askNow(order, timeoutMs);
      if (answer.answer === wanted) return answer as Extract<Answer, { answer: Kind }>;
      throw new Error(`${this.#name}: expected ${wanted}, got ${answer.answer}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return;
    this.freeze(false);
    const exited = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    const late = setTimeout(() => this.#child.kill('SIGKILL'), ANSWER_TIMEOUT_MS);
    await exited;
    clearTimeout(late);
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #askNow(order: Order, timeoutMs: number): Promise<Answer> {
    if (this.#hasEnded) throw new Error(`${this.#name} has ended`);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    const { signal } = late;
    try {
      const ended = once(this.#child, 'exit', { signal }).then(([code, by]) => {
        throw new Error(`${this.#name} ended with ${code ?? by}`);
      });
      const message = once(this.#child, 'message', { signal });
      // A channel that has just closed is told of by `ended`.
      this.#child.send(order, () => undefined);
      const [answer] = (await Promise.race([message, ended])) as [Answer | Failed];
      if (isFailed(answer)) throw new Error(`${this.#name}: ${answer.why}`);
      return answer;
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new Error(`${this.#name}: no answer to ${order.ask} in ${timeoutMs / 1000} s`);
    } finally {
      clearTimeout(timer);
      late.abort();
    }
  }
}

function isFailed(answer: { answer: string }): answer is Failed {
  return answer.answer === 'failed';
}
