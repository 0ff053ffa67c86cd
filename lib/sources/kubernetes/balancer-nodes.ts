// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import {
  canonicalAddress,
  type Family,
  familyOf,
  isLinkLocal,
  isMartian,
  parseAddress,
} from '../../model/address.js';
import type { CheckedBalancer } from '../../model/checked.js';
import type { InterfaceSpec } from '../../model/model.js';
import type { NodeObject } from './objects.js';

const EXCLUDE_LABEL = 'node.kubernetes.io/exclude-from-external-load-balancers';
/** The autoscaler is about to delete the node. */
const DELETION_TAINT = 'ToBeDeletedByClusterAutoscaler';
/** Ours; whatever it says but `false`. */
const DRAIN_ANNOTATION = 'sluice/drain';
const MAX_NAME = 15;
const PREFIX = 'to-';
const HEAD = 5;

/** A node that a balancer may send to. */
export interface BalancerNode {
  readonly name: string;
  /** Its first InternalIP of each family. */
  readonly addresses: ReadonlyMap<Family, string>;
  /** It keeps its connections and gets no new ones, unless there is no other node. */
  readonly draining: boolean;
  readonly tunnel: InterfaceSpec;
}

type Warn = (node: NodeObject, message: string) => void;

/**
 * The nodes that a balancer sends to, in the order of their names: ready ones that nobody has excluded.
 * Those that are cordoned, about to be deleted, or drained by the annotation `sluice/drain` are among
 * them until they are gone.
 */
export function balancerNodes(
  objects: readonly NodeObject[],
  balancer: CheckedBalancer,
  warn: Warn,
): BalancerNode[] {
  const byName = [...objects].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const names = tunnelNames(byName.map(({ metadata }) => metadata.name));
  const owners = new Map<string, string>();
  return byName.flatMap((node) => {
    if (!isWanted(node, balancer)) return [];
    const { name } = node.metadata;
    const addresses = internalAddresses(node);
    const local = balancer.locals.find((each) => addresses.has(familyOf(each)));
    if (local === undefined) {
      const families = balancer.locals.map((each) => `IPv${familyOf(each)}`).join(' or ');
      warn(node, `it has no InternalIP of ${families}, so nothing is sent to it`);
      return [];
    }
    const remote = addresses.get(familyOf(local))!;
    if (balancer.locals.includes(remote)) {
      warn(node, `its InternalIP ${remote} is the balancer's own, so nothing is sent to it`);
      return [];
    }
    const shared = [...addresses.values()].find((address) => owners.has(address));
    if (shared !== undefined) {
      warn(
        node,
        `its InternalIP ${shared} is that of ${owners.get(shared)}: nothing is sent to it`,
      );
      return [];
    }
    for (const address of addresses.values()) owners.set(address, name);
    const tunnel = { ...balancer.tunnel, name: names.get(name)!, local, remote };
    return [{ name, addresses, draining: isDraining(node), tunnel }];
  });
}

/**
 * Names of the tunnels to nodes: `to-NAME`, and of long names the beginning and a hash. Kubernetes'
 * names have no `_`, so that one that was cut is like none that was not.
 * @param nodes - in an order that does not depend on anything but their names
 */
export function tunnelNames(nodes: readonly string[]): Map<string, string> {
  const taken = new Set<string>();
  const names = new Map<string, string>();
  for (const node of nodes) {
    const whole = `${PREFIX}${node}`;
    let name = whole;
    for (let salt = 0; name.length > MAX_NAME || taken.has(name); salt++) {
      name = `${PREFIX}${node.slice(0, HEAD)}_${hashOf(`${node} ${salt}`)}`;
    }
    taken.add(name);
    names.set(node, name);
  }
  return names;
}

function hashOf(text: string): string {
  return createHash('sha256')
    .update(text)
    .digest('hex')
    .slice(0, MAX_NAME - PREFIX.length - HEAD - 1);
}

function isWanted(
  { metadata: { labels }, status }: NodeObject,
  balancer: CheckedBalancer,
): boolean {
  if (Object.hasOwn(labels, EXCLUDE_LABEL)) return false;
  // Manifests that somebody wrote by hand say nothing of conditions.
  const ready = status?.conditions.find(({ type }) => type === 'Ready');
  if (ready !== undefined && ready.status !== 'True') return false;
  return Object.entries(balancer.nodes).every(([label, value]) => labels[label] === value);
}

function isDraining({ metadata, spec }: NodeObject): boolean {
  const { annotations, deletionTimestamp } = metadata;
  const asked = annotations[DRAIN_ANNOTATION];
  return (
    spec?.unschedulable === true ||
    deletionTimestamp !== undefined ||
    spec?.taints.some(({ key }) => key === DELETION_TAINT) === true ||
    (asked !== undefined && asked !== 'false')
  );
}

function internalAddresses({ status }: NodeObject): Map<Family, string> {
  const addresses = new Map<Family, string>();
  for (const { type, address } of status?.addresses ?? []) {
    const canonical = type === 'InternalIP' ? canonicalAddress(address) : null;
    if (canonical === null) continue;
    const bytes = parseAddress(canonical)!;
    const family = familyOf(canonical);
    if (isMartian(bytes) || isLinkLocal(bytes) || addresses.has(family)) continue;
    addresses.set(family, canonical);
  }
  return addresses;
}
