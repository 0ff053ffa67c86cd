// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod';
import { SluiceError } from '../../errors.js';
import { show } from '../../model/explain.js';
import { isPlainObject } from '../../model/fields.js';
import { parseManifests } from '../../sources/files/manifests.js';
import { type ManifestFile, parseDocuments } from '../../sources/files/read.js';
import { nodeSchema } from '../../sources/kubernetes/node-schema.js';
import {
  type EndpointSliceObject,
  type NodeObject,
  ObjectMistake,
  read,
  type ServiceObject,
} from '../../sources/kubernetes/objects.js';
import { serviceSchema } from '../../sources/kubernetes/service-schema.js';
import { endpointSliceSchema } from '../../sources/kubernetes/slice-schema.js';
import {
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
  for (const { value, path } of objectsOf(files)) {
    const { kind, apiVersion } = value as { kind: string; apiVersion?: unknown };
    if (isReadHere(kind, apiVersion)) {
      add(inventory, { kind, origin: path, raw: value, object: value }, seen);
      continue;
    }
    const label = Object.hasOwn(READ_HERE, kind) ? `${kind} (${apiVersion})` : kind;
    inventory.skipped[label] = (inventory.skipped[label] ?? 0) + 1;
  }
  return inventory;
}

function isReadHere(kind: string, apiVersion: unknown): boolean {
  if (!Object.hasOwn(READ_HERE, kind)) return false;
  return groupOf(apiVersion) === groupOf(READ_HERE[kind]);
}

function groupOf(apiVersion: unknown): string {
  return String(apiVersion).split('/').slice(0, -1).join('/');
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
    inventory.services.push({ ...given, object: readGiven(given, serviceSchema), wishes });
  } else if (kind === 'EndpointSlice') {
    const { endpoints } = readGiven(given, sliceTargetsSchema);
    const pods = endpoints.map(({ targetRef }) =>
      targetRef?.kind === 'Pod' && targetRef.name !== '' ? targetRef.name : null,
    );
    inventory.slices.push({ ...given, object: readGiven(given, endpointSliceSchema), pods });
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
  const path = field === '' ? given.origin : `${given.origin}: ${field}`;
  throw new SluiceError('ERR_MANIFEST', `${titleOf(given)}: ${message}`, { path });
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

interface Found {
  value: Record<string, unknown>;
  path: string;
}

/** The objects of all documents, out of their lists. */
function objectsOf(files: readonly ManifestFile[]): Found[] {
  const documents = files.flatMap((file) => parseDocuments(file));
  return documents.flatMap(({ value, path }) => unlisted(value, path, {}));
}

function unlisted(value: unknown, path: string, implied: Record<string, unknown>): Found[] {
  if (!isPlainObject(value)) {
    throw new SluiceError('ERR_MANIFEST', `expected an object, found ${show(value)}`, { path });
  }
  const { items } = value;
  const kind = String(value['kind'] ?? implied['kind']);
  if (!kind.endsWith('List') || !(Array.isArray(items) || items === null)) {
    return [{ value: { ...implied, ...value }, path }];
  }
  const inner = kind.slice(0, -'List'.length);
  const within = inner === '' ? {} : { kind: inner, apiVersion: value['apiVersion'] };
  return (items ?? []).flatMap((item, index) => unlisted(item, `${path}.items[${index}]`, within));
}
