// SPDX-License-Identifier: Apache-2.0
import type { ExecutionContext } from 'ava';
import type { InterfaceRequest } from '../../lib/compile/program.js';
import {
  type Engine,
  type EngineOptions,
  INTERFACE_COUNTERS,
  WORKER_COUNTERS,
} from '../../lib/engine/engine.js';
import { DROP_REASONS } from '../../lib/engine/reasons.js';
import { faults, macBytes, type PacketBuilder, packet } from '../support/packets.js';
import { delta, type ProgramLiteral } from '../support/program.js';
import { ENGINES, type EngineUnderTest } from './engines.js';

/**
 * The network of the contract suite: clients on interface 0, pods on interface 1. Hops have static
 * MACs, but those in 10.2.0.0/16 and 10.9.0.0/16, which are asked for by ARP.
 */
export const NET = {
  us: ['02:00:00:00:00:01', '02:00:00:00:00:02'],
  client: { mac: '02:00:00:00:00:aa', address: '10.0.0.9' },
  pod: { mac: '02:00:00:00:00:b2', address: '10.1.0.2' },
  /** One backend: the pod, port 8080 (TCP) and 5353 (UDP). */
  service: '10.96.0.10',
  /** A service whose pool is empty: port 80, TCP. */
  idle: '10.96.0.11',
} as const;

export const ADDRESSES = [
  { on: 0, address: '10.0.0.1/24' },
  { on: 1, address: '10.1.0.1/16' },
  { on: 1, address: '10.2.0.1/16' },
] as const;

export const PROGRAM: ProgramLiteral = {
  frontends: [
    { at: '10.96.0.10:80/tcp', pool: 0 },
    { at: '10.96.0.10:53/udp', pool: 1 },
    { at: '10.96.0.11:80/tcp', pool: 2 },
  ],
  pools: [
    { slot: 0, backends: [{ slot: 0, at: '10.1.0.2:8080' }] },
    { slot: 1, backends: [{ slot: 1, at: '10.1.0.2:5353' }] },
    { slot: 2, backends: [{ slot: 2, at: '10.1.0.2:9000', weight: 0 }] },
  ],
  routes: [
    { to: '10.0.0.0/24', over: 0, mac: NET.client.mac },
    { to: '10.1.0.0/16', over: 1, mac: NET.pod.mac },
    { to: '10.2.0.0/16', over: 1 },
    { to: '10.9.0.0/16', over: 1, via: '10.2.0.7' },
  ],
  addresses: ADDRESSES,
};

/** A memory interface for the rig. */
export function memory(slot: number, more: Partial<InterfaceRequest> = {}): InterfaceRequest {
  return {
    slot,
    kind: 'memory',
    name: `m${slot}`,
    mac: macBytes(NET.us[slot] ?? `02:00:00:00:01:0${slot}`),
    mtu: 1_500,
    worker: null,
    parameters: {},
    ...more,
  };
}

/** An open engine with the network above, and what tests read of it. */
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
  backends: 256,
  interfaces: 8,
  neighbours: 64,
  mbufs: 8_192,
};

/** Registers a case for every engine; the engine is opened, set up and closed around it. */
export function contract(
  title: string,
  body: (rig: Rig) => Promise<void> | void,
  options: Partial<EngineOptions> = {},
): void {
  for (const under of ENGINES) {
    under.test(title, (t) => runCase(t, under, body, options));
  }
}

async function runCase(
  t: ExecutionContext,
  under: EngineUnderTest,
  body: (rig: Rig) => Promise<void> | void,
  options: Partial<EngineOptions>,
): Promise<void> {
  const engine = await under.open({ ...OPTIONS, ...options });
  try {
    await engine.addInterface(memory(0));
    await engine.addInterface(memory(1));
    const rig = new Rig(t, engine);
    await rig.commit(PROGRAM);
    rig.step();
    await body(rig);
    rig.checkFates();
  } finally {
    await engine.close();
  }
}

/** A packet from the client to our side of interface 0. */
export function fromClient(dst: string, more: { ttl?: number; src?: string } = {}): PacketBuilder {
  return packet()
    .eth({ src: NET.client.mac, dst: NET.us[0] })
    .ipv4({ src: NET.client.address, dst, id: 7, ...more });
}

/** A packet from the pod to our side of interface 1. */
export function fromPod(dst: string, src: string = NET.pod.address): PacketBuilder {
  return packet().eth({ src: NET.pod.mac, dst: NET.us[1] }).ipv4({ src, dst, id: 8 });
}

/** A TCP packet of the client to the service. */
export function tcp(flags: string, src = 40_000, dst: string = NET.service): Uint8Array {
  return fromClient(dst).tcp({ src, dst: 80, flags, payload: 'hello' }).build();
}

/** The pod's answer to {@link tcp}. */
export function tcpReply(flags: string, dst = 40_000): Uint8Array {
  return fromPod(NET.client.address).tcp({ src: 8080, dst, flags, payload: 'world' }).build();
}

/** A UDP packet of the client to the service. */
export function udp(src = 40_000, payload = 'query'): Uint8Array {
  return fromClient(NET.service).udp({ src, dst: 53, payload }).build();
}

/** The pod's answer to {@link udp}. */
export function udpReply(dst = 40_000): Uint8Array {
  return fromPod(NET.client.address).udp({ src: 5353, dst, payload: 'answer' }).build();
}
