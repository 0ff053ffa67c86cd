// SPDX-License-Identifier: Apache-2.0
import {
  contains,
  type Family,
  formatAddress,
  hostLength,
  networkOf,
  type Prefix,
  parsePrefix,
} from '../../model/address.js';

/** Where derived addresses come from. */
export const RANGES = {
  nodes: { 4: '172.18.0.0/16', 6: 'fd00:172:18::/64' },
  pods: { 4: '10.128.0.0/9', 6: 'fd00:10:128::/48' },
  services: { 4: '10.96.0.0/16', 6: 'fd00:10:96::/112' },
  loadBalancers: { 4: '192.0.2.0/24', 6: '2001:db8:2::/112' },
} as const;

/** Length of the network of a node's pods: room for 4,094 of them in IPv4. */
const POD_NETWORK_LENGTH = { 4: 20, 6: 64 } as const;

/** Hands out addresses of a network in order, but for those that are taken. */
export class AddressRange {
  readonly #network: Prefix;
  readonly #taken: Set<string>;
  readonly #last: bigint;
  #next: bigint;

  /** @param first - number of the first address that may be handed out */
  constructor(network: string, taken: Set<string>, first: number) {
    this.#network = networkOf(parsePrefix(network)!);
    this.#taken = taken;
    this.#next = BigInt(first);
    const bits = BigInt(hostLength(this.#network.bytes) - this.#network.length);
    this.#last = (1n << bits) - 2n;
  }

  /** `null`: the network has no more. */
  take(): string | null {
    while (this.#next <= this.#last) {
      const address = formatAddress(plus(this.#network.bytes, this.#next++));
      if (this.#taken.has(address)) continue;
      this.#taken.add(address);
      return address;
    }
    return null;
  }
}

/** Hands out networks for the pods of nodes that have none. */
export class PodNetworks {
  readonly #family: Family;
  readonly #given: readonly Prefix[];
  #next = 0n;

  constructor(family: Family, given: readonly string[]) {
    this.#family = family;
    this.#given = given.map((text) => parsePrefix(text)!);
  }

  take(): string {
    const range = parsePrefix(RANGES.pods[this.#family])!;
    const length = POD_NETWORK_LENGTH[this.#family];
    for (;;) {
      const shift = BigInt(hostLength(range.bytes) - length);
      const network = { bytes: plus(range.bytes, this.#next++ << shift), length };
      const overlaps = this.#given.some(
        (other) => contains(other, network.bytes) || contains(network, other.bytes),
      );
      if (!overlaps) return `${formatAddress(network.bytes)}/${length}`;
    }
  }
}

function plus(bytes: Uint8Array, count: bigint): Uint8Array {
  const sum = BigInt(`0x${Buffer.from(bytes).toString('hex')}`) + count;
  return Uint8Array.from(Buffer.from(sum.toString(16).padStart(32, '0'), 'hex'));
}
