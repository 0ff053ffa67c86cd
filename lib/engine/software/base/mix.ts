// SPDX-License-Identifier: Apache-2.0

/** MurmurHash3's 32-bit finaliser: a CRC alone is linear, what is near would stay near. */
export function mix(value: number): number {
  return mixWord(value) >>> 0;
}

/** The same as a signed word. */
export function mixWord(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
