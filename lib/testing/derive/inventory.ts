// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod';
import { show } from '../../model/explain.js';
import { isPlainObject } from '../../model/fields.js';
import { parseManifests } from '../../sources/files/manifests.js';
import type { ManifestFile } from '../../sources/files/read.js';
import { groupOf, objectsOf, refuseField } from '../../sources/files/unlisted.js';
import { nodeSchema } from '../../sources/kubernetes/node-schema.js';
import {
  type EndpointSliceObject,
  type NodeObject,
  ObjectMistake,
  read,
  readEndpointSlice,
  readService,
  type ServiceObject,
} from '../../sources/kubernetes/objects.js';
import {
  ofReader,
  type PodObject,
  podSchema,
  type ServiceWishes,
  serviceWishesSchema,
  sliceTargetsSchema,
  type WorkloadObject,
  workloadSchema,
} from './schema.js';

/** An object as it was given, and as far as it was read. */
export interface Given<T> {
  readonly kind: string;
  /** `FILE#DOCUMENT`, or `objects[i]`. */
  readonly origin: string;
  readonly raw: Readonly<Record<string, unknown>>;
  readonly object: T;
}

export type GivenService = Given<ServiceObject> & { readonly wishes: ServiceWishes };

export type GivenSlice = Given<EndpointSliceObject> & {
  /** Name of the pod of each endpoint, `null` where it is nobody's. */
  readonly pods: readonly (string | null)[];
};

/** What manifests hold, sorted by what is derived from it. */
export interface Inventory {
  readonly nodes: Given<NodeObject>[];
  readonly pods: Given<PodObject>[];
  readonly workloads: Given<WorkloadObject>[];
  readonly services: GivenService[];
  readonly slices: GivenSlice[];
  readonly namespaces: Given<{ metadata: { name: string } }>[];
  /** Read by the proxies themselves: policies. */
  readonly others: Given<unknown>[];
  /** Kinds that nothing here depends on, and how many of each there were. */
  readonly skipped: Record<string, number>;
}

const WORKLOADS: Readonly<Record<string, string>> = {
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  ReplicaSet: 'apps/v1',
};

/** Group and version that each kind must have; a kind of another group is another kind. */
const READ_HERE: Readonly<Record<string, string>> = {
  ...WORKLOADS,
  Service: 'v1',
  EndpointSlice: 'discovery.k8s.io/v1',
  Node: 'v1',
  Pod: 'v1',
  Namespace: 'v1',
  NetworkPolicy: 'networking.k8s.io/v1',
  ClusterNetworkPolicy: 'policy.networking.k8s.io/v1alpha2',
};

/**
 * Reads files that are in memory.
 * @throws SluiceError `ERR_MANIFEST`, path `FILE#DOCUMENT: spec.ports[0].port`
 */
export function takeInventory(files: readonly ManifestFile[]): Inventory {
  // Whatever a proxy reads is refused here in its words, and with the path that its giver knows.
  parseManifests(files);
  const inventory: Inventory = {
    nodes: [],
    pods: [],
    workloads: [],
    services: [],
    slices: [],
    namespaces: [],
    others: [],
    skipped: {},
  };
  const seen = new Map<string, string>();
  for (const { kind, apiVersion, value, path } of objectsOf(files, Object.keys(READ_HERE))) {
    if (isReadHere(kind, apiVersion)) {
      const raw = { ...value, kind, apiVersion };
      add(inventory, { kind, origin: path, raw, object: raw }, seen);
      continue;
    }
    const label = Object.hasOwn(READ_HERE, kind) ? `${kind} (${apiVersion})` : kind;
    inventory.skipped[label] = (inventory.skipped[label] ?? 0) + 1;
  }
  return inventory;
}

function isReadHere(kind: string, apiVersion: unknown): boolean {
  const right = READ_HERE[kind];
  return right !== undefined && groupOf(String(apiVersion)) === groupOf(right);
}

function add(inventory: Inventory, given: Given<unknown>, seen: Map<string, string>): void {
  const { kind, raw } = given;
  const keep = <T>(list: Given<T>[], schema: z.ZodType<T>, more: object = {}) => {
    const object = readGiven(given, schema);
    list.push({ ...given, ...more, object });
  };
  const version = raw['apiVersion'];
  if (version !== READ_HERE[kind]) {
    refuse(given, 'apiVersion', `expected ${READ_HERE[kind]}, found ${show(version)}`);
  }
  refuseTwice(given, seen);
  if (Object.hasOwn(WORKLOADS, kind)) {
    // A ReplicaSet of a Deployment says nothing that its owner does not say.
    if (kind === 'ReplicaSet' && isOwned(raw)) return;
    keep(inventory.workloads, workloadSchema);
  } else if (kind === 'Pod') keep(inventory.pods, podSchema);
  else if (kind === 'Node') keep(inventory.nodes, nodeSchema);
  else if (kind === 'Service') {
    const { spec: wishes } = readGiven(given, serviceWishesSchema);
    inventory.services.push({ ...given, object: readGiven(given, ofReader(readService)), wishes });
  } else if (kind === 'EndpointSlice') {
    const { endpoints } = readGiven(given, sliceTargetsSchema);
    const pods = endpoints.map(({ targetRef }) =>
      targetRef?.kind === 'Pod' && targetRef.name !== '' ? targetRef.name : null,
    );
    inventory.slices.push({
      ...given,
      object: readGiven(given, ofReader(readEndpointSlice)),
      pods,
    });
  } else if (kind === 'Namespace') {
    keep(inventory.namespaces as Given<NodeObject>[], nodeSchema);
  } else inventory.others.push(given);
}

function isOwned(raw: Readonly<Record<string, unknown>>): boolean {
  const metadata = raw['metadata'];
  const owners = isPlainObject(metadata) ? metadata['ownerReferences'] : null;
  return Array.isArray(owners) && owners.length > 0;
}

/** @throws SluiceError `ERR_MANIFEST` with the first mistake */
function readGiven<T>(given: Given<unknown>, schema: z.ZodType<T>): T {
  try {
    return read(schema, given.raw);
  } catch (error) {
    if (error instanceof ObjectMistake) refuse(given, error.path, error.message);
    throw error;
  }
}

/** @throws SluiceError `ERR_MANIFEST` whose message names the object and whose path names the field */
export function refuse(given: Given<unknown>, field: string, message: string): never {
  return refuseField(given.origin, field, `${titleOf(given)}: ${message}`);
}

/** `Deployment shop/cart`. */
export function titleOf({ kind, raw }: Given<unknown>): string {
  const metadata = raw['metadata'];
  const { name, namespace } = isPlainObject(metadata) ? metadata : {};
  const isScoped = kind !== 'Node' && kind !== 'Namespace' && kind !== 'ClusterNetworkPolicy';
  return `${kind} ${isScoped ? `${namespace ?? 'default'}/` : ''}${name ?? '?'}`;
}

function refuseTwice(given: Given<unknown>, seen: Map<string, string>): void {
  const title = titleOf(given);
  const origin = seen.get(title);
  if (origin !== undefined) {
    refuse(given, 'metadata.name', `it is given already at ${origin}; leave one of them out`);
  }
  seen.set(title, given.origin);
}
