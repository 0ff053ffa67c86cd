// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import { show } from '../../model/explain.js';
import {
  type KubernetesObjects,
  ObjectMistake,
  readClusterNetworkPolicy,
  readEndpointSlice,
  readNamespace,
  readNetworkPolicy,
  readNode,
  readPod,
  readService,
} from '../kubernetes/objects.js';
import { type ManifestFile, readFiles } from './read.js';
import { type FoundObject, groupOf, objectsOf, refuseField } from './unlisted.js';

/** What manifests hold. */
export interface Manifests {
  objects: KubernetesObjects;
  /** How many objects of other kinds were passed over, by kind. */
  skipped: Record<string, number>;
  /** Number of files that were read; the standard input counts as one. */
  files: number;
}

type Kind =
  | 'Service'
  | 'EndpointSlice'
  | 'Node'
  | 'Namespace'
  | 'Pod'
  | 'NetworkPolicy'
  | 'ClusterNetworkPolicy';

/** The kinds that are read, and the group and version that each must have. */
const API_VERSIONS: Readonly<Record<Kind, string>> = {
  Service: 'v1',
  EndpointSlice: 'discovery.k8s.io/v1',
  Node: 'v1',
  Namespace: 'v1',
  Pod: 'v1',
  NetworkPolicy: 'networking.k8s.io/v1',
  ClusterNetworkPolicy: 'policy.networking.k8s.io/v1alpha2',
};

/**
 * Reads manifests: files, folders, and `-` for the standard input.
 * @throws SluiceError `ERR_MANIFEST`, path `FILE#DOCUMENT[.items[i]]: spec.ports[0].port`
 */
export async function readManifests(
  paths: readonly string[],
  options: { stdin?: Readable } = {},
): Promise<Manifests> {
  return parseManifests(await readFiles(paths, options.stdin));
}

/**
 * Reads manifests that are in memory.
 * @throws SluiceError `ERR_MANIFEST`
 */
export function parseManifests(files: readonly ManifestFile[]): Manifests {
  const collector = new Collector();
  for (const object of objectsOf(files, Object.keys(API_VERSIONS))) collector.add(object);
  const skipped = Object.fromEntries(collector.skipped);
  return { objects: collector.objects, skipped, files: files.length };
}

class Collector {
  readonly objects: KubernetesObjects = {
    services: [],
    endpointSlices: [],
    nodes: [],
    namespaces: [],
    pods: [],
    networkPolicies: [],
    clusterNetworkPolicies: [],
  };
  readonly skipped = new Map<string, number>();
  /** Where each object was read. */
  readonly #origins = new Map<string, string>();

  add({ kind, apiVersion, value, path }: FoundObject): void {
    if (!isRead(kind)) this.#skip(kind);
    else if (isForeign(kind, apiVersion)) this.#skip(`${kind} (${apiVersion})`);
    else this.#addObject(kind, apiVersion, value, path);
  }

  #addObject(kind: Kind, apiVersion: unknown, value: Record<string, unknown>, path: string): void {
    if (apiVersion !== API_VERSIONS[kind]) {
      const right = API_VERSIONS[kind];
      refuseField(path, 'apiVersion', `expected ${right} for a ${kind}, found ${show(apiVersion)}`);
    }
    try {
      this.#read(kind, value, path);
    } catch (error) {
      if (error instanceof ObjectMistake) refuseField(path, error.path, error.message);
      throw error;
    }
  }

  #read(kind: Kind, value: unknown, path: string): void {
    const { objects } = this;
    switch (kind) {
      case 'Service':
        this.#keep(readService(value), kind, objects.services, path);
        break;
      case 'EndpointSlice':
        this.#keep(readEndpointSlice(value), kind, objects.endpointSlices, path);
        break;
      case 'Node':
        this.#keep(readNode(value), kind, objects.nodes, path);
        break;
      case 'Namespace':
        this.#keep(readNamespace(value), kind, objects.namespaces, path);
        break;
      case 'Pod':
        this.#keep(readPod(value), kind, objects.pods, path);
        break;
      case 'NetworkPolicy':
        this.#keep(readNetworkPolicy(value), kind, objects.networkPolicies, path);
        break;
      case 'ClusterNetworkPolicy':
        this.#keep(readClusterNetworkPolicy(value), kind, objects.clusterNetworkPolicies, path);
        break;
    }
  }

  #keep<T extends { metadata: { namespace: string; name: string } }>(
    object: T,
    kind: string,
    list: T[],
    path: string,
  ): void {
    const name = `${object.metadata.namespace}/${object.metadata.name}`;
    const key = `${kind} ${name}`;
    const origin = this.#origins.get(key);
    if (origin !== undefined) {
      refuseField(
        path,
        'metadata.name',
        `${key} is given already at ${origin}; leave one of them out`,
      );
    }
    this.#origins.set(key, path);
    list.push(object);
  }

  #skip(kind: string): void {
    this.skipped.set(kind, (this.skipped.get(kind) ?? 0) + 1);
  }
}

function isRead(kind: string): kind is Kind {
  return Object.hasOwn(API_VERSIONS, kind);
}

/** Other API groups have kinds of the same name, such as Knative's Service. */
function isForeign(kind: Kind, apiVersion: unknown): boolean {
  if (typeof apiVersion !== 'string') return false;
  return groupOf(apiVersion) !== '' && groupOf(apiVersion) !== groupOf(API_VERSIONS[kind]);
}
