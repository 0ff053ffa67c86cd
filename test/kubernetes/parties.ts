// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Owner } from '../e2e/rig.js';

const SCRIPT = fileURLToPath(new URL('party.mjs', import.meta.url));
/** Silence is an answer after so long, from when all that should be answered were. */
const QUIET_MS = 100;
/** What should be answered is waited for so long. Kernels send a SYN again after one and after three seconds. */
const PATIENCE_MS = 3_500;
/** What is over UDP nobody sends again but we. */
const AGAIN_MS = 500;

/** A connection to be made. */
export interface Ask {
  /** Name of the party. */
  readonly from: string;
  readonly source: string;
  readonly destination: string;
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
}

/** Processes that serve and ask, each in a network namespace of its own; see party.mjs. */
export class Parties {
  readonly #all = new Map<string, Party>();

  async start(
    owner: Owner,
    at: string,
    name: string,
    addresses: readonly string[],
    ports: readonly number[],
  ): Promise<void> {
    const words = [SCRIPT, name, addresses.join(), ports.join()];
    const child = spawn('ip', ['netns', 'exec', at, process.execPath, ...words], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    owner.teardown(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    });
    this.#all.set(name, await Party.of(name, child));
  }

  /**
   * Makes all connections at once.
   * @param wanted - which of them should be answered
   * @param gauge - others, that are always answered: while they are, so would be what is not denied
   * @returns Answers, `NAME PORT` or `!CODE`, in the order of the asks; null: silence, twice
   */
  async ask(
    asks: readonly Ask[],
    wanted: readonly boolean[],
    gauge: readonly Ask[],
  ): Promise<(string | null)[]> {
    const answers = new Map<number, string>();
    for (const party of this.#all.values()) party.listener = (id, text) => answers.set(id, text);
    const patiently = async (ids: readonly number[]): Promise<void> => {
      const deadline = Date.now() + PATIENCE_MS;
      let again = Date.now() + AGAIN_MS;
      while (!ids.every((id) => answers.has(id)) && Date.now() < deadline) {
        await sleep(10);
        if (Date.now() < again) continue;
        await this.#tellAll({ again: true });
        again = Date.now() + AGAIN_MS;
      }
      await sleep(QUIET_MS);
    };
    try {
      await this.#send(asks, 0);
      await patiently(asks.map((_, id) => id).filter((id) => wanted[id]));
      await this.#tellAll({ again: true });
      await this.#send(gauge, asks.length);
      await patiently(gauge.map((_, index) => asks.length + index));
    } finally {
      await this.end();
    }
    return asks.map((_, id) => answers.get(id) ?? null);
  }

  /** Opens connections that stay open. @returns The words of each: what it is answered. */
  async hold(asks: readonly Ask[]): Promise<(id: number, ms?: number) => Promise<string | null>> {
    const answers = new Map<number, string>();
    for (const party of this.#all.values()) party.listener = (id, text) => answers.set(id, text);
    const answered = async (id: number, ms: number): Promise<string | null> => {
      const deadline = Date.now() + ms;
      while (!answers.has(id) && Date.now() < deadline) await sleep(10);
      return answers.get(id) ?? null;
    };
    await this.#send(asks, 0);
    for (const id of asks.keys()) await answered(id, PATIENCE_MS);
    return async (id, ms = PATIENCE_MS) => {
      answers.delete(id);
      await this.#all.get(asks[id]!.from)!.tell({ say: id });
      return answered(id, ms);
    };
  }

  /** Lets go of all connections. */
  async end(): Promise<void> {
    await this.#tellAll({ end: true });
  }

  async #send(asks: readonly Ask[], first: number): Promise<void> {
    const byParty = new Map<string, unknown[]>();
    asks.forEach(({ from, source, destination, protocol, port }, index) => {
      const list = byParty.get(from) ?? [];
      byParty.set(from, list);
      list.push([first + index, source, destination, protocol, port]);
    });
    await Promise.all([...byParty].map(([name, ask]) => this.#all.get(name)!.tell({ ask })));
  }

  async #tellAll(command: object): Promise<void> {
    await Promise.all([...this.#all.values()].map((party) => party.tell(command)));
  }
}

class Party {
  listener: (id: number, answer: string) => void = () => undefined;
  readonly #child: ChildProcess;
  /** Of commands that are not done yet. */
  readonly #waiting: (() => void)[] = [];
  readonly #ended: Promise<never>;

  private constructor(name: string, child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'exit').then(() => {
      throw new Error(`${name} has ended`);
    });
    this.#ended.catch(() => undefined);
    child.stdin!.on('error', () => undefined);
  }

  static async of(name: string, child: ChildProcess): Promise<Party> {
    const self = new Party(name, child);
    const lines = createInterface({ input: child.stdout! });
    await Promise.race([once(lines, 'line'), self.#ended]);
    lines.on('line', (line) => {
      if (line === 'sent') self.#waiting.shift()?.();
      const [, id, answer] = /^= (\d+) (.*)$/.exec(line) ?? [];
      if (answer !== undefined) self.listener(Number(id), answer);
    });
    return self;
  }

  /** Resolves when all of it is on its way. */
  async tell(command: object): Promise<void> {
    const done = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`);
    await Promise.race([done, this.#ended]);
  }
}
