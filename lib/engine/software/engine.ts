// SPDX-License-Identifier: Apache-2.0
import { performance } from 'node:perf_hooks';
import type { InterfaceRequest, ProgramDelta } from '../../compile/program.js';
import { SluiceError } from '../../errors.js';
import type {
  CounterRegion,
  Engine,
  EngineDescription,
  EngineOptions,
  Explanation,
  FlowRecord,
  InterfaceReport,
  LinkEvent,
  Occupancy,
} from '../engine.js';
import { Counters } from './base/counters.js';
import { ProgramState } from './config/program-state.js';
import { flowRecords } from './flow-records.js';
import type { SoftwareInterface } from './interface/interface.js';
import { MemoryInterface } from './interface/memory.js';
import { checkRequest, openInterface } from './interface/open.js';
import { completeOptions } from './options.js';
import { Burst } from './packet/burst.js';
import { poll } from './pipeline.js';
import { Context } from './stage/context.js';
import { explain } from './stage/explain.js';
import { dropHeld } from './stage/neighbour.js';

/** Milliseconds between polls while nothing arrives: for expiry and held packets. */
const IDLE_POLL_MS = 100;

/**
 * The engine in TypeScript: the same program and the same packet path as the native one, without
 * root, compiler or DPDK. It runs on the event loop, a burst of each interface at a time, and carries
 * `memory` and `pcap` interfaces.
 */
export class SoftwareEngine implements Engine {
  readonly description: EngineDescription = {
    kind: 'software',
    dpdk: null,
    cpu: [],
    hugepages: false,
    workers: 1,
    workerCpus: [],
  };
  readonly options: EngineOptions;
  onLink: ((events: LinkEvent[]) => void) | null = null;

  readonly #counters: Counters;
  readonly #program: ProgramState;
  readonly #context: Context;
  readonly #burst = new Burst();
  readonly #interfaces: (SoftwareInterface | null)[];
  // By slot: the link state that was reported last.
  readonly #wasUp: boolean[];
  // Slots whose interface is being opened: files take a while.
  readonly #opening = new Set<number>();
  readonly #timer: NodeJS.Timeout | null;
  #scheduled: NodeJS.Immediate | null = null;
  #events: LinkEvent[] = [];
  #closed = false;

  private constructor(options: EngineOptions) {
    this.options = options;
    this.#counters = new Counters(options);
    this.#interfaces = new Array<SoftwareInterface | null>(options.interfaces).fill(null);
    this.#wasUp = new Array<boolean>(options.interfaces).fill(false);
    this.#program = new ProgramState({
      backends: options.backends,
      interfaces: options.interfaces,
      routes: options.routes,
      hasInterface: (slot) => (this.#interfaces[slot] ?? null) !== null,
    });
    this.#context = new Context(options, this.#program, this.#counters, this.#interfaces);
    this.#timer =
      options.clock === 'real' ? setInterval(() => this.#poll(), IDLE_POLL_MS).unref() : null;
  }

  /** @throws SluiceError `ERR_OPTIONS` */
  static async open(options: Partial<EngineOptions> = {}): Promise<SoftwareEngine> {
    return new SoftwareEngine(completeOptions(options));
  }

  get counters(): CounterRegion {
    return this.#counters;
  }

  async commit(delta: ProgramDelta): Promise<number> {
    this.#assertOpen();
    return this.#program.commit(delta);
  }

  async addInterface(request: InterfaceRequest): Promise<InterfaceReport> {
    this.#assertOpen();
    checkRequest(request, this.options.interfaces);
    const { slot } = request;
    if (this.#interfaces[slot] !== null || this.#opening.has(slot)) {
      throw new SluiceError('ERR_INTERFACE_EXISTS', `slot ${slot} is taken`, { path: 'slot' });
    }
    this.#opening.add(slot);
    try {
      const made = await openInterface(request, () => this.#epochMs());
      if (this.#closed) {
        made.close();
        this.#assertOpen();
      }
      this.#interfaces[slot] = made;
      this.#wasUp[slot] = made.up;
      this.#schedule();
      return { slot, mac: made.mac.slice(), worker: 0, up: made.up };
    } finally {
      this.#opening.delete(slot);
    }
  }

  async removeInterface(slot: number): Promise<void> {
    this.#assertOpen();
    const gone = this.#interfaceAt(slot);
    this.#context.fragments.removeInterface(slot);
    dropHeld(this.#context, slot);
    this.#interfaces[slot] = null;
    this.#program.removeInterface(slot);
    this.#context.neighbours.removeInterface(slot);
    gone.close();
  }

  async flows(limit: number): Promise<FlowRecord[]> {
    this.#assertOpen();
    const now = Math.floor(this.#nowMs() / 1000);
    const [flows, flows6] = this.#context.flows;
    const records = flowRecords(flows, limit, now);
    return records.concat(flowRecords(flows6, limit - records.length, now));
  }

  occupancy(): Occupancy {
    this.#assertOpen();
    const { flows, affinities, neighbours } = this.#context;
    const { routes, services, backends, pools } = this.#program;
    return {
      flows: flows[0].used,
      flows6: flows[1].used,
      affinities: affinities.used,
      neighbours: neighbours.size,
      routes: routes.size,
      frontends: services.size,
      backends: backends.size,
      pools: pools.size,
    };
  }

  async explain(slot: number, frame: Uint8Array): Promise<Explanation> {
    this.#assertOpen();
    this.#interfaceAt(slot);
    this.#context.setTime(this.#nowMs());
    return explain(this.#context, slot, frame);
  }

  send(slot: number, frames: readonly Uint8Array[]): number {
    this.#assertOpen();
    const taken = this.#memoryAt(slot).put(frames);
    this.#schedule();
    return taken;
  }

  receive(slot: number, max: number): Uint8Array[] {
    this.#assertOpen();
    return this.#memoryAt(slot).take(max);
  }

  async setLink(slot: number, up: boolean): Promise<void> {
    this.#assertOpen();
    this.#memoryAt(slot).up = up;
    this.#noteLinks();
  }

  step(nowMs: number): void {
    this.#assertOpen();
    if (this.options.clock !== 'manual') {
      throw new SluiceError('ERR_OPTIONS', 'step needs the manual clock', { path: 'clock' });
    }
    this.#context.setTime(Math.floor(nowMs));
    this.#pollAt();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#scheduled !== null) clearImmediate(this.#scheduled);
    for (const [slot, each] of this.#interfaces.entries()) {
      each?.close();
      this.#interfaces[slot] = null;
    }
  }

  #poll(): void {
    this.#context.setTime(this.#nowMs());
    this.#pollAt();
    if (this.#hasInput()) this.#schedule();
  }

  // Here and in all that it calls nothing is allocated for a packet of a known flow: no closures, no
  // iterators over slots.
  #pollAt(): void {
    poll(this.#burst, this.#interfaces, this.#context);
    this.#noteLinks();
  }

  #noteLinks(): void {
    for (let slot = 0; slot < this.#interfaces.length; slot++) {
      const each = this.#interfaces[slot];
      if (each === null || each.up === this.#wasUp[slot]) continue;
      this.#wasUp[slot] = each.up;
      this.#report({ slot, up: each.up });
    }
  }

  #hasInput(): boolean {
    for (let slot = 0; slot < this.#interfaces.length; slot++) {
      if (this.#interfaces[slot]?.hasInput) return true;
    }
    return false;
  }

  // Whatever is sent before the event loop turns goes into the same poll.
  #schedule(): void {
    if (this.options.clock === 'manual' || this.#scheduled !== null || this.#closed) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = null;
      this.#poll();
    });
  }

  #report(event: LinkEvent): void {
    if (!event.up) this.#context.neighbours.forgetInterface(event.slot);
    this.#events.push(event);
    if (this.#events.length > 1) return;
    queueMicrotask(() => {
      const events = this.#events;
      this.#events = [];
      this.onLink?.(events);
    });
  }

  #nowMs(): number {
    return this.options.clock === 'manual' ? this.#context.nowMs : Math.floor(performance.now());
  }

  #epochMs(): number {
    return this.options.clock === 'manual' ? this.#context.nowMs : Date.now();
  }

  #memoryAt(slot: number): MemoryInterface {
    const found = this.#interfaceAt(slot);
    if (found instanceof MemoryInterface) return found;
    throw new SluiceError('ERR_INTERFACE_KIND', `interface ${slot} is no memory interface`, {
      path: 'slot',
    });
  }

  #interfaceAt(slot: number): SoftwareInterface {
    const found = this.#interfaces[slot] ?? null;
    if (found !== null) return found;
    throw new SluiceError('ERR_INTERFACE_UNKNOWN', `there is no interface ${slot}`, {
      path: 'slot',
    });
  }

  #assertOpen(): void {
    if (this.#closed) throw new SluiceError('ERR_CLOSED', 'the engine has been closed');
  }
}
