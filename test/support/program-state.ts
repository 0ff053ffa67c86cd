// SPDX-License-Identifier: Apache-2.0
import type { ProgramDelta } from '../../lib/compile/program.js';
import { formatAddress, formatMac } from '../../lib/model/address.js';

/**
 * The slowest possible engine: applies deltas to maps and refuses what the contract of the program
 * forbids.
 */
export class ProgramState {
  readonly #frontends = new Map<number, { key: string; pool: number }>();
  readonly #pools = new Map<number, { slot: number; text: string }[]>();
  readonly #routes = new Map<string, string>();
  #addresses: string[] = [];

  apply(delta: ProgramDelta): void {
    for (const slot of delta.removedFrontends) {
      must(this.#frontends.delete(slot), `removes frontend ${slot}, which is not there`);
    }
    for (const slot of delta.removedPools) {
      must(this.#pools.delete(slot), `removes pool ${slot}, which is not there`);
    }
    delta.pools.slot.forEach((slot, row) => {
      must(!delta.removedPools.includes(slot), `uses pool ${slot} again within the delta`);
      const first = delta.pools.first[row]!;
      const rows = Array.from({ length: delta.pools.count[row]! }, (_, index) => first + index);
      const { address, port, weight } = delta.backends;
      this.#pools.set(
        slot,
        rows.map((at) => ({
          slot: delta.backends.slot[at]!,
          text: `${addressAt(address, at)}:${port[at]} weight ${weight[at]}`,
        })),
      );
    });
    delta.frontends.slot.forEach((slot, row) => {
      must(!delta.removedFrontends.includes(slot), `uses frontend ${slot} again within the delta`);
      const { address, port, protocol, pool } = delta.frontends;
      const key = `${addressAt(address, row)}:${port[row]}/${protocol[row]}`;
      this.#frontends.set(slot, { key, pool: pool[row]! });
    });
    this.#applyRoutes(delta);
    this.#check();
  }

  /** What the program does, in words that no slot appears in. */
  describe(): { frontends: Record<string, string[]>; routes: string[]; addresses: string[] } {
    const frontends = [...this.#frontends.values()].map(({ key, pool }) => {
      return [key, this.#pools.get(pool)!.map(({ text }) => text)] as const;
    });
    return {
      frontends: Object.fromEntries(frontends.sort(([a], [b]) => (a < b ? -1 : 1))),
      routes: [...this.#routes].map(([prefix, hop]) => `${prefix} ${hop}`).sort(),
      addresses: this.#addresses,
    };
  }

  /** Backend slots by `POOL ADDRESS:PORT`. */
  backendSlots(): Map<string, number> {
    const slots = new Map<string, number>();
    for (const [pool, backends] of this.#pools) {
      for (const { slot, text } of backends) slots.set(`${pool} ${text.split(' ')[0]}`, slot);
    }
    return slots;
  }

  #applyRoutes(delta: ProgramDelta): void {
    const { prefix, length, gateway, mac } = delta.routes;
    delta.removedRoutes.length.forEach((bits, row) => {
      const key = `${addressAt(delta.removedRoutes.prefix, row)}/${bits}`;
      must(this.#routes.delete(key), `removes route ${key}, which is not there`);
    });
    length.forEach((bits, row) => {
      const hop = `via ${addressAt(gateway, row)} interface ${delta.routes.interface[row]}`;
      const hardware = formatMac(mac.subarray(row * 6, row * 6 + 6));
      this.#routes.set(`${addressAt(prefix, row)}/${bits}`, `${hop} mac ${hardware}`);
    });
    const addresses = delta.addresses;
    if (addresses === null) return;
    this.#addresses = Array.from(addresses.length, (bits, row) => {
      return `${addressAt(addresses.address, row)}/${bits} on ${addresses.interface[row]}`;
    });
  }

  #check(): void {
    const keys = [...this.#frontends.values()].map(({ key }) => key);
    must(new Set(keys).size === keys.length, 'has two frontends of one key');
    for (const { key, pool } of this.#frontends.values()) {
      must(this.#pools.has(pool), `leaves frontend ${key} without its pool ${pool}`);
    }
    const slots = [...this.#pools.values()].flat().map(({ slot }) => slot);
    must(new Set(slots).size === slots.length, 'has two backends in one slot');
  }
}

function addressAt(column: Uint8Array, row: number): string {
  return formatAddress(column.subarray(row * 16, row * 16 + 16));
}

function must(holds: boolean, complaint: string): void {
  if (!holds) throw new Error(`the delta ${complaint}`);
}
