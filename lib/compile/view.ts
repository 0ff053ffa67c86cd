// SPDX-License-Identifier: Apache-2.0
import type { Family } from '../model/address.js';
import type { CheckedService, CheckedServicePort } from '../model/checked.js';
import type { PolicyAction, PolicyTier } from '../model/policy.js';
import type { FrontendPlan, PoolChoice } from './frontends.js';
import type { RouteRow } from './routes.js';

/** A service port in one family, as the program has it; what counters and flows are attributed to. */
export interface PortView {
  /** Number of the service port. Kept while (namespace, service, name, protocol, family) is there. */
  readonly number: number;
  readonly family: Family;
  readonly service: CheckedService;
  readonly port: CheckedServicePort;
  /** Of its family, in the order of address bytes and port; those alone that may serve. */
  readonly backends: readonly BackendView[];
  /** `null`: no destination of the port needs it. */
  readonly pools: Readonly<Record<PoolChoice, PoolView | null>>;
  readonly frontends: readonly FrontendView[];
}

export interface PoolView {
  readonly slot: number;
  /** Slots of its members, and beside each its share of new connections. */
  readonly backends: readonly number[];
  readonly weights: readonly number[];
  /** New connections that find no member are dropped without a word: there are endpoints elsewhere. */
  readonly silent: boolean;
}

export interface FrontendView extends FrontendPlan {
  readonly slot: number;
}

/**
 * `active`: it gets new connections. `standby`: others are preferred, here or by its readiness.
 * `draining`: its weight is 0. `flushed`: its connections are cut. Those of the first three stay.
 */
export type BackendState = 'active' | 'standby' | 'draining' | 'flushed';

export interface BackendView {
  /** Offset of its counter. Kept while (service port, address, port) is there. */
  readonly slot: number;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly state: BackendState;
  /** Slot of the group of next hops by which packets go to it as they came; `null`: there is none. */
  readonly group: number | null;
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

export type PolicyDirection = 'ingress' | 'egress';

export interface PolicyName {
  readonly tier: PolicyTier;
  /** `null` in the other tiers than `network`. */
  readonly namespace: string | null;
  readonly name: string;
}

/** What a rule of the program is. `isolation`: what no rule of these policies accepts is denied. */
export type RuleView =
  | {
      readonly kind: 'rule';
      readonly direction: PolicyDirection;
      readonly policy: PolicyName;
      /** Place within its direction, from 0. */
      readonly index: number;
      readonly name: string | null;
      readonly action: PolicyAction;
    }
  | {
      readonly kind: 'isolation';
      readonly direction: PolicyDirection;
      readonly policies: readonly PolicyName[];
    };

/** What slots of the accepted program mean. Live: it follows every accepted plan. */
export interface ProgramView {
  /** Every service port in every family that it has, in no particular order. */
  ports(): Iterable<PortView>;
  /** How many services there are, and backends of all their ports. */
  counts(): { services: number; backends: number };
  portOfService(number: number): PortView | undefined;
  backend(slot: number): BackendAt | undefined;
  frontend(slot: number): { port: PortView; frontend: FrontendView } | undefined;
  pool(slot: number): { port: PortView; choice: PoolChoice } | undefined;
  /** The route that a packet to `address` (16 bytes) takes. */
  route(address: Uint8Array): RouteRow | undefined;
  /** By its number in the program. */
  rule(number: number): RuleView | undefined;
}
