// SPDX-License-Identifier: Apache-2.0
import type { Protocol } from '../model/model.js';

/** A service port as the program has it; what counters and flows are attributed to. */
export interface PortView {
  /** Pool slot. Kept while (namespace, service, name, protocol) is there. */
  readonly pool: number;
  readonly namespace: string;
  readonly service: string;
  /** Empty where the only port of the service has no name. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly addresses: readonly string[];
  /** In the order of address bytes and port. */
  readonly backends: readonly BackendView[];
}

export interface BackendView {
  /** Offset of its counter. Kept while (pool, address, port) is there. */
  readonly slot: number;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  /**
   * Sequence number of the plan that gave it the slot. A slot is used again after its backend has
   * gone, and its counter goes on: (slot, allocatedAt) tells the two apart.
   */
  readonly allocatedAt: number;
}

/** A backend and the service port that it serves. */
export interface BackendAt {
  readonly port: PortView;
  readonly backend: BackendView;
}

/** What slots of the accepted program mean. Live: it follows every accepted plan. */
export interface ProgramView {
  /** Every service port, in no particular order. */
  ports(): Iterable<PortView>;
  portOfPool(slot: number): PortView | undefined;
  backend(slot: number): BackendAt | undefined;
}
