// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SerialQueue } from '../../lib/proxy/serial-queue.js';
import type { Answer, Counts, Order, SluiceSetup } from './sluice-messages.js';
import { attachments, type Target } from './target.js';

const SCRIPT = fileURLToPath(new URL('sluice-process.ts', import.meta.url));
const NODE_OPTIONS = ['--import=tsx'];
/** A hundred thousand services take their time. */
const OPEN_TIMEOUT_MS = 300_000;
const ANSWER_TIMEOUT_MS = 10_000;

/** A Sluice under test, in a process of its own. */
export class Sluice implements Target, AsyncDisposable {
  readonly name = 'sluice';
  readonly command: string;
  readonly attachments: Target['attachments'];
  readonly #child: ChildProcess;
  readonly #orders = new SerialQueue();

  private constructor(
    child: ChildProcess,
    readonly setup: SluiceSetup,
    folder: string,
  ) {
    this.#child = child;
    const options = JSON.stringify(setup);
    this.command = `node ${NODE_OPTIONS.join(' ')} benchmarks/rig/sluice-process.ts # ${options}`;
    this.attachments = attachments(setup.wire, folder, 'proxy');
  }

  /**
   * @param folder - for its sockets; made if need be
   * @throws Error if it does not start
   */
  static async start(setup: SluiceSetup, folder: string): Promise<Sluice> {
    mkdirSync(folder, { recursive: true });
    const child = fork(SCRIPT, { execArgv: NODE_OPTIONS, stdio: ['ignore', 2, 2, 'ipc'] });
    const sluice = new Sluice(child, setup, folder);
    try {
      await sluice.#ask({ ask: 'open', setup, folder }, OPEN_TIMEOUT_MS);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    return sluice;
  }

  async counts(): Promise<Counts> {
    const answer = await this.#ask({ ask: 'counts' });
    if (answer.answer !== 'counts')
      throw new Error(`sluice: expected counts, got ${answer.answer}`);
    return answer.counts;
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

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return;
    this.freeze(false);
    const exited = once(this.#child, 'exit');
    await this.#ask({ ask: 'close' }).catch(() => undefined);
    if (this.#child.connected) this.#child.disconnect();
    const late = setTimeout(() => this.#child.kill('SIGKILL'), ANSWER_TIMEOUT_MS);
    await exited;
    clearTimeout(late);
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #ask(order: Order, timeoutMs = ANSWER_TIMEOUT_MS): Promise<Answer> {
    // One order at a time: the next message is the answer.
    return this.#orders.run(() => this.#askNow(order, timeoutMs));
  }

  async #askNow(order: Order, timeoutMs: number): Promise<Answer> {
    if (this.#hasEnded) throw new Error('sluice has ended');
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    const { signal } = late;
    try {
      const ended = once(this.#child, 'exit', { signal }).then(([code, by]) => {
        throw new Error(`sluice ended with ${code ?? by}`);
      });
      const message = once(this.#child, 'message', { signal });
      // A channel that has just closed is told of by `ended`.
      this.#child.send(order, () => undefined);
      const [answer] = (await Promise.race([message, ended])) as [Answer];
      if (answer.answer === 'failed') throw new Error(`sluice: ${answer.why}`);
      return answer;
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new Error(`sluice: no answer to ${order.ask} in ${timeoutMs / 1000} s`);
    } finally {
      clearTimeout(timer);
      late.abort();
    }
  }
}
