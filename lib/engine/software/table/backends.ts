// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS, copyAddress, isSame } from '../base/address.js';

/** `group` of a backend that packets are addressed to. */
export const NO_GROUP = -1;

/** Backends by slot: every endpoint that may serve, and who was where when a flow was made. */
export class BackendTable {
  /** Columns by slot; an address is four words. */
  readonly address: Int32Array;
  readonly port: Uint16Array;
  readonly service: Uint32Array;
  readonly flushed: Uint8Array;
  /** Slot of the group of next hops that packets go by as they came, or {@link NO_GROUP}. */
  readonly group: Int32Array;
  /** Number of the commit that put the backend there; 0: the slot is empty. */
  readonly serial: Uint32Array;
  #size = 0;
  // How many backends name a group, by slot.
  readonly #groupUses = new Map<number, number>();

  constructor(readonly slots: number) {
    this.address = new Int32Array(slots * ADDRESS_WORDS);
    this.port = new Uint16Array(slots);
    this.service = new Uint32Array(slots);
    this.flushed = new Uint8Array(slots);
    this.group = new Int32Array(slots).fill(NO_GROUP);
    this.serial = new Uint32Array(slots);
  }

  /** Slots that are in use. */
  get size(): number {
    return this.#size;
  }

  has(slot: number): boolean {
    return slot < this.slots && this.serial[slot] !== 0;
  }

  /** Whether the slot still holds the backend that it held when the flow was made. */
  isThere(slot: number, serial: number): boolean {
    return this.serial[slot] === serial;
  }

  /** The serial stays where address, port and service do. */
  put(
    slot: number,
    address: Int32Array,
    port: number,
    service: number,
    flushed: number,
    serial: number,
    group = NO_GROUP,
  ) {
    const isThere =
      this.serial[slot] !== 0 &&
      this.port[slot] === port &&
      this.service[slot] === service &&
      isSame(this.address, slot * ADDRESS_WORDS, address, 0);
    this.flushed[slot] = flushed;
    this.#setGroup(slot, group);
    if (isThere) return;
    if (this.serial[slot] === 0) this.#size++;
    copyAddress(this.address, slot * ADDRESS_WORDS, address, 0);
    this.port[slot] = port;
    this.service[slot] = service;
    this.serial[slot] = serial;
  }

  /** Removes what the slot holds, if anything. */
  remove(slot: number): void {
    if (!this.has(slot)) return;
    this.serial[slot] = 0;
    this.#setGroup(slot, NO_GROUP);
    this.#size--;
  }

  /** How many backends name a group. */
  usesOfGroup(slot: number): number {
    return this.#groupUses.get(slot) ?? 0;
  }

  #setGroup(slot: number, group: number): void {
    const before = this.group[slot];
    if (before !== NO_GROUP) this.#groupUses.set(before, this.usesOfGroup(before) - 1);
    if (group !== NO_GROUP) this.#groupUses.set(group, this.usesOfGroup(group) + 1);
    this.group[slot] = group;
  }
}
