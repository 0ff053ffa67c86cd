// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { type AgentNode, CLIENT, CUSTOMER, LINES_PORT } from './agent-node.js';
import { type Asker, type Destinations, type Target, urlOf } from './asking.js';
import type { Tree } from './server/objects.js';
import type { SliceOptions } from './workloads.js';

const PER_SECOND = 20;

/** Ports of a Service that {@link Traffic} goes to, and those of its endpoints. */
export const TRAFFIC_PORTS: Tree[] = [
  { name: 'http', port: 80 },
  { name: 'lines', port: LINES_PORT },
  { name: 'dgram', port: 80, protocol: 'UDP' },
];
export const TRAFFIC_ENDPOINT_PORTS: SliceOptions['ports'] = {
  http: 80,
  lines: LINES_PORT,
  dgram: { port: 80, protocol: 'UDP' },
};

/**
 * Traffic by a Service from a pod and from outside, one by each family: connections that are held and
 * carry numbered lines, new ones at a steady rate, and numbered datagrams from sockets that are kept.
 */
export class Traffic {
  readonly #node: AgentNode;
  readonly #held: Talker[] = [];
  readonly #asking: Promise<Asked>[] = [];
  #isOver = false;

  private constructor(node: AgentNode) {
    this.#node = node;
  }

  /** Begins, and returns when something has been answered to everybody who keeps a socket. */
  static async start(node: AgentNode, to: Destinations): Promise<Traffic> {
    const traffic = new Traffic(node);
    const lines = to.cluster(LINES_PORT);
    const dgram = to.cluster(80, 'UDP');
    traffic.#held.push(
      ...(await Promise.all([
        Talker.start(node, CUSTOMER, 'line-client.mjs', lines.v4, lines),
        Talker.start(node, CLIENT, 'line-client.mjs', lines.v6, lines),
        Talker.start(node, CUSTOMER, 'udp-client.mjs', dgram.v6, dgram),
        Talker.start(node, CLIENT, 'udp-client.mjs', dgram.v4, dgram),
      ])),
    );
    const http = to.cluster(80);
    traffic.#asking.push(traffic.#ask(CUSTOMER, http.v6), traffic.#ask(CLIENT, http.v4));
    return traffic;
  }

  /** Ends it, and says that nothing was lost. */
  async end(t: ExecutionContext): Promise<void> {
    this.#isOver = true;
    for (const talker of this.#held) {
      const { sent, received, broken, inOrder } = await talker.end();
      const what = `${talker.name}: ${received} of ${sent}, ${broken ?? 'whole'}`;
      t.true(sent > 20 && received === sent && broken === null && inOrder, what);
      t.log(what);
    }
    for (const { who, asked, answered, complaint } of await Promise.all(this.#asking)) {
      const what = `${who}: ${answered} of ${asked} new connections ${complaint}`;
      t.true(asked > 0 && answered === asked, what);
      t.log(what);
    }
  }

  async #ask({ name }: Asker, address: string): Promise<Asked> {
    const done: Asked = { who: name, asked: 0, answered: 0, complaint: '' };
    const command = [
      ...['curl', '-sS', '--max-time', '10', '--rate', `${PER_SECOND}/s`],
      ...['-H', 'Connection: close', '-w', '\\n', `${urlOf(address, 80)}[1-${PER_SECOND}]`],
    ];
    while (!this.#isOver) {
      const { stdout, stderr } = await this.#node.exec(name, command).then(
        (text) => ({ stdout: text, stderr: '' }),
        (failed: { stdout: string; stderr: string }) => failed,
      );
      done.asked += PER_SECOND;
      done.answered += stdout.match(/^[a-z]\S* [0-9a-f.:]+$/gm)?.length ?? 0;
      done.complaint += stderr;
    }
    return done;
  }
}

interface Asked {
  who: string;
  asked: number;
  answered: number;
  complaint: string;
}

interface Outcome {
  sent: number;
  received: number;
  /** Why it cannot go on. */
  broken: string | null;
  inOrder: boolean;
  /** Who answered latest. */
  latest?: string;
}

/** A program that keeps a socket and sends numbers by it. */
export class Talker {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! });
  }

  /** Starts it and waits until it is answered. */
  static async start(
    node: AgentNode,
    { name }: Asker,
    script: 'line-client.mjs' | 'udp-client.mjs',
    address: string,
    { port }: Target,
  ): Promise<Talker> {
    const file = fileURLToPath(new URL(`../e2e/${script}`, import.meta.url));
    const words = [process.execPath, file, address, String(port)];
    const talker = new Talker(`${name}, ${script}`, node.start(name, words, 'pipe'));
    const [first] = await once(talker.#lines, 'line');
    if (first !== 'ready') throw new Error(`${talker.name}: ${first}`);
    return talker;
  }

  /** How it stands. For udp-client alone. */
  async state(): Promise<Outcome> {
    const answer = once(this.#lines, 'line');
    this.#child.stdin!.write('\n');
    return JSON.parse((await answer)[0]);
  }

  async end(): Promise<Outcome> {
    const answer = once(this.#lines, 'line');
    this.#child.stdin!.end();
    return JSON.parse((await answer)[0]);
  }
}
