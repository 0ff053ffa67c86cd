// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { Engine } from '../../lib/engine/engine.js';
import { SoftwareEngine } from '../../lib/engine/software/engine.js';
import { FAMILIES, type Family, fromClient, fromPod, memory, PROGRAM } from '../contract/net.js';
import { allocatedBy } from '../support/heap.js';
import { delta, type ProgramLiteral } from '../support/program.js';

/** Of each family and protocol: together a burst each way. */
const FLOWS = 16;
/** Of each interface. */
const BURST = 64;
/** So many polls are watched at once: their frames fit in an interface's ring. */
const POLLS = 8;
const PACKETS = POLLS * 2 * BURST;
/** After so many polls the path has been compiled. */
const WARM_POLLS = 4_000;
const WATCHES = 100;
const ROUNDS = 5;

/** Ports of which both halves of the 32 bits occur. */
const portOf = (flow: number) => 1_024 + flow * 4_000;

/** Datagrams and segments of established connections, both ways, in both families. */
class Traffic {
  readonly #fromClients = FAMILIES.flatMap(queries);
  readonly #fromPods = FAMILIES.flatMap(replies);
  // As large as the time of day: no small integer.
  #now = 1_700_000_000_000;

  constructor(readonly engine: Engine) {}

  /**
   * @param run - to let the engine work
   * @returns what `run` returned
   */
  polls<T>(count: number, run: (work: () => void) => T): T {
    for (let poll = 0; poll < count; poll++) {
      this.engine.send(0, this.#fromClients);
      this.engine.send(1, this.#fromPods);
    }
    const result = run(() => {
      for (let poll = 0; poll < count; poll++) this.engine.step(++this.#now);
    });
    const out = [0, 1].map((slot) => this.engine.receive(slot, count * BURST).length);
    if (out.some((frames) => frames !== count * BURST)) throw new Error(`${out} frames came out`);
    return result;
  }
}

function queries({ service }: Family): Uint8Array[] {
  return Array.from({ length: FLOWS }, (_, flow) => [
    fromClient(service)
      .udp({ src: portOf(flow), dst: 53, payload: 'query' })
      .build(),
    fromClient(service)
      .tcp({ src: portOf(flow), dst: 80, flags: 'ack' })
      .build(),
  ]).flat();
}

function replies({ client }: Family): Uint8Array[] {
  return Array.from({ length: FLOWS }, (_, flow) => [
    fromPod(client)
      .udp({ src: 5353, dst: portOf(flow), payload: 'answer' })
      .build(),
    fromPod(client)
      .tcp({ src: 8080, dst: portOf(flow), flags: 'ack' })
      .build(),
  ]).flat();
}

/** The pod has rules, and the interfaces have sources. */
const POLICY: ProgramLiteral = {
  sources: FAMILIES.flatMap(({ pod, client }) => [
    { on: 0, from: client },
    { on: 1, from: pod },
  ]),
  ruleSets: [{ slot: 0, rules: ['deny @2', 'accept @1', 'deny any'] }],
  identities: [
    { slot: 0, ingress: 0, egress: 0, networks: FAMILIES.map(({ pod }) => pod), selectors: [1] },
    { slot: 1, networks: FAMILIES.map(({ client }) => client), selectors: [1] },
  ],
};

for (const [title, policy] of [
  ['polls allocate nothing for packets of known flows', {}],
  ['nor where a policy has judged them', POLICY],
] as const) {
  test.serial(title, async (t) => {
    const engine = await SoftwareEngine.open({ clock: 'manual' });
    await engine.addInterface(memory(0));
    await engine.addInterface(memory(1));
    await engine.commit(delta({ ...PROGRAM, ...policy }));
    const traffic = new Traffic(engine);
    for (let poll = 0; poll < WARM_POLLS; poll++) traffic.polls(1, (work) => work());
    // Whatever compiles or collects meanwhile disturbs one round or the other, and not all of them.
    const rounds = Array.from(
      { length: ROUNDS },
      () => allocatedBy(WATCHES, (watch) => traffic.polls(POLLS, watch)) / PACKETS,
    );
    t.true(Math.min(...rounds) < 1, `bytes a packet, by round: ${rounds}`);
    await engine.close();
  });
}
