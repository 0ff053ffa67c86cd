// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { OrderedProcess } from './ordered-process.js';
import type { Answer, Counts, Order, SluiceSetup } from './sluice-messages.js';
import { attachments, type Target } from './target.js';

/** A hundred thousand services take their time. */
const OPEN_TIMEOUT_MS = 300_000;

/** A Sluice under test, in a process of its own. */
export class Sluice implements Target, AsyncDisposable {
  readonly name = 'sluice';
  readonly command: string;
  readonly attachments: Target['attachments'];
  readonly #process: OrderedProcess<Order, Answer>;

  private constructor(
    process: OrderedProcess<Order, Answer>,
    readonly setup: SluiceSetup,
    folder: string,
  ) {
    this.#process = process;
    this.command = `${process.command} # ${JSON.stringify(setup)}`;
    this.attachments = attachments(setup.wire, folder, 'proxy');
  }

  /**
   * @param folder - for its sockets; made if need be
   * @throws Error if it does not start
   */
  static async start(setup: SluiceSetup, folder: string): Promise<Sluice> {
    mkdirSync(folder, { recursive: true });
    const process = new OrderedProcess<Order, Answer>('sluice');
    try {
      await process.ask({ ask: 'open', setup, folder }, 'opened', OPEN_TIMEOUT_MS);
    } catch (error) {
      process.kill();
      throw error;
    }
    return new Sluice(process, setup, folder);
  }

  async counts(): Promise<Counts> {
    return (await this.#process.ask({ ask: 'counts' }, 'counts')).counts;
  }

  /** Process id: what it takes of memory can be read from there. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Stops the whole process for a while, or lets it go on. */
  freeze(frozen: boolean): void {
    this.#process.freeze(frozen);
  }

  /** At once. */
  kill(): void {
    this.#process.kill();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }
}
