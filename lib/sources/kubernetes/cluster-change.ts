// SPDX-License-Identifier: Apache-2.0
import type { ModelChange } from '../../model/changes.js';
import type { NodeObject } from './objects.js';
import type { TranslationWarning } from './warnings.js';
import type { WatchedKind } from './watched.js';

/** What has changed in a cluster, as far as a proxy goes. */
export interface ClusterChange {
  /** Services, namespaces, pods and policies. */
  model: ModelChange;
  /** There is more to take. */
  more: boolean;
  /** Our own Node object; `null`: it is not there. Left out: it has not changed. */
  node?: NodeObject | null;
  /** Services whose health is asked for on a port of the node, by `namespace/name`; `null`: no longer. */
  health: ReadonlyMap<string, ServiceHealth | null>;
  /** Problems that have come since they were last told, whatever becomes of this change. */
  warnings: TranslationWarning[];
  /** Objects that could not be read, each with a mistake that has not been told since it was last right. */
  refused: RefusedObject[];
  /** When what this change is about happened, as far as EndpointSlices say it; ms since 1970, of any age. */
  triggers: number[];
  /** How many Services this change is about. */
  services: number;
  /** How many EndpointSlices this change is about. */
  endpoints: number;
  /** Left out: it is not known which node we are. */
  noLocalEndpoints?: NoLocalEndpoints;
}

/** A Service with a `healthCheckNodePort` that counts: a load balancer's, of endpoints of the node. */
export interface ServiceHealth {
  namespace: string;
  name: string;
  /** Where its health is asked for. */
  port: number;
  /** Addresses of ready endpoints on this node. */
  localEndpoints: number;
}

/** An object that could not be read, and why. What was there of it before stays. */
export interface RefusedObject {
  kind: WatchedKind;
  /** Empty where the kind has none. */
  namespace: string;
  /** Empty where it has none. */
  name: string;
  /** `spec.ports[0].port`; empty: the object as a whole. */
  path: string;
  message: string;
}

export const IP_FAMILIES = ['IPv4', 'IPv6'] as const;
export const TRAFFIC_POLICIES = ['internal', 'external'] as const;

/** By family and policy: services with the traffic policy `Local` and endpoints of which none is here. */
export type NoLocalEndpoints = Record<
  (typeof IP_FAMILIES)[number],
  Record<(typeof TRAFFIC_POLICIES)[number], number>
>;
