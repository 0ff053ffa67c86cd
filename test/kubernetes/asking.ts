// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { type AgentNode, CLIENT, HOST, REMOTE, SEATS } from './agent-node.js';
import type { Tree } from './server/objects.js';

/** Who asks. */
export interface Asker {
  readonly name: string;
  readonly v4: string;
  readonly v6: string;
}

/** Who is asked: an address of each family. */
export interface Target {
  readonly v4: string;
  readonly v6: string;
  readonly port: number;
  readonly protocol?: 'TCP' | 'UDP';
}

/**
 * What an asker is told, in words: who answers, in order of names, and which source they see
 * (`pod-1 remote, kept`, `pod-1, masqueraded`); of the node itself, whose address it is either way, who
 * answers alone. `refused`, or `silent`.
 */
type Row = readonly [asker: Asker, target: Target, told: string | RegExp];

const UDP_CLIENT = fileURLToPath(new URL('../e2e/udp-client.mjs', import.meta.url));
const TIMES = 10;
/** A change is in force after this time at most. On a busy machine most of it is the asking. */
const WITHIN_MS = 20_000;

/** Everybody is asked, by both families, until all are told what they should, or a time is over. */
export async function told(
  t: ExecutionContext,
  node: AgentNode,
  step: string,
  rows: readonly Row[],
  withinMs = WITHIN_MS,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  const asks = rows.flatMap((row) =>
    (['v4', 'v6'] as const).map((family) => [row, family] as const),
  );
  await Promise.all(
    asks.map(async ([[asker, target, wanted], family]) => {
      const address = target[family];
      let seen: string;
      do seen = await ask(node, asker, address, target);
      while (!matches(seen, wanted) && Date.now() < deadline && (await sleep(50, true)));
      const who = `${step}: ${asker.name} asks ${address} ${target.protocol ?? 'TCP'} ${target.port}`;
      if (typeof wanted === 'string') t.is(seen, wanted, who);
      else t.regex(seen, wanted, who);
    }),
  );
}

function matches(seen: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? seen === wanted : wanted.test(seen);
}

/** Asks some times, each time by a new connection. */
export async function ask(
  node: AgentNode,
  asker: Asker,
  address: string,
  { port, protocol = 'TCP' }: Pick<Target, 'port' | 'protocol'>,
): Promise<string> {
  const command =
    protocol === 'TCP'
      ? [
          // Why a connection failed it says to those alone who want to know all.
          ...['curl', '-sS', '--verbose', '--fail-early', '--connect-timeout', '1.5'],
          ...['--max-time', '5', '-H', 'Connection: close', '-w', '\\n'],
          `${urlOf(address, port)}[1-${TIMES}]`,
        ]
      : [process.execPath, UDP_CLIENT, address, String(port), String(TIMES)];
  const { stdout, stderr } = await node.exec(asker.name, command).then(
    (answered) => ({ stdout: answered, stderr: '' }),
    (failed: { stdout: string; stderr: string }) => failed,
  );
  if (/refused/.test(stdout + stderr)) return 'refused';
  const answers = [...stdout.matchAll(/^([a-z]\S*) ([0-9a-f.:]+)$/gm)];
  if (answers.length === 0) return 'silent';
  if (answers.length < TIMES) return `silent after ${answers.length} answers`;
  return inWords(
    asker,
    answers.map(([, who, source]) => [who!, source!] as const),
  );
}

export function urlOf(address: string, port: number): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}/`;
}

const NODE_ADDRESSES = new Set([
  ...[HOST.v4, HOST.v6, HOST.ours4, HOST.ours6],
  ...SEATS.flatMap(({ gateway4, gateway6 }) => [gateway4, gateway6]),
]);

function inWords(
  asker: Asker,
  answers: readonly (readonly [who: string, source: string])[],
): string {
  const who = [...new Set(answers.map(([name]) => name))].sort().join(' ');
  const sources = answers.map(([, source]) => {
    if (asker.name === HOST.name) return NODE_ADDRESSES.has(source) ? 'of the node' : source;
    if (source === asker.v4 || source === asker.v6) return 'kept';
    return NODE_ADDRESSES.has(source) ? 'masqueraded' : source;
  });
  const seen = [...new Set(sources)].sort().join(' ');
  return seen === 'of the node' ? who : `${who}, ${seen}`;
}

/** The destinations of a Service as the API server has it now. */
export class Destinations {
  readonly #service: Tree;

  constructor(service: Tree) {
    this.#service = service;
  }

  cluster(port = 80, protocol: Target['protocol'] = 'TCP'): Target {
    return { ...byFamily(this.#service.spec.clusterIPs), port, protocol };
  }

  /** On the address that the Node object has. */
  nodePort(port = 80, protocol: Target['protocol'] = 'TCP'): Target {
    return { v4: HOST.v4, v6: HOST.v6, port: this.#nodePortOf(port, protocol), protocol };
  }

  /** As the node's own processes reach it: what is for its kernel's own addresses stays in the kernel. */
  ownNodePort(port = 80, protocol: Target['protocol'] = 'TCP'): Target {
    const { gateway4: v4, gateway6: v6 } = CLIENT;
    return { v4, v6, port: this.#nodePortOf(port, protocol), protocol };
  }

  get healthCheckNodePort(): number {
    return this.#service.spec.healthCheckNodePort;
  }

  #nodePortOf(port: number, protocol: string | undefined): number {
    const found = this.#service.spec.ports.find(
      (each: Tree) => each.port === port && each.protocol === protocol,
    );
    return found.nodePort;
  }
}

/** Of an address of each family. */
export function byFamily(addresses: readonly string[]): { v4: string; v6: string } {
  const of = (isIpv6: boolean) => addresses.find((each) => each.includes(':') === isIpv6)!;
  return { v4: of(false), v6: of(true) };
}

/** Who is asked directly. */
export function directly({ v4, v6 }: Asker, port = 80): Target {
  return { v4, v6, port };
}

/** Where what no service takes ends up. */
export const NOT_OURS = `${REMOTE.name}, kept`;
