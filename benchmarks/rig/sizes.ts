// SPDX-License-Identifier: Apache-2.0
import { ENGINE_DEFAULTS } from '../../lib/engine/engine.js';

/** Slots of every ring, and frames in an rx or tx call: of the generator and of testpmd alike. */
export const RING = 1_024;
export const BURST = 64;

/** Frames under way in each direction at most: a quarter of a ring. More gains nothing. */
export const WINDOW = 256;

/** Load that a flow table is measured at, at most. */
export const TABLE_LOAD = 0.75;

/** Connections that the table must hold so that `flows` of them are its usual load, or less. */
export function tableSize(flows: number): number {
  return Math.max(ENGINE_DEFAULTS.flows, Math.ceil(flows / TABLE_LOAD));
}
