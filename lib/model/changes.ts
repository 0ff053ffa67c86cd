// SPDX-License-Identifier: Apache-2.0
import type { InterfaceSpec, NodeSpec, RouteSpec, Service } from './model.js';
import type { Namespace, Pod, Policy } from './policy.js';

/** What changes of a section whose members have a key. Whatever is not named stays as it is. */
export interface Changes<T> {
  /** Members that are new, or that are like this now; each key once. */
  put?: readonly T[];
  /** Keys of members that have gone. A key that is not there is no mistake. */
  removed?: readonly string[];
}

/**
 * A change of the desired state, in place of the whole of it. Keys: `namespace/name` of services and
 * pods, the name of a namespace; a policy's `namespace/name` in the tier `network` and its name in the
 * others. Interfaces, routes and node are whole sections, as in `Model`.
 */
export interface ModelChange {
  services?: Changes<Service>;
  namespaces?: Changes<Namespace>;
  pods?: Changes<Pod>;
  policies?: Changes<Policy>;
  interfaces?: readonly InterfaceSpec[];
  routes?: readonly RouteSpec[];
  node?: NodeSpec;
}
