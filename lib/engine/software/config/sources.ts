// SPDX-License-Identifier: Apache-2.0
import type { SourceColumns } from '../../../compile/program.js';
import { anyHolds, type Network } from '../base/address.js';
import { networkOfRow } from './rows.js';

/** Who may send by which interface. */
export class Sources {
  readonly #byInterface: Network[][];

  constructor(interfaces: number) {
    this.#byInterface = Array.from({ length: interfaces }, () => []);
  }

  /** Puts these in place of all. */
  replace(columns: SourceColumns): void {
    for (const networks of this.#byInterface) networks.length = 0;
    for (const [row, slot] of columns.interface.entries()) {
      this.#byInterface[slot].push(networkOfRow(columns, row));
    }
  }

  removeInterface(slot: number): void {
    this.#byInterface[slot].length = 0;
  }

  /** Whether an address may send by an interface: one that has no sources takes any. */
  allows(slot: number, words: Int32Array, at: number): boolean {
    const networks = this.#byInterface[slot];
    return networks.length === 0 || anyHolds(networks, words, at);
  }
}
