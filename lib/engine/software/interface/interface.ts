// SPDX-License-Identifier: Apache-2.0
import type { Source } from '../pipeline.js';

/** An interface of the software engine. JS thread only, as all of the engine. */
export interface SoftwareInterface extends Source {
  /** Another `receive` would find something. */
  readonly hasInput: boolean;
  /** Gives up files; idempotent. */
  close(): void;
}
