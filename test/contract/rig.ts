// SPDX-License-Identifier: Apache-2.0
import type { ExecutionContext } from 'ava';
import {
  ENGINE_DEFAULTS,
  type Engine,
  type EngineOptions,
  type FlowRecord,
  INTERFACE_COUNTERS,
  type Timeouts,
  WORKER_COUNTERS,
} from '../../lib/engine/engine.js';
import { DROP_REASONS } from '../../lib/engine/reasons.js';
import { faults, type ReadPacket, read } from '../support/packets.js';
import { delta, type ProgramLiteral } from '../support/program.js';
import { ENGINES, type EngineUnderTest } from './engines.js';
import { memory, PROGRAM } from './net.js';

/** An open engine with the network of net.ts, and what tests read of it. */
export class Rig {
  #now = 1_000_000;

  constructor(
    readonly t: ExecutionContext,
    readonly engine: Engine,
  ) {}

  /** Milliseconds. */
  get now(): number {
    return this.#now;
  }

  commit(literal: ProgramLiteral): Promise<number> {
    return this.engine.commit(delta(literal));
  }

  /** Polls `ms` milliseconds after the last poll. */
  step(ms = 1): void {
    this.#now += ms;
    this.engine.step(this.#now);
    this.checkFates();
  }

  /** Lets time pass in one step: `seconds` further as seconds are counted, less `ms` milliseconds. */
  wait(seconds: number, ms = 0): void {
    this.step((Math.floor(this.#now / 1_000) + seconds) * 1_000 - ms - this.#now);
  }

  /** Milliseconds that it takes until every pair and every place has been swept: one sweep in each. */
  get sweepMs(): number {
    const { flows, flows6, affinities } = this.engine.options;
    return Math.ceil(Math.max(flows, flows6, affinities) / 256);
  }

  sweep(): void {
    for (let ms = this.sweepMs; ms > 0; ms--) this.step(1);
  }

  send(slot: number, ...frames: Uint8Array[]): void {
    this.t.is(this.engine.send(slot, frames), frames.length);
  }

  receive(slot: number): Uint8Array[] {
    const frames = this.engine.receive(slot, 4_096);
    for (const frame of frames) this.t.deepEqual(faults(frame), []);
    return frames;
  }

  /** Sends, polls once, and takes what came out of `out`. */
  pass(into: number, out: number, ...frames: Uint8Array[]): Uint8Array[] {
    this.send(into, ...frames);
    this.step();
    return this.receive(out);
  }

  /** As {@link pass}, taken apart. */
  read(into: number, out: number, ...frames: Uint8Array[]): ReadPacket[] {
    return this.pass(into, out, ...frames).map((frame) => read(frame));
  }

  /** As {@link read}, of one frame that one frame comes of. */
  one(into: number, out: number, frame: Uint8Array): ReadPacket {
    const frames = this.read(into, out, frame);
    this.t.is(frames.length, 1, `one frame comes out of interface ${out}`);
    return frames[0];
  }

  /** The only flow there is. */
  async flow(): Promise<FlowRecord> {
    const flows = await this.engine.flows(10);
    this.t.is(flows.length, 1);
    return flows[0];
  }

  counter(name: (typeof WORKER_COUNTERS)[number]): number {
    const { values, layout } = this.engine.counters;
    return Number(values[layout.worker + WORKER_COUNTERS.indexOf(name)]);
  }

  /** Counters of an interface, in the order of `INTERFACE_COUNTERS`. */
  interface(slot: number): number[] {
    const { values, layout } = this.engine.counters;
    const first = layout.interfaces + slot * INTERFACE_COUNTERS.length;
    return Array.from(INTERFACE_COUNTERS, (_, i) => Number(values[first + i]));
  }

  connections(backendSlot: number): number {
    const { values, layout } = this.engine.counters;
    return Number(values[layout.backends + backendSlot]);
  }

  /** Reasons that have been counted. */
  drops(): Record<string, number> {
    const { values, layout } = this.engine.counters;
    const counts = DROP_REASONS.map(
      (reason, i) => [reason, Number(values[layout.drops + i])] as const,
    );
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }

  /** rx + handedIn = forwarded + answered + host + drops + held + handedOut */
  checkFates(): void {
    const drops = Object.values(this.drops()).reduce((a, b) => a + b, 0);
    const fates = (['forwarded', 'answered', 'host', 'held', 'handedOut'] as const).map((name) =>
      this.counter(name),
    );
    const total = fates.reduce((a, b) => a + b, drops);
    this.t.is(total, this.counter('rx') + this.counter('handedIn'), 'every packet has one fate');
  }
}

const OPTIONS: Partial<EngineOptions> = {
  clock: 'manual',
  flows: 1_024,
  flows6: 1_024,
  affinities: 256,
  backends: 256,
  interfaces: 8,
  neighbours: 64,
  routes: 1_024,
  fragments: 64,
  fragmentPackets: 128,
  mbufs: 8_192,
};

/** All timeouts, with some of them changed. Seconds. */
export function timeouts(changed: Partial<Timeouts>): Timeouts {
  return { ...ENGINE_DEFAULTS.timeouts, ...changed };
}

/** Of each state another one, so that which of them ran out can be told. */
export const DISTINCT_TIMEOUTS = timeouts({
  tcpUnreplied: 60,
  tcpSynReceived: 45,
  tcpEstablished: 300,
  tcpCloseWait: 100,
  tcpTimeWait: 80,
  tcpClosed: 10,
  udpUnreplied: 30,
  udpStream: 120,
  sctpUnreplied: 25,
  sctpEstablished: 200,
  sctpClosed: 15,
  icmp: 20,
});

/** Registers a case for every engine; the engine is opened, set up and closed around it. */
export function contract(
  title: string,
  body: (rig: Rig) => Promise<void> | void,
  options: Partial<EngineOptions> = {},
): void {
  withEngine(
    title,
    async (rig) => {
      await rig.engine.addInterface(memory(0));
      await rig.engine.addInterface(memory(1));
      await rig.commit(PROGRAM);
      rig.step();
      await body(rig);
    },
    options,
  );
}

/** As {@link contract}, without interfaces and without a program. */
export function withEngine(
  title: string,
  body: (rig: Rig) => Promise<void> | void,
  options: Partial<EngineOptions> = {},
): void {
  for (const under of ENGINES) under.test(title, (t) => runCase(t, under, body, options));
}

async function runCase(
  t: ExecutionContext,
  under: EngineUnderTest,
  body: (rig: Rig) => Promise<void> | void,
  options: Partial<EngineOptions>,
): Promise<void> {
  const engine = await under.open({ ...OPTIONS, ...options });
  try {
    const rig = new Rig(t, engine);
    await body(rig);
    rig.checkFates();
  } finally {
    await engine.close();
  }
}
