// SPDX-License-Identifier: Apache-2.0
import {
  contains,
  type Family,
  familyOf,
  formatPrefix,
  hostLength,
  isIpv4,
  type Prefix,
  parseAddress,
} from '../model/address.js';
import { destinationOf } from '../model/check-destinations.js';
import type { CheckedService, CheckedServicePort } from '../model/checked.js';
import { type FRONTEND_KIND, SCOPE } from './program.js';
import type { Around } from './surroundings.js';

export type FrontendKind = keyof typeof FRONTEND_KIND;

/** Which pool of its service port a source is served from. */
export type PoolChoice = 'cluster' | 'local';

/** An address and port that a service port answers on, and how. */
export interface FrontendPlan {
  readonly address: string;
  readonly port: number;
  readonly kind: FrontendKind;
  readonly pools: Readonly<Record<keyof typeof SCOPE, PoolChoice>>;
  /** Bits `1 << SCOPE`. */
  readonly masquerade: number;
  /** Seconds; 0: no affinity. */
  readonly affinity: number;
  /** Networks that may come in; none: open to everybody. */
  readonly ranges: readonly Prefix[];
}

const EVERY_SCOPE = (1 << SCOPE.pod) | (1 << SCOPE.node) | (1 << SCOPE.outside);
const ALL_BUT_PODS = EVERY_SCOPE & ~(1 << SCOPE.pod);
const OPEN: readonly Prefix[] = [];

/** All that a service port answers on in one family. */
export function planFrontends(
  service: CheckedService,
  port: CheckedServicePort,
  family: Family,
  around: Around,
): FrontendPlan[] {
  const ofFamily = (addresses: readonly string[]) =>
    addresses.filter((address) => familyOf(address) === family);
  const cluster = clusterHandling(service, family, around);
  const external = externalHandling(service, family, around);
  const { affinity, loadBalancer } = service;
  const { port: number, nodePort } = port;
  const common = { affinity, ranges: OPEN };
  return [
    ...ofFamily(service.addresses).map(
      (address): FrontendPlan => ({
        ...common,
        ...cluster,
        kind: 'cluster',
        address,
        port: number,
      }),
    ),
    ...ofFamily(service.externalIPs)
      .filter((address) => !loadBalancer.includes(address))
      .map(
        (address): FrontendPlan => ({
          ...common,
          ...external,
          kind: 'external',
          address,
          port: number,
        }),
      ),
    ...ofFamily(loadBalancer).map((address): FrontendPlan => {
      const ranges = rangesOf(service, address, around);
      return { affinity, ranges, ...external, kind: 'external', address, port: number };
    }),
    ...nodePortAddresses(port, family, around).map(
      (address): FrontendPlan => ({
        ...common,
        ...external,
        kind: 'nodePort',
        address,
        port: nodePort,
      }),
    ),
  ];
}

/** The service port has destinations other than cluster addresses. */
export function isExternal(
  service: CheckedService,
  port: CheckedServicePort,
  family: Family,
): boolean {
  const isOfFamily = (address: string) => familyOf(address) === family;
  return (
    port.nodePort !== 0 ||
    service.externalIPs.some(isOfFamily) ||
    service.loadBalancer.some(isOfFamily)
  );
}

/** The same plan: an engine would do nothing else with it. */
export function sameFrontend(a: FrontendPlan, b: FrontendPlan): boolean {
  return (
    a.kind === b.kind &&
    a.pools.pod === b.pools.pod &&
    a.pools.node === b.pools.node &&
    a.pools.outside === b.pools.outside &&
    a.masquerade === b.masquerade &&
    a.affinity === b.affinity &&
    a.ranges.length === b.ranges.length &&
    a.ranges.every((range, index) => formatPrefix(range) === formatPrefix(b.ranges[index]!))
  );
}

type Handling = Pick<FrontendPlan, 'pools' | 'masquerade'>;

/** A pod keeps its address; so does everybody where nobody knows who is a pod. */
function clusterHandling(
  { internalTrafficPolicy }: CheckedService,
  family: Family,
  around: Around,
): Handling {
  const choice = internalTrafficPolicy === 'Local' ? 'local' : 'cluster';
  const unlessPod = around.site.podsKnown.includes(family) ? ALL_BUT_PODS : 0;
  return {
    pools: { pod: choice, node: choice, outside: choice },
    masquerade: around.site.masqueradeAll ? EVERY_SCOPE : unlessPod,
  };
}

/**
 * With policy `Local` pods and the node itself are as good as behind the load balancer: they reach
 * every endpoint. Where nobody knows who is a pod, pods are served as clients from outside are.
 */
function externalHandling(
  { externalTrafficPolicy }: CheckedService,
  family: Family,
  around: Around,
): Handling {
  if (externalTrafficPolicy === 'Cluster') {
    const pools = { pod: 'cluster', node: 'cluster', outside: 'cluster' } as const;
    return { pools, masquerade: EVERY_SCOPE };
  }
  const pod = around.site.podsKnown.includes(family) ? 'cluster' : 'local';
  return { pools: { pod, node: 'cluster', outside: 'local' }, masquerade: 1 << SCOPE.node };
}

/**
 * Source ranges of the address's family. Where they allow this node, they allow the address itself
 * too: so the node's own packets look when it holds the balancer's address.
 */
function rangesOf(
  { sourceRanges }: CheckedService,
  address: string,
  around: Around,
): readonly Prefix[] {
  const bytes = parseAddress(address)!;
  const ranges = sourceRanges.filter((range) => isIpv4(range.bytes) === isIpv4(bytes));
  const allowsNode = around.site.own.some((own) => {
    const ownBytes = parseAddress(own)!;
    return ranges.some((range) => contains(range, ownBytes));
  });
  return allowsNode ? [...ranges, { bytes, length: hostLength(bytes) }] : ranges;
}

function nodePortAddresses(
  { nodePort, protocol }: CheckedServicePort,
  family: Family,
  { nodePortAddresses, isTaken }: Around,
): string[] {
  if (nodePort === 0) return [];
  return nodePortAddresses.filter(
    (address) =>
      familyOf(address) === family &&
      !isTaken(destinationOf(address, { port: nodePort, protocol })),
  );
}
