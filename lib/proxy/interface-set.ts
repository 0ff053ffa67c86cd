// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { nearest } from '../model/explain.js';
import type { InterfaceSpec } from '../model/model.js';
import type { InterfaceView } from '../observe/views.js';
import type { AttachedInterface, InterfaceTable } from './interface-table.js';

/** What the set asks the proxy to do. */
export interface InterfaceActions {
  /** @throws SluiceError `ERR_CLOSED` */
  assertOpen(): void;
  /** @returns its name */
  add(spec: string | InterfaceSpec): Promise<string>;
  remove(name: string): Promise<void>;
  send(slot: number, frames: readonly Uint8Array[]): number;
  receive(slot: number, max: number): Uint8Array[];
}

/** The interfaces of a running proxy. */
export class InterfaceSet implements Iterable<InterfaceView> {
  readonly #table: InterfaceTable;
  readonly #actions: InterfaceActions;

  /** @internal */
  constructor(table: InterfaceTable, actions: InterfaceActions) {
    this.#table = table;
    this.#actions = actions;
  }

  /**
   * A snapshot of all interfaces with their counters.
   * @throws SluiceError `ERR_CLOSED`
   */
  list(): InterfaceView[] {
    this.#actions.assertOpen();
    return this.#table.list().map((attached) => this.#table.view(attached));
  }

  /**
   * The specifications as they were given, in the order of {@link list}, without the tunnels that a
   * balancer makes by itself.
   * @throws SluiceError `ERR_CLOSED`
   */
  specs(): InterfaceSpec[] {
    this.#actions.assertOpen();
    const given = this.#table.list().filter(({ made }) => made !== true);
    return given.map(({ spec }) => structuredClone(spec));
  }

  [Symbol.iterator](): Iterator<InterfaceView> {
    return this.list()[Symbol.iterator]();
  }

  /**
   * A snapshot of one interface; `undefined` if there is none of that name.
   * @throws SluiceError `ERR_CLOSED`
   */
  get(name: string): InterfaceView | undefined {
    this.#actions.assertOpen();
    const attached = this.#table.get(name);
    return attached === undefined ? undefined : this.#table.view(attached);
  }

  /**
   * Adds an interface while everything else runs on.
   *
   * @param spec - an object, or text: `tap:web-1,netns=web-1,address=10.1.0.1/24`
   * @throws SluiceError `ERR_INTERFACE_SPEC`, `ERR_INTERFACE_EXISTS`, `ERR_INTERFACE_KIND`,
   * `ERR_INTERFACE_LIMIT`, `ERR_INTERFACE`, `ERR_PERMISSION`, `ERR_CLOSED`; nothing has changed then
   */
  async add(spec: string | InterfaceSpec): Promise<InterfaceView> {
    this.#actions.assertOpen();
    const name = await this.#actions.add(spec);
    return this.#table.view(this.#find(name));
  }

  /**
   * Removes an interface. Packets under way to it are dropped as `interface_removed`.
   *
   * @throws SluiceError `ERR_INTERFACE_UNKNOWN`; `ERR_ROUTE_SPEC` while a route needs it; `ERR_CLOSED`
   */
  async remove(name: string): Promise<void> {
    this.#actions.assertOpen();
    await this.#actions.remove(name);
  }

  /**
   * Puts Ethernet frames on the receive side of a `memory` interface.
   *
   * @returns how many found room; the rest was not taken
   * @throws SluiceError `ERR_INTERFACE_UNKNOWN`, `ERR_INTERFACE_KIND`, `ERR_CLOSED`
   */
  send(name: string, frames: readonly Uint8Array[]): number {
    return this.#actions.send(this.#memory(name).slot, frames);
  }

  /**
   * Takes frames that the proxy has sent out of a `memory` interface, oldest first.
   *
   * @param max - at most so many; default all
   * @throws SluiceError `ERR_INTERFACE_UNKNOWN`, `ERR_INTERFACE_KIND`, `ERR_CLOSED`
   */
  receive(name: string, max: number = 0xffff_ffff): Uint8Array[] {
    return this.#actions.receive(this.#memory(name).slot, max);
  }

  #memory(name: string): AttachedInterface {
    this.#actions.assertOpen();
    const attached = this.#find(name);
    if (attached.checked.kind === 'memory') return attached;
    throw new SluiceError(
      'ERR_INTERFACE_KIND',
      `${name} is a ${attached.checked.kind} interface; frames are sent and received by hand on memory interfaces only`,
      { path: 'name' },
    );
  }

  #find(name: string): AttachedInterface {
    return this.#table.get(name) ?? refuseUnknown(name, this.#table);
  }
}

/** @throws SluiceError `ERR_INTERFACE_UNKNOWN` */
export function refuseUnknown(name: string, table: InterfaceTable): never {
  const names = table.list().map(({ checked }) => checked.name);
  const meant = nearest(String(name), names);
  const hint = meant === null ? '' : `; did you mean ${meant}?`;
  throw new SluiceError('ERR_INTERFACE_UNKNOWN', `there is no interface ${name}${hint}`, {
    path: 'name',
  });
}
