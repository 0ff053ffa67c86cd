// SPDX-License-Identifier: Apache-2.0
import { ENGINE_DEFAULTS } from '../../lib/engine/engine.js';

/** Frames under way in each direction at most: half a ring. More gains nothing, and may overflow one. */
export const WINDOW = 512;

/** Load that a flow table is measured at, at most. */
export const TABLE_LOAD = 0.75;

/** Connections that the table must hold so that `flows` of them are its usual load, or less. */
export function tableSize(flows: number): number {
  return Math.max(ENGINE_DEFAULTS.flows, Math.ceil(flows / TABLE_LOAD));
}
