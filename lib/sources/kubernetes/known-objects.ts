// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util';
import { show } from '../../model/explain.js';
import { isPlainObject } from '../../model/fields.js';
import type { RefusedObject } from './cluster-change.js';
import { ObjectMistake } from './object-mistake.js';
import type { WatchedKind } from './watched.js';

type Names = Pick<RefusedObject, 'namespace' | 'name'>;

interface Known<T> {
  /** Empty: not known. */
  version: string;
  value: T;
}

interface Refused {
  version: string;
  path: string;
  message: string;
}

interface Hooks<T> {
  /**
   * What is kept of an object.
   * @throws ObjectMistake
   */
  read(object: unknown): T;
  /** `undefined`: it is, or was, not there. */
  changed(key: string, after: T | undefined, before: T | undefined, object: unknown): void;
}

const MAX_NAME = 253;
/** Kinds without namespaces: their key is the name. */
const CLUSTER_KINDS: readonly WatchedKind[] = ['Node', 'Namespace', 'ClusterNetworkPolicy'];

/**
 * The objects of one kind as they were last right, by `namespace/name`. An object that is as it was before,
 * as far as it is read, has not changed; one that is wrong changes nothing.
 */
export class KnownObjects<T> {
  readonly #kind: WatchedKind;
  readonly #hooks: Hooks<T>;
  readonly #known = new Map<string, Known<T>>();
  readonly #refused = new Map<string, Refused>();
  #untold = new Map<string, RefusedObject>();
  /** Keys that have come since the list began; `null`: there is none. */
  #listed: Set<string> | null = null;

  constructor(kind: WatchedKind, hooks: Hooks<T>) {
    this.#kind = kind;
    this.#hooks = hooks;
  }

  get size(): number {
    return this.#known.size;
  }

  get refused(): number {
    return this.#refused.size;
  }

  /** There are refused objects that have not been told. */
  get hasUntold(): boolean {
    return this.#untold.size > 0;
  }

  get(key: string): T | undefined {
    return this.#known.get(key)?.value;
  }

  takeUntold(): RefusedObject[] {
    const untold = [...this.#untold.values()];
    if (untold.length > 0) this.#untold = new Map();
    return untold;
  }

  beginList(): void {
    this.#listed = new Set();
  }

  endList(): void {
    const listed = this.#listed;
    if (listed === null) return;
    this.#listed = null;
    for (const key of [...this.#known.keys(), ...this.#refused.keys()]) {
      if (!listed.has(key)) this.#drop(key, undefined);
    }
  }

  put(object: unknown): void {
    const names = this.#namesOf(object);
    const key = this.#keyOf(names);
    const version = versionOf(object);
    this.#listed?.add(key);
    const known = this.#known.get(key);
    const refused = this.#refused.get(key);
    if (version !== '' && version === (refused ?? known)?.version) return;
    try {
      this.#refuseOtherKind(object);
      const value = this.#hooks.read(object);
      this.#forgive(key);
      if (known !== undefined && isDeepStrictEqual(known.value, value)) known.version = version;
      else {
        this.#known.set(key, { version, value });
        this.#hooks.changed(key, value, known?.value, object);
      }
    } catch (error) {
      this.#refuse(key, names, version, error);
    }
  }

  remove(object: unknown): void {
    this.#drop(this.#keyOf(this.#namesOf(object)), object);
  }

  #drop(key: string, object: unknown): void {
    this.#listed?.delete(key);
    this.#forgive(key);
    const known = this.#known.get(key);
    if (known === undefined) return;
    this.#known.delete(key);
    this.#hooks.changed(key, undefined, known.value, object);
  }

  #forgive(key: string): void {
    this.#refused.delete(key);
  }

  #refuse(key: string, names: Names, version: string, error: unknown): void {
    const isMistake = error instanceof ObjectMistake;
    const path = isMistake ? error.path : '';
    const message = isMistake ? error.message : `it cannot be read: ${error}`;
    const before = this.#refused.get(key);
    this.#refused.set(key, { version, path, message });
    if (before?.path === path && before.message === message) return;
    this.#untold.set(key, { kind: this.#kind, ...names, path, message });
  }

  /** Items of lists do not say what they are. */
  #refuseOtherKind(object: unknown): void {
    const kind = isPlainObject(object) ? (object['kind'] ?? this.#kind) : this.#kind;
    if (kind === this.#kind) return;
    throw new ObjectMistake(['kind'], `expected ${this.#kind}, found ${show(kind)}`);
  }

  #namesOf(object: unknown): Names {
    const metadata = metadataOf(object);
    const name = textOf(metadata['name']);
    if (CLUSTER_KINDS.includes(this.#kind)) return { namespace: '', name };
    return { namespace: textOf(metadata['namespace'] ?? 'default'), name };
  }

  #keyOf({ namespace, name }: Names): string {
    return namespace === '' ? name : `${namespace}/${name}`;
  }
}

/** It changes whenever the object does; empty where that is not known. */
function versionOf(object: unknown): string {
  const { uid, resourceVersion } = metadataOf(object);
  if (typeof uid !== 'string' || typeof resourceVersion !== 'string') return '';
  return uid === '' || resourceVersion === '' ? '' : `${resourceVersion} ${uid}`;
}

function metadataOf(object: unknown): Record<string, unknown> {
  const metadata = isPlainObject(object) ? object['metadata'] : undefined;
  return isPlainObject(metadata) ? metadata : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_NAME) : '';
}
