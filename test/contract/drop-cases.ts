// SPDX-License-Identifier: Apache-2.0
import type { EngineOptions } from '../../lib/engine/engine.js';
import type { DropReason } from '../../lib/engine/reasons.js';
import type { Rig } from './rig.js';

/** A frame that is dropped, and why. */
export interface DropCase {
  reason: DropReason;
  title: string;
  /** Interface that the frame comes in by. Default 0. */
  into?: number;
  /** Several: only the last one is dropped. */
  frame: Uint8Array | readonly Uint8Array[];
  options?: Partial<EngineOptions>;
  before?: (rig: Rig) => Promise<unknown> | unknown;
  /** Milliseconds from the last frame to the drop. Default: it is dropped in the poll that takes it. */
  after?: number;
  /** The sender is told. */
  rejected?: boolean;
  /** How many are dropped with it. Default 1. */
  count?: number;
  /** The drop comes behind the making of a flow. */
  makesFlow?: boolean;
}
