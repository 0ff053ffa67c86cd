// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS, copyAddress, isSame } from '../base/address.js';

/** Backends by slot: every endpoint that may serve, and who was where when a flow was made. */
export class BackendTable {
  /** Columns by slot; an address is four words. */
  readonly address: Int32Array;
  readonly port: Uint16Array;
  readonly service: Uint32Array;
  readonly flushed: Uint8Array;
  /** Number of the commit that put the backend there; 0: the slot is empty. */
  readonly serial: Uint32Array;
  #size = 0;

  constructor(readonly slots: number) {
    this.address = new Int32Array(slots * ADDRESS_WORDS);
    this.port = new Uint16Array(slots);
    this.service = new Uint32Array(slots);
    this.flushed = new Uint8Array(slots);
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
  ) {
    const isThere =
      this.serial[slot] !== 0 &&
      this.port[slot] === port &&
      this.service[slot] === service &&
      isSame(this.address, slot * ADDRESS_WORDS, address, 0);
    this.flushed[slot] = flushed;
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
    this.#size--;
  }
}
