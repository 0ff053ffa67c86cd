// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from './objects.js';
import type { FieldError } from './status.js';

/** What is particular to a kind. The first object that is passed may be changed. */
export interface Strategy {
  /** Sets what was left out, before anything is checked. */
  defaults?(object: KubeObject): void;
  /** After the defaults. */
  prepareCreate?(object: KubeObject): void;
  /** After the defaults, when the main resource changes. */
  prepareUpdate?(object: KubeObject, old: KubeObject): void;
  check?(object: KubeObject, old: KubeObject | undefined): FieldError[];
  /** After the checks: chooses addresses and ports. */
  allocate?(object: KubeObject, old: KubeObject | undefined): FieldError[];
}
