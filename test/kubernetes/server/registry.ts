// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { Allocations } from './allocation.js';
import { checkMetadata } from './checks.js';
import { strategies } from './kinds.js';
import { type Manager, managedBy } from './managed-fields.js';
import { changesMeaning, isLetGo, nextMetadata, ordered, suffix } from './metadata.js';
import { clone, isRecord, type KubeObject, sameJson, type Tree, timestamp } from './objects.js';
import { applyPatch } from './patches.js';
import { apiVersionOf, BUILT_IN, definedBy, type Resource, type Subresource } from './resources.js';
import { scaled, scaleOf } from './scale.js';
import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  notFound,
  unprocessable,
} from './status.js';
import type { Store, Stored } from './store.js';
import type { Strategy } from './strategy.js';
import { objectShownBy, storedFrom } from './views.js';

/** An object of the API. */
export interface Target {
  readonly resource: Resource;
  /** null: of what has no namespace. */
  readonly namespace: string | null;
  readonly name: string;
}

export interface WriteOptions {
  readonly manager: Manager;
  readonly dryRun?: boolean;
  readonly subresource?: Subresource | undefined;
}

/** Kinds that a PUT creates. */
const CREATED_BY_PUT = ['Service', 'Endpoints', 'Lease', 'Event'];
const NO_STRATEGY: Strategy = {};

export const keyOf = (namespace: string | null | undefined, name: string): string =>
  namespace ? `${namespace}/${name}` : name;

/** Creates and changes objects by the API server's rules. */
export class Registry {
  readonly store: Store;
  readonly allocations: Allocations;
  readonly #strategies: ReadonlyMap<string, Strategy>;
  #resources: readonly Resource[] = BUILT_IN;

  constructor(store: Store, cidrs: readonly string[]) {
    this.store = store;
    this.allocations = new Allocations(cidrs);
    this.#strategies = strategies(this.allocations, (name) => {
      return store.collection('nodes').objects.get(name)?.object.metadata.labels ?? {};
    });
    for (const { object } of store.collection('services').objects.values()) {
      this.allocations.count(object, 1);
    }
    this.#defineResources();
  }

  get resources(): readonly Resource[] {
    return this.#resources;
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    return this.#resources.find(
      (one) => one.plural === plural && one.group === group && one.version === version,
    );
  }

  /** @throws ApiError 404. */
  get({ resource, namespace, name }: Target): Stored {
    const found = this.store.collection(resource.collection).objects.get(keyOf(namespace, name));
    if (!found) throw notFound(resource, name);
    return found;
  }

  create(resource: Resource, namespace: string | null, body: Tree, options: WriteOptions): Stored {
    const object = this.#read(resource, namespace, body);
    const { metadata } = object;
    if (metadata.resourceVersion) {
      throw badRequest('resourceVersion should not be set on objects to be created');
    }
    if (!metadata.name && metadata.generateName) {
      metadata.name = metadata.generateName + suffix();
    }
    this.#checkNamespace(resource, namespace, metadata.name);
    const strategy = this.#strategy(resource);
    const created: KubeObject = {
      ...object,
      metadata: ordered({
        ...metadata,
        ...(namespace !== null && { namespace }),
        uid: randomUUID(),
        // Its place in the order; the store gives it.
        resourceVersion: '0',
        creationTimestamp: timestamp(),
        ...(resource.generation && { generation: 1 }),
      }),
    };
    delete created.metadata.deletionTimestamp;
    delete created.metadata.deletionGracePeriodSeconds;
    if (resource.custom && resource.subresources.includes('status')) delete created.status;
    this.#prepare(resource, created, undefined, () => strategy.prepareCreate?.(created));
    const key = keyOf(namespace, created.metadata.name);
    if (this.store.collection(resource.collection).objects.has(key)) {
      throw alreadyExists(resource, created.metadata.name);
    }
    managedBy(created, undefined, resource, options.manager, undefined);
    return this.#commit(resource, key, storedFrom(resource, created), options);
  }

  update(target: Target, body: Tree, options: WriteOptions): Stored {
    const { resource, namespace, name } = target;
    const collection = this.store.collection(resource.collection);
    if (options.subresource === 'scale') {
      const { object } = this.get(target);
      return this.#change(target, scaled(object, body), { ...options, subresource: undefined });
    }
    const object = this.#read(resource, namespace, body);
    if (object.metadata.name !== name) {
      throw badRequest(
        `the name of the object (${object.metadata.name ?? ''}) does not match the name on the URL (${name})`,
      );
    }
    const isMissing = !collection.objects.has(keyOf(namespace, name));
    if (isMissing && !options.subresource && CREATED_BY_PUT.includes(resource.kind)) {
      return this.create(resource, namespace, body, options);
    }
    return this.#change(target, object, options);
  }

  patch(target: Target, mediaType: string, patch: Tree, options: WriteOptions): Stored {
    const { resource } = target;
    const { object } = this.get(target);
    const shown = {
      kind: resource.kind,
      apiVersion: apiVersionOf(resource),
      ...objectShownBy(resource, object),
    };
    const isScale = options.subresource === 'scale';
    const before = isScale ? scaleOf(object) : shown;
    const patched = applyPatch(mediaType, before, patch, resource.custom);
    if (isRecord(patch) && isRecord(patch['metadata']) && !patch['metadata']['resourceVersion']) {
      patched.metadata.resourceVersion = object.metadata.resourceVersion;
    }
    return this.update(target, patched, options);
  }

  /** A change by a client, or null where it changes nothing. */
  #change(target: Target, object: KubeObject, options: WriteOptions): Stored {
    const { resource, namespace, name } = target;
    const current = this.get(target);
    const old = objectShownBy(resource, current.object);
    const asked = object.metadata;
    if (asked.uid && asked.uid !== old.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${asked.uid}, UID in object meta: ${old.metadata.uid}`;
      throw conflict(resource, name, why);
    }
    if (asked.resourceVersion && asked.resourceVersion !== old.metadata.resourceVersion) {
      throw conflict(
        resource,
        name,
        'the object has been modified; please apply your changes to the latest version and try again',
      );
    }
    if (!asked.resourceVersion && resource.custom) {
      throw unprocessable(resource, name, [
        {
          reason: 'FieldValueInvalid',
          field: 'metadata.resourceVersion',
          message: 'Invalid value: 0: must be specified for an update',
        },
      ]);
    }
    const next = this.#next(resource, object, old, options.subresource);
    if (sameJson(next, old)) return current;
    if (resource.generation && changesMeaning(resource, next, old)) {
      next.metadata.generation = (old.metadata.generation ?? 0) + 1;
    }
    managedBy(next, old, resource, options.manager, options.subresource);
    const key = keyOf(namespace, name);
    if (isLetGo(resource, next, old)) return this.commitRemoval(resource, key, options);
    return this.#commit(resource, key, storedFrom(resource, next), options);
  }

  #next(
    resource: Resource,
    object: KubeObject,
    old: KubeObject,
    subresource: Subresource | undefined,
  ): KubeObject {
    const metadata = nextMetadata(object.metadata, old.metadata);
    const strategy = this.#strategy(resource);
    if (subresource === 'finalize') {
      return { ...old, spec: { ...old.spec, finalizers: object.spec?.finalizers ?? [] } };
    }
    if (subresource === 'status') {
      const next: KubeObject = { ...old, status: object.status };
      if (object.status === undefined) delete next.status;
      this.#guard(resource, () => strategy.defaults?.(next));
      return next;
    }
    const next: KubeObject = { ...object, metadata };
    if (resource.subresources.includes('status')) {
      delete next.status;
      if (old.status !== undefined) next.status = clone(old.status);
    }
    this.#prepare(resource, next, old, () => strategy.prepareUpdate?.(next, old));
    return next;
  }

  /** Defaults, checks, and what is allocated. */
  #prepare(
    resource: Resource,
    object: KubeObject,
    old: KubeObject | undefined,
    prepare: () => void,
  ): void {
    const strategy = this.#strategy(resource);
    this.#guard(resource, () => {
      strategy.defaults?.(object);
      prepare();
      const errors = [
        ...(old ? [] : checkMetadata(resource.kind, object.metadata)),
        ...(strategy.check?.(object, old) ?? []),
      ];
      const refused = errors.length > 0 ? errors : (strategy.allocate?.(object, old) ?? []);
      if (refused.length > 0) throw unprocessable(resource, object.metadata.name ?? '', refused);
    });
  }

  /** A field of another type than it ought to be: the real server fails to decode it. */
  #guard(resource: Resource, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      const { kind, version } = resource;
      throw badRequest(
        `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: json: cannot unmarshal: ${error.message}`,
      );
    }
  }

  #read(resource: Resource, namespace: string | null, body: Tree): KubeObject {
    if (!isRecord(body)) throw badRequest('the body is not an object');
    const { apiVersion, kind, ...object } = clone(body);
    if (!kind)
      throw badRequest(`Object 'Kind' is missing in '${JSON.stringify(body).slice(0, 200)}'`);
    if (apiVersion !== apiVersionOf(resource)) {
      throw badRequest(
        `the API version in the data (${apiVersion}) does not match the expected API version (${apiVersionOf(resource)})`,
      );
    }
    if (kind !== resource.kind) {
      throw badRequest(
        `${kind} in version "${resource.version}" cannot be handled as a ${resource.kind}`,
      );
    }
    if (object['metadata'] === undefined) object['metadata'] = {};
    if (!isRecord(object['metadata'])) throw badRequest('json: cannot unmarshal metadata');
    const given = object['metadata']['namespace'];
    if (namespace !== null && given && given !== namespace) {
      throw badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      );
    }
    return object as KubeObject;
  }

  #checkNamespace(resource: Resource, namespace: string | null, name: string): void {
    if (namespace === null) return;
    const target = this.find('', 'v1', 'namespaces')!;
    const { object } = this.get({ resource: target, namespace: null, name: namespace });
    if (object.metadata.deletionTimestamp) {
      throw forbidden(
        resource,
        name,
        `unable to create new content in namespace ${namespace} because it is being terminated`,
        [
          {
            reason: 'NamespaceTerminating',
            message: `namespace ${namespace} is being terminated`,
            field: 'metadata.namespace',
          },
        ],
      );
    }
  }

  #strategy({ kind, group }: Resource): Strategy {
    return this.#strategies.get(group ? `${kind}.${group}` : kind) ?? NO_STRATEGY;
  }

  #commit(resource: Resource, key: string, object: KubeObject, options: WriteOptions): Stored {
    if (options.dryRun) return { key, object, revision: this.store.revision };
    return this.commit(resource, key, object);
  }

  /** Stores an object as it is, past all rules. */
  commit(resource: Resource, key: string, object: KubeObject): Stored {
    const before = this.store.collection(resource.collection).objects.get(key);
    const stored = this.store.put(resource.collection, key, object);
    this.#stored(resource, before?.object, object);
    return stored;
  }

  commitRemoval(resource: Resource, key: string, options: { dryRun?: boolean }): Stored {
    const { objects } = this.store.collection(resource.collection);
    const before = objects.get(key)!;
    if (options.dryRun) return before;
    const removed = this.store.remove(resource.collection, key)!;
    this.#stored(resource, before.object, undefined);
    return removed;
  }

  #stored(resource: Resource, before: KubeObject | undefined, after: KubeObject | undefined): void {
    if (resource.collection === 'services') {
      if (before) this.allocations.count(before, -1);
      if (after) this.allocations.count(after, 1);
    }
    if (resource.kind === 'CustomResourceDefinition') this.#defineResources();
  }

  #defineResources(): void {
    const definitions = this.store.collection('customresourcedefinitions.apiextensions.k8s.io');
    this.#resources = [
      ...BUILT_IN,
      ...definitions.sorted().flatMap(({ object }) => definedBy(object)),
    ];
  }
}
