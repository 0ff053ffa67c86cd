// SPDX-License-Identifier: Apache-2.0
import { crc32c } from '../base/crc32c.js';
import { mix } from '../base/mix.js';

/** A backend as Maglev sees it. */
export interface MaglevBackend {
  /** 16 bytes, network order, IPv4 mapped. */
  address: Uint8Array;
  port: number;
  /** 0 to 65,535; 0 takes no slots. */
  weight: number;
}

// Prime sizes, at least a hundred slots a backend up to 6,553 backends: the shares differ by about 1 %.
const SIZES: readonly (readonly [upTo: number, size: number])[] = [
  [1, 1],
  [10, 1_021],
  [40, 4_099],
  [160, 16_381],
  [655, 65_537],
  [Number.POSITIVE_INFINITY, 655_373],
];

/**
 * Maglev hashing (Eisenbud et al., NSDI 2016, section 3.4) with weights.
 *
 * The choice depends on the set of backends alone, not on the order in which they are given: two
 * engines with the same backends choose alike.
 *
 * @returns for each slot the row in `backends`; empty where no backend has a weight above 0
 */
export function buildMaglev(backends: readonly MaglevBackend[]): Uint16Array | Uint32Array {
  const rows = [...backends.keys()].filter((row) => backends[row].weight > 0);
  rows.sort((a, b) => compare(backends[a], backends[b]));
  const count = rows.length;
  const size = count === 0 ? 0 : (SIZES.find(([upTo]) => count <= upTo) as [number, number])[1];
  const table = backends.length <= 0xffff ? new Uint16Array(size) : new Uint32Array(size);
  if (count <= 1) return table.fill(rows[0] ?? 0);

  // `position` walks each backend's permutation: (offset + j * skip) mod size.
  const position = new Uint32Array(count);
  const skip = new Uint32Array(count);
  const weight = new Uint32Array(count);
  const target = new Float64Array(count);
  const key = new Uint8Array(18);
  let largest = 0;
  rows.forEach((row, n) => {
    const backend = backends[row];
    key.set(backend.address);
    key[16] = backend.port >>> 8;
    key[17] = backend.port;
    const hash = crc32c(key);
    position[n] = mix(hash) % size;
    skip[n] = (mix(hash ^ 0x9e3779b9) % (size - 1)) + 1;
    weight[n] = backend.weight;
    largest = Math.max(largest, backend.weight);
  });

  // A place is tried many times before it is free: bits stay in the cache, rows do not.
  const taken = new Int32Array((size >>> 5) + 1);
  let filled = 0;
  for (let round = 1; ; round++) {
    for (let n = 0; n < count; n++) {
      if (round * weight[n] < target[n]) continue;
      target[n] += largest;
      const step = skip[n];
      let slot = position[n];
      while ((taken[slot >>> 5] >>> (slot & 31)) & 1) {
        slot += step; // both below 2^20
        if (slot >= size) slot -= size;
      }
      taken[slot >>> 5] |= 1 << (slot & 31);
      table[slot] = rows[n];
      position[n] = slot;
      if (++filled === size) return table;
    }
  }
}

/** Slot of a table of `size` that a flow's hash falls on. */
export function maglevSlot(hash: number, size: number): number {
  return Math.floor(((hash >>> 0) * size) / 0x1_0000_0000);
}

function compare(a: MaglevBackend, b: MaglevBackend): number {
  return Buffer.compare(a.address, b.address) || a.port - b.port;
}
