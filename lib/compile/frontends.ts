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
  const { affinity } = service;
  const plans: FrontendPlan[] = [];
  const add = (
    kind: FrontendKind,
    address: string,
    number: number,
    { pools, masquerade }: Handling,
    ranges: readonly Prefix[],
  ) => plans.push({ address, port: number, kind, pools, masquerade, affinity, ranges });

  for (const address of service.addresses) {
    if (familyOf(address) !== family) continue;
    add('cluster', address, port.port, clusterHandling(service, family, around), OPEN);
  }
  if (!isExternal(service, port, family)) return plans;
  const external = externalHandling(service, family, around);
  const { externalIPs, loadBalancer } = service;
  for (const address of externalIPs) {
    if (familyOf(address) !== family || loadBalancer.includes(address)) continue;
    add('external', address, port.port, external, OPEN);
  }
  for (const address of loadBalancer) {
    if (familyOf(address) !== family) continue;
    add('external', address, port.port, external, rangesOf(service, address, around));
  }
  for (const address of nodePortAddresses(port, family, around)) {
    add('nodePort', address, port.nodePort, external, OPEN);
  }
  return plans;
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

const ALL_CLUSTER: FrontendPlan['pools'] = { pod: 'cluster', node: 'cluster', outside: 'cluster' };
const ALL_LOCAL: FrontendPlan['pools'] = { pod: 'local', node: 'local', outside: 'local' };
const LOCAL_OUTSIDE: FrontendPlan['pools'] = { pod: 'cluster', node: 'cluster', outside: 'local' };
const LOCAL_BUT_NODE: FrontendPlan['pools'] = { pod: 'local', node: 'cluster', outside: 'local' };

/** A pod keeps its address; so does everybody where nobody knows who is a pod. */
function clusterHandling(
  { internalTrafficPolicy }: CheckedService,
  family: Family,
  around: Around,
): Handling {
  const unlessPod = around.site.podsKnown.includes(family) ? ALL_BUT_PODS : 0;
  return {
    pools: internalTrafficPolicy === 'Local' ? ALL_LOCAL : ALL_CLUSTER,
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
    return { pools: ALL_CLUSTER, masquerade: EVERY_SCOPE };
  }
  const pools = around.site.podsKnown.includes(family) ? LOCAL_OUTSIDE : LOCAL_BUT_NODE;
  return { pools, masquerade: 1 << SCOPE.node };
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
  if (sourceRanges.length === 0) return OPEN;
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
