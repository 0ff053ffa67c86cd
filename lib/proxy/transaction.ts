// SPDX-License-Identifier: Apache-2.0
import type { Compiler, Plan } from '../compile/compile.js';
import type { Engine } from '../engine/engine.js';
import { SluiceError } from '../errors.js';
import type { CheckedChange } from '../model/checked.js';
import type { CounterReader } from '../observe/counters.js';
import { type BackendEvent, backendEvents, type InterfaceEvent } from './events.js';
import type {
  AttachedInterface,
  InterfaceChange,
  InterfaceTable,
  WantedInterface,
} from './interface-table.js';

/** What a transaction did. */
export interface Outcome {
  /** Something is other than before. */
  changed: boolean;
  /** What went wrong after the change was made. */
  warnings: string[];
  interfaceEvents: InterfaceEvent[];
  backendEvents: BackendEvent[];
}

/**
 * Brings the engine from one state to another, or leaves it as it was. New interfaces are made
 * before the commit and taken away again if anything fails; vanished ones go after it. One that
 * keeps its name while its device changes has to go before its successor comes, since two devices
 * cannot share a socket or a name: it is made again if anything fails.
 */
export class Transactor {
  readonly #engine: Engine;
  readonly #compiler: Compiler;
  readonly #interfaces: InterfaceTable;
  readonly #counters: CounterReader;
  /** By backend slot: what its counter said before the backend had the slot, if not 0. */
  readonly #baselines = new Map<number, number>();
  #generation = 0;

  constructor(
    engine: Engine,
    compiler: Compiler,
    interfaces: InterfaceTable,
    counters: CounterReader,
  ) {
    this.#engine = engine;
    this.#compiler = compiler;
    this.#interfaces = interfaces;
    this.#counters = counters;
  }

  /** Number of the running program; 0 before the first commit. */
  get generation(): number {
    return this.#generation;
  }

  /** Connections that were assigned to the backend since it has its slot. */
  connections(backendSlot: number): number {
    return this.#counters.connections(backendSlot) - (this.#baselines.get(backendSlot) ?? 0);
  }

  /**
   * @param wanted - the interfaces that shall be there; `null`: those that are there
   * @param isWatched - whether anybody asks for the events of backends
   * @throws SluiceError and then nothing has changed
   */
  async run(
    changes: CheckedChange,
    wanted: readonly WantedInterface[] | null,
    isWatched: () => boolean,
  ): Promise<Outcome> {
    const change =
      wanted === null ? this.#interfaces.unchanged() : this.#interfaces.compare(wanted);
    const target: CheckedChange =
      wanted === null ? changes : { ...changes, interfaces: wanted.map(({ checked }) => checked) };
    // Refuses what cannot be, before any device is touched.
    const first = this.#compiler.plan(target, change.slots);
    const devices = new DeviceChange(this.#interfaces, this.#compiler, change);
    let plan: Plan;
    let events: BackendEvent[];
    try {
      await devices.make();
      plan = change.replaced.length === 0 ? first : this.#compiler.plan(target, change.slots);
      events = isWatched() ? backendEvents(plan.backends, this.#compiler.view) : [];
      await this.#commit(plan);
    } catch (error) {
      throw await this.#undo(devices, error);
    }
    for (const kept of change.kept) this.#interfaces.update(kept);
    const warnings = await devices.removeVanished();
    return {
      changed: !plan.empty || devices.events.length > 0,
      warnings,
      interfaceEvents: devices.events,
      backendEvents: events,
    };
  }

  async #commit(plan: Plan): Promise<void> {
    const before: [slot: number, count: number][] = [];
    for (const { backend } of plan.backends.added) {
      const count = this.#counters.connections(backend.slot);
      if (count > 0) before.push([backend.slot, count]);
    }
    if (!plan.empty) this.#generation = await this.#engine.commit(plan.delta);
    plan.accept();
    for (const { backend } of plan.backends.removed) this.#baselines.delete(backend.slot);
    for (const [slot, count] of before) this.#baselines.set(slot, count);
  }

  /** @returns the error to throw: the cause, and what could not be restored */
  async #undo(devices: DeviceChange, cause: unknown): Promise<unknown> {
    const lost = await devices.undo();
    if (devices.replacing && lost.length === 0) {
      const { slots } = this.#interfaces.unchanged();
      try {
        await this.#commit(this.#compiler.plan({}, slots));
      } catch (error) {
        lost.push(`the previous routes: ${messageOf(error)}`);
      }
    }
    if (lost.length === 0) return cause;
    const message = `${messageOf(cause)}; and this could not be restored: ${lost.join('; ')}`;
    const code = cause instanceof SluiceError ? cause.code : 'ERR_ENGINE';
    return new SluiceError(code, message, { cause });
  }
}

/** The devices of one transaction. */
class DeviceChange {
  readonly events: InterfaceEvent[] = [];
  readonly #table: InterfaceTable;
  readonly #compiler: Compiler;
  readonly #change: InterfaceChange;
  readonly #made: AttachedInterface[] = [];
  readonly #unmade: AttachedInterface[] = [];

  constructor(table: InterfaceTable, compiler: Compiler, change: InterfaceChange) {
    this.#table = table;
    this.#compiler = compiler;
    this.#change = change;
  }

  /** An interface that was there has been taken away. */
  get replacing(): boolean {
    return this.#unmade.length > 0;
  }

  async make(): Promise<void> {
    for (const wanted of this.#change.added) await this.#make(wanted);
    for (const wanted of this.#change.replaced) {
      const before = this.#table.get(wanted.checked.name)!;
      await this.#table.detach(before);
      this.#unmade.push(before);
      this.#compiler.forgetInterface(before.slot);
      this.events.push(interfaceEvent(before, 'removed'));
    }
    for (const wanted of this.#change.replaced) await this.#make(wanted);
  }

  /** @returns a sentence for each interface that has gone and cannot be made again */
  async undo(): Promise<string[]> {
    const lost: string[] = [];
    const attempt = async (name: string, work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        lost.push(`interface ${name}: ${messageOf(error)}`);
      }
    };
    for (const made of this.#made.toReversed())
      await attempt(made.checked.name, () => this.#table.detach(made));
    for (const before of this.#unmade)
      await attempt(before.checked.name, () =>
        this.#table.attach(before, before.slot, before.base),
      );
    return lost;
  }

  /** @returns a sentence for each interface that the engine would not remove */
  async removeVanished(): Promise<string[]> {
    const warnings: string[] = [];
    for (const gone of this.#change.removed) {
      try {
        await this.#table.detach(gone);
        this.events.push(interfaceEvent(gone, 'removed'));
      } catch (error) {
        warnings.push(`interface ${gone.checked.name} was not removed: ${messageOf(error)}`);
      }
    }
    return warnings;
  }

  async #make(wanted: WantedInterface): Promise<void> {
    const slot = this.#change.slots.get(wanted.checked.name)!.slot;
    const made = await this.#table.attach(wanted, slot);
    this.#made.push(made);
    this.events.push(interfaceEvent(made, 'added'));
  }
}

function interfaceEvent(attached: AttachedInterface, change: 'added' | 'removed'): InterfaceEvent {
  const { name, kind } = attached.checked;
  return { name, kind, up: change === 'added' && attached.up, change };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
