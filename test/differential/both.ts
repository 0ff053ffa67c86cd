// SPDX-License-Identifier: Apache-2.0

import {
  type Engine,
  type EngineOptions,
  INTERFACE_COUNTERS,
  WORKER_COUNTERS,
} from '../../lib/engine/engine.js';
import { DROP_REASONS } from '../../lib/engine/reasons.js';
import { SluiceError } from '../../lib/errors.js';
import { ipText, macBytes } from '../support/packets.js';
import { INTERFACES, MACS, type Step } from './universe.js';

/** Small tables, so that they run full. */
export const OPTIONS: Partial<EngineOptions> = {
  clock: 'manual',
  flows: 16,
  neighbours: 6,
  backends: 64,
  interfaces: 8,
  mbufs: 2048,
  memory: 64,
};

// What differs between the engines by nature: how long things take.
const TIMING = new Set(['polls', 'busyPolls', 'cycles']);
const MTUS = [1500, 1400, 1500];

/** Everything that can be seen of an engine after a step, as text, so that differences read well. */
export interface Sight {
  outcome: string;
  frames: string[];
  counters: string[];
  flows: string[];
}

/** An engine under the steps of a run. */
export class Run {
  #now = 1_000_000;

  constructor(readonly engine: Engine) {}

  async prepare(): Promise<void> {
    for (const slot of INTERFACES) await this.#add(slot);
  }

  async take(step: Step): Promise<Sight> {
    let outcome = 'ok';
    try {
      outcome = await this.#perform(step);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      outcome = `${error.code} at ${error.path}`;
    }
    return {
      outcome,
      frames: INTERFACES.flatMap((slot) =>
        this.engine
          .receive(slot, 4096)
          .map((frame) => `on ${slot}: ${Buffer.from(frame).toString('hex')}`),
      ),
      counters: this.#counters(),
      flows: await this.#flows(),
    };
  }

  async #perform(step: Step): Promise<string> {
    if (step.kind === 'commit') return `generation ${await this.engine.commit(step.delta)}`;
    if (step.kind === 'clock') {
      this.#now += step.forwardMs;
    } else if (step.kind === 'interface') {
      await this.engine.removeInterface(step.slot);
      await this.#add(step.slot);
    } else {
      for (const { on, frame } of step.frames) this.engine.send(on, [frame]);
    }
    this.engine.step(this.#now);
    return 'ok';
  }

  async #add(slot: number): Promise<void> {
    await this.engine.addInterface({
      slot,
      kind: 'memory',
      name: `m${slot}`,
      mac: macBytes(MACS[slot]),
      mtu: MTUS[slot],
      worker: null,
      parameters: {},
    });
  }

  #counters(): string[] {
    const { values, layout } = this.engine.counters;
    const named: [string, number][] = [
      ...WORKER_COUNTERS.filter((name) => !TIMING.has(name)).map((name): [string, number] => [
        name,
        layout.worker + WORKER_COUNTERS.indexOf(name),
      ]),
      ...DROP_REASONS.map((name, i): [string, number] => [name, layout.drops + i]),
      ...INTERFACES.flatMap((slot) =>
        INTERFACE_COUNTERS.map((name, i): [string, number] => [
          `${slot}.${name}`,
          layout.interfaces + slot * INTERFACE_COUNTERS.length + i,
        ]),
      ),
      ...Array.from({ length: 16 }, (_, slot): [string, number] => [
        `backend ${slot}`,
        layout.backends + slot,
      ]),
    ];
    return named.map(([name, at]) => `${name} ${values[at]}`);
  }

  async #flows(): Promise<string[]> {
    const records = await this.engine.flows(1000);
    return records
      .map(
        (flow) =>
          `${flow.protocol} ${ipText(flow.client, 12)}:${flow.clientPort} > ` +
          `${ipText(flow.service, 12)}:${flow.servicePort} > ` +
          `${ipText(flow.backend, 12)}:${flow.backendPort} (${flow.backendSlot}) ${flow.state} ` +
          `idle ${flow.idle} ${flow.packets}/${flow.bytes} ${flow.replyPackets}/${flow.replyBytes}`,
      )
      .concat(`table ${this.engine.flowCount()}`)
      .sort();
  }
}

/** `rx + handedIn = forwarded + answered + host + drops + held + handedOut`, on one engine. */
export function fatesBalance(engine: Engine): boolean {
  const { values, layout } = engine.counters;
  const at = (name: (typeof WORKER_COUNTERS)[number]) =>
    Number(values[layout.worker + WORKER_COUNTERS.indexOf(name)]);
  const drops = DROP_REASONS.reduce((sum, _, i) => sum + Number(values[layout.drops + i]), 0);
  return (
    at('rx') + at('handedIn') ===
    at('forwarded') + at('answered') + at('host') + at('held') + at('handedOut') + drops
  );
}
