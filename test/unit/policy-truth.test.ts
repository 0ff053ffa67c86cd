// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { Compiler } from '../../lib/compile/compile.js';
import { PROTOCOL_NUMBERS } from '../../lib/compile/policy/policy-rows.js';
import { checkModel } from '../../lib/model/check.js';
import type { Model } from '../../lib/model/model.js';
import {
  readClusterNetworkPolicy,
  readNamespace,
  readNetworkPolicy,
  readPod,
} from '../../lib/sources/kubernetes/objects.js';
import { translatePolicy } from '../../lib/sources/kubernetes/translate-policy.js';
import { POLICY_CASES } from '../support/policy-cases.js';
import { type Cluster, oracleAllows, type Packet } from '../support/policy-oracle.js';
import { PolicyProgram } from '../support/policy-program.js';
import { cluster, packets } from '../support/policy-random.js';
import { NAMESPACES, PARTIES, PODS, PORTS, PROTOCOLS } from '../support/policy-world.js';

const NUMBERS = { ...PROTOCOL_NUMBERS, ICMP: 1 };
const LIMITS = { backends: 1, routes: 100 };
const NO_INTERFACES = new Map();

/** What a node makes of a cluster, one change after the other. */
class Node {
  readonly #compiler = new Compiler(LIMITS);
  readonly #program = new PolicyProgram();
  readonly #name: string | undefined;

  constructor(name?: string) {
    this.#name = name;
  }

  apply(given: Cluster): void {
    const plan = this.#compiler.plan(checkModel(this.#model(given)), NO_INTERFACES);
    this.#program.apply(plan.delta);
    plan.accept();
  }

  /** A plan that nobody accepts. */
  consider(given: Cluster): void {
    this.#compiler.plan(checkModel(this.#model(given)), NO_INTERFACES);
  }

  allows({ protocol, ...packet }: Packet): boolean {
    return this.#program.ask({ ...packet, protocol: NUMBERS[protocol] }).allowed;
  }

  describe() {
    return this.#program.describe();
  }

  #model(given: Cluster): Model {
    const { namespaces, pods, policies } = translatePolicy({
      namespaces: given.namespaces.map(readNamespace),
      pods: given.pods.map(readPod),
      networkPolicies: given.policies
        .filter(({ kind }) => kind === 'NetworkPolicy')
        .map(readNetworkPolicy),
      clusterNetworkPolicies: given.policies
        .filter(({ kind }) => kind === 'ClusterNetworkPolicy')
        .map(readClusterNetworkPolicy),
    });
    const node = this.#name === undefined ? {} : { name: this.#name };
    return { namespaces, pods, policies, node };
  }
}

/** Everybody to everybody, on every port over every protocol. */
const PACKETS: Packet[] = PARTIES.flatMap((parties) =>
  parties.flatMap((source) =>
    parties.flatMap((destination) =>
      PORTS.flatMap((port) =>
        PROTOCOLS.map((protocol): Packet => ({ source, destination, protocol, port })),
      ),
    ),
  ),
);

/** Packets of which somebody has another opinion than the oracle. */
function disputed(given: Cluster, list: readonly Packet[], allows: (packet: Packet) => boolean) {
  return list
    .filter((packet) => allows(packet) !== oracleAllows(given, packet))
    .map((packet) => `${JSON.stringify(packet)}: ${allows(packet)}`);
}

const hairpins = PARTIES.flat().flatMap((address) =>
  PORTS.map((port): Packet => {
    return { source: address, destination: address, protocol: 'TCP', port, byService: true };
  }),
);

const EVERYTHING = [...PACKETS, ...hairpins];
const OF_ONE_FAMILY = EVERYTHING.filter(({ source }) => !source.includes(':'));
const running = new Node();

test('there are 60 cases or more, and no two are called the same', (t) => {
  t.true(POLICY_CASES.length >= 60);
  t.is(new Set(POLICY_CASES.map(({ name }) => name)).size, POLICY_CASES.length);
});

for (const { name, policies } of POLICY_CASES) {
  test.serial(`the truth table: ${name}`, (t) => {
    const given = { namespaces: NAMESPACES, pods: PODS, policies };
    const fresh = new Node();
    fresh.apply(given);
    t.deepEqual(
      disputed(given, EVERYTHING, (packet) => fresh.allows(packet)),
      [],
    );
    running.apply(given);
    t.deepEqual(running.describe(), fresh.describe(), 'after the case before it is the same');
    if (policies.length > 0) {
      const open = PACKETS.filter((packet) => !oracleAllows(given, packet)).length;
      t.log(`${open} of ${PACKETS.length} denied`);
    }
  });
}

test('two nodes, each of which knows the rules of its own pods', (t) => {
  for (const { name, policies } of POLICY_CASES) {
    const pods = PODS.map((pod, index) => ({
      ...pod,
      spec: { ...pod.spec, nodeName: index % 2 === 0 ? 'n0' : 'n1' },
    }));
    const given = { namespaces: NAMESPACES, pods, policies };
    const nodes = [new Node('n0'), new Node('n1')];
    for (const node of nodes) node.apply(given);
    const wrong = disputed(given, OF_ONE_FAMILY, (packet) =>
      nodes.every((node) => node.allows(packet)),
    );
    t.deepEqual(wrong, [], name);
  }
});

const SECTIONS: fc.Arbitrary<readonly (keyof Cluster)[]> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(['policies']) },
  { weight: 2, arbitrary: fc.constant(['pods']) },
  { weight: 1, arbitrary: fc.constant(['namespaces']) },
  { weight: 1, arbitrary: fc.constant(['namespaces', 'pods', 'policies']) },
);

test('random clusters on two nodes, section by section', (t) => {
  const step = fc.record({
    next: cluster,
    changed: SECTIONS,
    some: packets,
    accepted: fc.constantFrom(true, true, true, false),
  });
  fc.assert(
    fc.property(cluster, fc.array(step, { minLength: 1, maxLength: 8 }), (first, steps) => {
      const nodes = [new Node('n0'), new Node('n1')];
      for (const node of nodes) node.apply(first);
      let given = first;
      for (const { next, changed, some, accepted } of steps) {
        const mixed = { ...given };
        for (const section of changed) Object.assign(mixed, { [section]: next[section] });
        if (!accepted) {
          for (const node of nodes) node.consider(mixed);
          continue;
        }
        given = mixed;
        for (const node of nodes) node.apply(given);
        const wrong = disputed(given, some, (packet) => nodes.every((node) => node.allows(packet)));
        t.deepEqual(wrong, []);
        const fresh = new Node('n0');
        fresh.apply(given);
        t.deepEqual(nodes[0]!.describe(), fresh.describe());
      }
    }),
    { numRuns: 150 },
  );
});
