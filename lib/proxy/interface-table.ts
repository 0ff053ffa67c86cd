// SPDX-License-Identifier: Apache-2.0
import { interfaceRequest } from '../compile/compile.js';
import type { Engine, InterfaceReport, LinkEvent } from '../engine/engine.js';
import { SluiceError } from '../errors.js';
import { formatMac } from '../model/address.js';
import type { CheckedInterface } from '../model/checked.js';
import type { InterfaceSpec } from '../model/model.js';
import type { CounterReader, InterfaceCounts } from '../observe/counters.js';
import type { InterfaceView } from '../observe/views.js';

/** A specification as it was given, and what the check made of it. */
export interface WantedInterface {
  readonly spec: InterfaceSpec;
  readonly checked: CheckedInterface;
  /** Nobody asked for it by name: it is there because of the services. */
  readonly made?: boolean;
}

/** An interface of the engine. */
export interface AttachedInterface extends WantedInterface {
  readonly slot: number;
  readonly report: InterfaceReport;
  up: boolean;
  /** What the slot's counters said before this interface had it. */
  readonly base: InterfaceCounts;
}

/** Which interfaces come and go on the way to a wanted list. Nothing is done yet. */
export interface InterfaceChange {
  readonly added: readonly WantedInterface[];
  /** The name stays, the device does not: another socket, MTU, MAC, ... */
  readonly replaced: readonly WantedInterface[];
  readonly removed: readonly AttachedInterface[];
  /** The device stays; only addresses and scope differ, if anything. */
  readonly kept: readonly WantedInterface[];
  /** Slots of the wanted list, by name. */
  readonly slots: ReadonlyMap<string, { readonly slot: number }>;
}

/** The interfaces that the engine has, by name and by slot. */
export class InterfaceTable {
  /** Told of every peer that comes or goes. */
  onLink: ((attached: AttachedInterface) => void) | null = null;
  readonly #engine: Engine;
  readonly #counters: CounterReader;
  readonly #byName = new Map<string, AttachedInterface>();
  readonly #bySlot = new Map<number, AttachedInterface>();
  /** The change of none; `null`: interfaces have come or gone since it was made. */
  #unchanged: InterfaceChange | null = null;
  /** Links that were reported before the interface's own report was in. */
  readonly #early = new Map<number, boolean>();

  constructor(engine: Engine, counters: CounterReader) {
    this.#engine = engine;
    this.#counters = counters;
    engine.onLink = (events) => {
      for (const event of events) this.#link(event);
    };
  }

  get(name: string): AttachedInterface | undefined {
    return this.#byName.get(name);
  }

  /** In the order in which they were added. */
  list(): AttachedInterface[] {
    return [...this.#byName.values()];
  }

  /** All stay as they are: the very same change, with the same slots, as long as they do. */
  unchanged(): InterfaceChange {
    this.#unchanged ??= {
      ...{ added: [], replaced: [], removed: [], kept: [] },
      slots: new Map(this.list().map(({ checked, slot }) => [checked.name, { slot }])),
    };
    return this.#unchanged;
  }

  /**
   * Compares the wanted list with what is there.
   * @throws SluiceError `ERR_INTERFACE_LIMIT`
   */
  compare(wanted: readonly WantedInterface[]): InterfaceChange {
    const names = new Set(wanted.map(({ checked }) => checked.name));
    const added: WantedInterface[] = [];
    const replaced: WantedInterface[] = [];
    const kept: WantedInterface[] = [];
    const slots = new Map<string, { slot: number }>();
    const taken = new Set(this.#bySlot.keys());
    for (const interface_ of wanted) {
      const { checked } = interface_;
      const attached = this.#byName.get(checked.name);
      const slot = attached?.slot ?? this.#freeSlot(taken);
      taken.add(slot);
      slots.set(checked.name, { slot });
      if (attached === undefined) added.push(interface_);
      else if (deviceOf(attached.checked) !== deviceOf(checked)) replaced.push(interface_);
      else kept.push(interface_);
    }
    const removed = this.list().filter(({ checked }) => !names.has(checked.name));
    return { added, replaced, removed, kept, slots };
  }

  /**
   * Makes the device.
   * @param base - what its counters count from; default: from now
   * @throws SluiceError with the path `interfaces[NAME].KEY`
   */
  async attach(
    wanted: WantedInterface,
    slot: number,
    base: InterfaceCounts = this.#counters.interface(slot),
  ): Promise<AttachedInterface> {
    const { spec, checked, made = false } = wanted;
    this.#early.delete(slot);
    const report = await this.#make(checked, slot);
    const up = this.#early.get(slot) ?? report.up;
    this.#early.delete(slot);
    const attached = { spec, checked, made, slot, report, up, base };
    this.#byName.set(checked.name, attached);
    this.#bySlot.set(slot, attached);
    this.#unchanged = null;
    return attached;
  }

  /** Takes the device away. Where the engine fails to, the interface stays. */
  async detach(attached: AttachedInterface): Promise<void> {
    await this.#engine.removeInterface(attached.slot);
    this.#byName.delete(attached.checked.name);
    this.#bySlot.delete(attached.slot);
    this.#unchanged = null;
  }

  /** Notes the new specification of an interface whose device stays. */
  update(wanted: WantedInterface): void {
    const { name } = wanted.checked;
    const attached = this.#byName.get(name);
    if (attached === undefined) return;
    const updated = { ...attached, ...wanted, made: wanted.made ?? false };
    this.#byName.set(name, updated);
    this.#bySlot.set(attached.slot, updated);
  }

  view(attached: AttachedInterface): InterfaceView {
    const { checked, report, base } = attached;
    const counts = this.#counters.interface(attached.slot);
    return {
      name: checked.name,
      kind: checked.kind,
      up: attached.up,
      mac: formatMac(report.mac),
      mtu: checked.mtu,
      addresses: checked.addresses.map(({ text }) => text),
      scope: checked.scope,
      worker: report.worker,
      queues: checked.queues,
      rss: checked.softwareRss ? 'software' : 'off',
      rxPackets: counts.rxPackets - base.rxPackets,
      rxBytes: counts.rxBytes - base.rxBytes,
      txPackets: counts.txPackets - base.txPackets,
      txBytes: counts.txBytes - base.txBytes,
    };
  }

  async #make(checked: CheckedInterface, slot: number): Promise<InterfaceReport> {
    try {
      return await this.#engine.addInterface(interfaceRequest(checked, slot));
    } catch (error) {
      throw ofInterface(checked.name, error);
    }
  }

  #link({ slot, up }: LinkEvent): void {
    const attached = this.#bySlot.get(slot);
    if (attached === undefined) {
      this.#early.set(slot, up);
      return;
    }
    if (attached.up === up) return;
    attached.up = up;
    this.onLink?.(attached);
  }

  #freeSlot(taken: ReadonlySet<number>): number {
    const { interfaces } = this.#engine.options;
    for (let slot = 0; slot < interfaces; slot++) if (!taken.has(slot)) return slot;
    throw new SluiceError(
      'ERR_INTERFACE_LIMIT',
      `all ${interfaces} interface slots are taken; open with a larger \`interfaces\``,
      { path: 'interfaces' },
    );
  }
}

/** Everything about an interface that its device is made from; addresses, scope and senders are the program's. */
function deviceOf(checked: CheckedInterface): string {
  const { kind, mac, mtu, worker, queues, softwareRss, unfinishedChecksums, parameters } = checked;
  const sorted = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
  const ours = mac === null ? null : formatMac(mac);
  const numbers = [mtu, worker, queues, softwareRss, unfinishedChecksums];
  return JSON.stringify([kind, ours, ...numbers, sorted]);
}

/** An engine knows the key that is to blame; whose key it is, it does not say. */
function ofInterface(name: string, error: unknown): unknown {
  if (!(error instanceof SluiceError)) return error;
  const { code, path, message } = error;
  const key = path === undefined ? '' : `.${path}`;
  const reason = path === undefined ? message : message.slice(`${path}: `.length);
  return new SluiceError(code, reason, { path: `interfaces[${name}]${key}`, cause: error });
}
