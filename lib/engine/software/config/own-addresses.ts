// SPDX-License-Identifier: Apache-2.0
import { type AddressColumns, NODE_ADDRESS } from '../../../compile/program.js';
import {
  addressOfRow,
  holds,
  isLinkLocal,
  isSame,
  type Network,
  networkOf,
} from '../base/address.js';
import { AddressMap } from '../table/address-map.js';

/** One of our own addresses, and the network that it is in. */
export type OwnAddress = Network;

/** Our own addresses: of each interface, and of the node itself. */
export class OwnAddresses {
  readonly #byInterface: OwnAddress[][];
  #ofNode: OwnAddress[] = [];
  #all = new AddressMap<true>();

  constructor(interfaces: number) {
    this.#byInterface = Array.from({ length: interfaces }, () => []);
  }

  /** Puts these in place of all. */
  replace({ interface: interfaces, address, length }: AddressColumns): void {
    for (const addresses of this.#byInterface) addresses.length = 0;
    this.#ofNode = [];
    for (let row = 0; row < interfaces.length; row++) {
      const slot = interfaces[row];
      const owner = slot === NODE_ADDRESS ? this.#ofNode : this.#byInterface[slot];
      owner.push(networkOf(addressOfRow(address, row), length[row]));
    }
    this.#collect();
  }

  removeInterface(slot: number): void {
    this.#byInterface[slot].length = 0;
    this.#collect();
  }

  /** Whether the address is ours, on whichever interface or on none. */
  has(words: Int32Array, at: number): boolean {
    return this.#all.get(words, at, 0) === true;
  }

  isOf(slot: number, words: Int32Array, at: number): boolean {
    const addresses = this.#byInterface[slot];
    for (let i = 0; i < addresses.length; i++) {
      if (isSame(addresses[i].address, 0, words, at)) return true;
    }
    return false;
  }

  /** The first address of an interface whose prefix holds another address. */
  facing(slot: number, words: Int32Array, at: number): Int32Array | undefined {
    return this.#byInterface[slot].find((own) => holds(own, words, at))?.address;
  }

  /** The first address of an interface that is of a family. */
  first(slot: number, ofIpv4: boolean): Int32Array | undefined {
    return this.#byInterface[slot].find(({ isIpv4 }) => isIpv4 === ofIpv4)?.address;
  }

  /**
   * What packets to a next hop can come from: an address of the interface, else one of the node, never
   * a link-local one.
   */
  source(slot: number, nextHop: Int32Array, nextHopAt: number, ofIpv4: boolean) {
    const isFit = ({ isIpv4, address }: OwnAddress) => isIpv4 === ofIpv4 && !isLinkLocal(address);
    const own = this.#byInterface[slot].filter(isFit);
    const found =
      own.find((each) => holds(each, nextHop, nextHopAt)) ?? own[0] ?? this.#ofNode.find(isFit);
    return found?.address;
  }

  #collect(): void {
    this.#all = new AddressMap();
    for (const { address } of [...this.#byInterface.flat(), ...this.#ofNode]) {
      this.#all.set(address, 0, 0, true);
    }
  }
}
