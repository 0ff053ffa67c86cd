// SPDX-License-Identifier: Apache-2.0
import type { ExecutionContext } from 'ava';
import { type Cluster, oracleAllows, type Packet } from '../support/policy-oracle.js';
import { addressesOf, NAMESPACE_NAMES, POD_NAMES, PORTS } from '../support/policy-world.js';
import { HOST } from './agent-node.js';
import type { Ask } from './parties.js';
import {
  ELSEWHERE,
  NODE,
  NODE_PORT,
  OUTSIDE,
  type PolicyNet,
  placeOf,
  SERVED,
  serviceOf,
  servicePort,
} from './policy-net.js';

/** A connection, and what the policy is asked about it: behind the choice of an endpoint. */
interface Probe {
  readonly ask: Ask;
  readonly packet: Packet;
  /** Who answers, if it passes: `x-a 80`. */
  readonly answer: string;
}

interface Somebody {
  readonly at: string;
  readonly address: string;
}

/** A change is in force after this time at most. On a busy machine most of it is the asking. */
const WITHIN_MS = 20_000;

type Kind = Pick<Ask, 'protocol' | 'port'>;
const KINDS: readonly Kind[] = PORTS.flatMap((port) =>
  (['TCP', 'UDP'] as const).map((protocol) => ({ protocol, port })),
);
/** Of those that are no pods: what pods ask of each other in full is told apart by address here. */
const FEW_KINDS: readonly Kind[] = [
  { protocol: 'TCP', port: 80 },
  { protocol: 'UDP', port: 81 },
];

const podsOf = (family: 0 | 1): Somebody[] =>
  NAMESPACE_NAMES.flatMap((namespace) =>
    POD_NAMES.map((pod) => ({
      at: placeOf(namespace, pod),
      address: addressesOf(namespace, pod)[family],
    })),
  );

/** Everything that may be asked, in both families. */
export const PROBES: readonly Probe[] = ([0, 1] as const).flatMap((family) => {
  const pods = podsOf(family);
  const node: Somebody = { at: HOST.name, address: NODE[family] };
  const outside = ELSEWHERE[family].map((address) => ({ at: OUTSIDE.name, address }));
  const others = [node, ...outside];
  const between = pods.flatMap((source) =>
    pods.flatMap((destination) => KINDS.map((kind) => probe(source, destination, kind))),
  );
  const across = pods.flatMap((pod) =>
    others.flatMap((other) =>
      FEW_KINDS.flatMap((kind) => [probe(pod, other, kind), probe(other, pod, kind)]),
    ),
  );
  const byService = [...pods, node, outside[0]!].flatMap((source) =>
    SERVED.flatMap(([namespace, pod]) =>
      KINDS.map((kind) => {
        const address = addressesOf(namespace, pod)[family];
        const by = { address: serviceOf(namespace, pod)[family], port: servicePort(kind.port) };
        return probe(source, { at: placeOf(namespace, pod), address }, kind, by);
      }),
    ),
  );
  const byNodePort = outside.map((source) =>
    probe(
      source,
      { at: placeOf('x', 'a'), address: addressesOf('x', 'a')[family] },
      { protocol: 'TCP', port: 80 },
      { address: NODE[family], port: NODE_PORT },
    ),
  );
  return [...between, ...across, ...byService, ...byNodePort];
});

/** The node reaches all pods, and they reach it, whatever the policy. */
const GAUGE: readonly Ask[] = podsOf(0).flatMap((pod) => {
  const node: Somebody = { at: HOST.name, address: NODE[0] };
  return (['TCP', 'UDP'] as const).flatMap((protocol) => [
    probe(node, pod, { protocol, port: 80 }).ask,
    probe(pod, node, { protocol, port: 80 }).ask,
  ]);
});

/** What is true of a table besides what the manifests say. */
export interface TableOptions {
  /** Addresses of pods that are not known: nobody but themselves reaches them, and they reach nobody. */
  readonly shut?: readonly string[];
}

/** How much was asked, for the log. */
export const totals = { tables: 0, probes: 0, denied: 0, rounds: 0 };

/** Everybody asks everybody until all is as the evaluator says, or a time is over. */
export async function check(
  t: ExecutionContext,
  net: PolicyNet,
  step: string,
  cluster: Cluster,
  { shut = [] }: TableOptions = {},
): Promise<void> {
  const wanted = PROBES.map(({ packet }) => {
    const { source, destination, byService } = packet;
    if (source === destination && !byService) return true;
    return !shut.includes(source) && !shut.includes(destination) && oracleAllows(cluster, packet);
  });
  // Those of a pod that is shut do not pass.
  const gauge = GAUGE.filter(
    ({ source, destination }) => !shut.includes(source) && !shut.includes(destination),
  );
  const asks = PROBES.map(({ ask }) => ask);
  const deadline = Date.now() + WITHIN_MS;
  const denied = wanted.filter((each) => !each).length;
  let wrong: string[];
  let rounds = 0;
  do {
    const answers = await net.parties.ask(asks, wanted, gauge);
    rounds++;
    wrong = PROBES.flatMap((each, index) => {
      const right = wanted[index] ? each.answer : null;
      const got = answers[index] ?? null;
      return got === right ? [] : [`${show(each)}: ${got ?? 'silence'}, not ${right ?? 'silence'}`];
    });
  } while (wrong.length > 0 && Date.now() < deadline);
  totals.tables++;
  totals.probes += PROBES.length;
  totals.denied += denied;
  totals.rounds += rounds;
  t.deepEqual(wrong.slice(0, 20), [], `${step}: ${wrong.length} of ${PROBES.length} are wrong`);
  t.log(`${step}: ${denied} of ${PROBES.length} denied, as they should, in round ${rounds}`);
}

function probe(
  { at: from, address: source }: Somebody,
  { at, address }: Somebody,
  { protocol, port }: Kind,
  by: { address: string; port: number } = { address, port },
): Probe {
  return {
    ask: { from, source, destination: by.address, protocol, port: by.port },
    packet: { source, destination: address, protocol, port, byService: by.address !== address },
    answer: `${at} ${port}`,
  };
}

function show({ ask, packet }: Probe): string {
  const way = packet.byService ? ` by ${ask.destination} ${ask.port}` : '';
  return `${packet.source} to ${packet.destination} ${packet.protocol}/${packet.port}${way}`;
}
