// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { AddonEngine } from '../../../typings/addon.js';
import type { InterfaceRequest, ProgramDelta } from '../../compile/program.js';
import { ERROR_CODES, type ErrorCode, SluiceError } from '../../errors.js';
import {
  type CounterRegion,
  ENGINE_DEFAULTS,
  type Engine,
  type EngineDescription,
  type EngineOptions,
  type Explanation,
  FLOW_STATES,
  type FlowRecord,
  type InterfaceReport,
  type LinkEvent,
  type Occupancy,
} from '../engine.js';
import { DROP_REASONS } from '../reasons.js';
import { loadAddon } from './addon.js';
import { readFlowRows } from './flow-rows.js';

/** What the addon is, or why there is none. Does not start DPDK. */
export function nativeAvailability():
  | { available: true; description: { dpdk: string; cpu: readonly string[] } }
  | { available: false; why: string } {
  const loaded = loadAddon();
  if ('why' in loaded) return { available: false, why: loaded.why };
  return { available: true, description: loaded.addon.describe() };
}

/** The native engine: C++ on DPDK. One per process at a time. */
export class NativeEngine implements Engine {
  readonly description: EngineDescription;
  readonly options: EngineOptions;
  readonly counters: CounterRegion;
  onLink: ((events: LinkEvent[]) => void) | null = null;
  readonly #engine: AddonEngine;

  /**
   * @throws SluiceError `ERR_ENGINE_UNAVAILABLE` (no addon), `ERR_ENGINE_BUSY`, `ERR_HUGEPAGES`,
   * `ERR_ENGINE`, `ERR_OPTIONS`
   */
  static async open(options: Partial<EngineOptions> = {}): Promise<NativeEngine> {
    const loaded = loadAddon();
    if ('why' in loaded) throw new SluiceError('ERR_ENGINE_UNAVAILABLE', loaded.why);
    const { addon } = loaded;
    const complete = { ...ENGINE_DEFAULTS, ...options };
    let made: NativeEngine | undefined;
    const engine = await typed(() =>
      addon.open(complete, (events) => {
        made?.onLink?.(events);
      }),
    );
    made = new NativeEngine(engine, complete, addon.describe());
    return made;
  }

  private constructor(
    engine: AddonEngine,
    options: EngineOptions,
    build: { dpdk: string; cpu: string[] },
  ) {
    this.#engine = engine;
    this.options = options;
    this.description = {
      kind: 'dpdk',
      dpdk: build.dpdk,
      cpu: build.cpu,
      hugepages: engine.hugepages,
      workers: engine.workers,
      workerCpus: engine.workerCpus,
    };
    const { buffer, stride, layout } = engine.counters;
    this.counters = {
      values: new BigUint64Array(buffer, 0, stride * engine.workers),
      stride,
      workers: engine.workers,
      layout,
    };
  }

  async commit(delta: ProgramDelta): Promise<number> {
    return typed(() => this.#engine.commit(delta));
  }

  async addInterface(request: InterfaceRequest): Promise<InterfaceReport> {
    // af_packet takes over the device's own MAC; every other kind gets one that is like no other.
    const mac = request.mac ?? (request.kind === 'af_packet' ? null : randomMac());
    return typed(() => this.#engine.addInterface({ ...request, mac }));
  }

  async removeInterface(slot: number): Promise<void> {
    return typed(() => this.#engine.removeInterface(slot));
  }

  async flows(limit: number): Promise<FlowRecord[]> {
    return readFlowRows(await typed(() => this.#engine.flows(limit)));
  }

  occupancy(): Occupancy {
    return typed(() => this.#engine.occupancy());
  }

  async explain(slot: number, frame: Uint8Array): Promise<Explanation> {
    const { reason, flow, ...rest } = await typed(() => this.#engine.explain(slot, frame));
    return {
      ...rest,
      reason: reason === null ? null : DROP_REASONS[reason]!,
      flow: flow && { direction: flow.direction, state: FLOW_STATES[flow.state]! },
    };
  }

  send(slot: number, frames: readonly Uint8Array[]): number {
    return typed(() => this.#engine.send(slot, frames));
  }

  receive(slot: number, max: number): Uint8Array[] {
    return typed(() => this.#engine.receive(slot, max));
  }

  async setLink(slot: number, up: boolean): Promise<void> {
    return typed(() => this.#engine.setLink(slot, up));
  }

  step(nowMs: number): void {
    typed(() => this.#engine.step(nowMs));
  }

  async close(): Promise<void> {
    return typed(() => this.#engine.close());
  }
}

/** Locally administered, unicast. */
function randomMac(): Uint8Array {
  const mac = new Uint8Array(randomBytes(6));
  mac[0] = (mac[0]! & 0xfc) | 0x02;
  return mac;
}

/** Calls into the addon; what it throws or rejects with becomes a SluiceError with a stack from here. */
function typed<T>(call: () => T): T {
  try {
    const result = call();
    if (result instanceof Promise) {
      return result.catch((error: unknown) => {
        throw toSluiceError(error);
      }) as T;
    }
    return result;
  } catch (error) {
    throw toSluiceError(error);
  }
}

function toSluiceError(error: unknown): unknown {
  const { code, path, message } = error as { code?: string; path?: string; message: string };
  if (code === undefined || !(code in ERROR_CODES)) return error;
  return new SluiceError(code as ErrorCode, message, {
    cause: error,
    ...(path === undefined ? {} : { path }),
  });
}
