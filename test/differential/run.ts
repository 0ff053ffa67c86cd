// SPDX-License-Identifier: Apache-2.0

import type { ProgramDelta } from '../../lib/compile/program.js';
import {
  ENGINE_DEFAULTS,
  type Engine,
  type EngineOptions,
  type Explanation,
  type FlowRecord,
  INTERFACE_COUNTERS,
  type Tuple,
  WORKER_COUNTERS,
} from '../../lib/engine/engine.js';
import { DROP_REASONS } from '../../lib/engine/reasons.js';
import { SluiceError } from '../../lib/errors.js';
import { addressText, macBytes, macText } from '../support/packets.js';
import { type Arrival, INTERFACES, MACS, MTUS, SNAT_PORTS, UNFINISHED } from './world.js';

/** Small tables, so that they run full. */
export const OPTIONS: Partial<EngineOptions> = {
  clock: 'manual',
  flows: 8,
  flows6: 7,
  affinities: 8,
  neighbours: 13,
  backends: 64,
  interfaces: 8,
  routes: 12,
  fragments: 5,
  fragmentPackets: 4,
  heldPerNeighbour: 4,
  heldPackets: 10,
  icmpRate: 4,
  snatPortMin: SNAT_PORTS.min,
  snatPortMax: SNAT_PORTS.max,
  timeouts: { ...ENGINE_DEFAULTS.timeouts, tcpEstablished: 300, tcpCloseWait: 60 },
  mbufs: 2_048,
  memory: 64,
};

/** A step of steps.ts, with its frames made. */
export type Happening =
  | {
      kind: 'packets';
      arrivals: readonly Arrival[];
      explain: Arrival | null;
      forwardMs: number;
    }
  | { kind: 'commit'; delta: ProgramDelta }
  | { kind: 'clock'; forwardMs: number }
  | { kind: 'interface'; slot: number }
  | { kind: 'link'; slot: number; up: boolean };

/** Everything that can be seen of an engine after a step, as text, so that differences read well. */
export interface Sight {
  outcome: string;
  frames: string[];
  counters: string[];
  flows: string[];
  occupancy: string;
}

// What differs between the engines by nature: how long things take.
const TIMING = new Set(['polls', 'busyPolls', 'cycles']);
const COUNTED_BACKENDS = 24;

/** An engine under the steps of a run. */
export class Run {
  #now = 1_000_000;

  constructor(readonly engine: Engine) {}

  async prepare(): Promise<void> {
    for (const slot of INTERFACES) await this.#add(slot);
  }

  async take(step: Happening): Promise<{ sight: Sight; frames: Arrival[] }> {
    let outcome = 'ok';
    try {
      outcome = await this.#perform(step);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      outcome = `${error.code} at ${error.path}`;
    }
    const frames = INTERFACES.flatMap((on) =>
      this.engine.receive(on, 4_096).map((frame) => ({ on, frame })),
    );
    const sight = {
      outcome,
      frames: frames.map(({ on, frame }) => `on ${on}: ${Buffer.from(frame).toString('hex')}`),
      counters: this.counters().map(([name, value]) => `${name} ${value}`),
      flows: (await this.engine.flows(1_000)).map(flowText).sort(),
      occupancy: JSON.stringify(this.engine.occupancy()),
    };
    return { sight, frames };
  }

  /** All counters but those of time. */
  counters(): [string, number][] {
    const { values, layout } = this.engine.counters;
    const named: [string, number][] = [
      ...WORKER_COUNTERS.map((name, i): [string, number] => [name, layout.worker + i]),
      ...DROP_REASONS.map((name, i): [string, number] => [name, layout.drops + i]),
      ...INTERFACES.flatMap((slot) =>
        INTERFACE_COUNTERS.map((name, i): [string, number] => [
          `${slot}.${name}`,
          layout.interfaces + slot * INTERFACE_COUNTERS.length + i,
        ]),
      ),
      ...Array.from({ length: COUNTED_BACKENDS }, (_, slot): [string, number] => [
        `backend ${slot}`,
        layout.backends + slot,
      ]),
    ];
    return named
      .filter(([name]) => !TIMING.has(name))
      .map(([name, offset]) => [name, Number(values[offset])]);
  }

  async #perform(step: Happening): Promise<string> {
    if (step.kind === 'commit') return `generation ${await this.engine.commit(step.delta)}`;
    let outcome = 'ok';
    if (step.kind === 'clock') {
      this.#now += step.forwardMs;
    } else if (step.kind === 'interface') {
      await this.engine.removeInterface(step.slot);
      await this.#add(step.slot);
    } else if (step.kind === 'link') {
      await this.engine.setLink(step.slot, step.up);
    } else {
      const { explain, arrivals, forwardMs } = step;
      if (explain !== null) {
        outcome = explanationText(await this.engine.explain(explain.on, explain.frame));
      }
      for (const { on, frame } of arrivals) this.engine.send(on, [frame]);
      this.#now += forwardMs;
    }
    this.engine.step(this.#now);
    return outcome;
  }

  async #add(slot: number): Promise<void> {
    await this.engine.addInterface({
      slot,
      kind: 'memory',
      name: `m${slot}`,
      mac: macBytes(MACS[slot]),
      mtu: MTUS[slot],
      worker: null,
      queues: 1,
      softwareRss: false,
      unfinishedChecksums: UNFINISHED[slot],
      parameters: {},
    });
  }
}

function flowText(flow: FlowRecord): string {
  const end = (address: Uint8Array, port: number) => `${addressText(address)} ${port}`;
  return (
    `${flow.protocol} ${end(flow.client, flow.clientPort)} > ${end(flow.service, flow.servicePort)}` +
    ` > ${end(flow.source, flow.sourcePort)} > ${end(flow.backend, flow.backendPort)}` +
    ` (${flow.backendSlot}) ${flow.state} idle ${flow.idle} ` +
    `${flow.packets}/${flow.bytes} ${flow.replyPackets}/${flow.replyBytes}`
  );
}

function explanationText(explanation: Explanation): string {
  const { tuple, rewrite, route, neighbour, ...rest } = explanation;
  return JSON.stringify({
    ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))),
    tuple: tuple && tupleText(tuple),
    rewrite: rewrite && tupleText(rewrite),
    route: route && [
      route.interface,
      route.gateway && addressText(route.gateway),
      route.mac && macText(route.mac),
    ],
    neighbour: neighbour && [
      addressText(neighbour.address),
      neighbour.mac && macText(neighbour.mac),
    ],
  });
}

function tupleText({ source, destination, sourcePort, destinationPort, protocol }: Tuple): string {
  return `${addressText(source)} ${sourcePort} > ${addressText(destination)} ${destinationPort} / ${protocol}`;
}

/** `rx + handedIn = forwarded + answered + host + drops + held + handedOut`, on one engine. */
export function fatesBalance(engine: Engine): boolean {
  const { values, layout } = engine.counters;
  const of = (name: (typeof WORKER_COUNTERS)[number]) =>
    Number(values[layout.worker + WORKER_COUNTERS.indexOf(name)]);
  const drops = DROP_REASONS.reduce((sum, _, i) => sum + Number(values[layout.drops + i]), 0);
  return (
    of('rx') + of('handedIn') ===
    of('forwarded') + of('answered') + of('host') + of('held') + of('handedOut') + drops
  );
}
