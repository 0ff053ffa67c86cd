// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from './objects.js';

/** One version of an object. Immutable. */
export interface Stored {
  /** `namespace/name`, or `name` of what has no namespace. */
  readonly key: string;
  readonly object: KubeObject;
  readonly revision: number;
  /** The object as JSON, made when it is first asked for. */
  text?: string;
}

export interface Change {
  readonly revision: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** As it is now; of a deletion, as it was last, with the resourceVersion of the deletion. */
  readonly now: Stored;
  readonly before: Stored | undefined;
}

export const textOf = (stored: Stored): string => {
  stored.text ??= JSON.stringify(stored.object);
  return stored.text;
};

/** The objects of one resource, and what became of them since the last compaction. */
export class Collection {
  readonly objects = new Map<string, Stored>();
  readonly changes: Change[] = [];
  readonly watchers = new Set<(change: Change) => void>();
  #sorted: string[] | undefined;
  #snapshot: { revision: number; items: Stored[] } | undefined;

  /** In the order of their keys, as etcd keeps them. */
  sorted(): Stored[] {
    this.#sorted ??= [...this.objects.keys()].sort((a, b) => (a < b ? -1 : 1));
    return this.#sorted.map((key) => this.objects.get(key)!);
  }

  /** As it was at a revision that is not compacted. */
  at(revision: number): Stored[] {
    const last = this.changes.at(-1);
    if (!last || last.revision <= revision) return this.sorted();
    if (this.#snapshot?.revision === revision) return this.#snapshot.items;
    const then = new Map(this.objects);
    for (let i = this.changes.length - 1; i >= 0 && this.changes[i]!.revision > revision; i--) {
      const { now, before } = this.changes[i]!;
      if (before) then.set(before.key, before);
      else then.delete(now.key);
    }
    const items = [...then.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    this.#snapshot = { revision, items };
    return items;
  }

  after(revision: number): Change[] {
    let low = 0;
    let high = this.changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.changes[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.changes.slice(low);
  }

  apply(change: Change): void {
    if (change.type === 'DELETED') this.objects.delete(change.now.key);
    else this.objects.set(change.now.key, change.now);
    if (change.type !== 'MODIFIED') this.#sorted = undefined;
    this.changes.push(change);
  }

  forget(revision: number): void {
    this.changes.splice(0, this.changes.length - this.after(revision).length);
    this.#snapshot = undefined;
  }
}

/** What is stored, under one counter of revisions, as in etcd. */
export class Store {
  /** Of the last change. */
  revision = 1;
  /** History up to here is gone. */
  compacted = 0;
  /**
   * Watches from before here are told 410. A server that has started again has no events of before
   * in its cache, though etcd has its history.
   */
  watchable = 0;
  /** Told of each change before watchers are. */
  journal: ((collection: string, change: Change) => void) | undefined;
  readonly #collections = new Map<string, Collection>();
  readonly #historySize: number;
  #history: number[] = [];

  /** @param historySize - Changes that can be asked for again; older ones are compacted. */
  constructor(historySize: number) {
    this.#historySize = historySize;
  }

  collection(name: string): Collection {
    let found = this.#collections.get(name);
    if (!found) {
      found = new Collection();
      this.#collections.set(name, found);
    }
    return found;
  }

  get names(): string[] {
    return [...this.#collections.keys()];
  }

  put(name: string, key: string, object: KubeObject): Stored {
    const collection = this.collection(name);
    const before = collection.objects.get(key);
    return this.#commit(name, key, object, before ? 'MODIFIED' : 'ADDED', before);
  }

  remove(name: string, key: string): Stored | undefined {
    const before = this.collection(name).objects.get(key);
    return before && this.#commit(name, key, before.object, 'DELETED', before);
  }

  /** A change that was made before, read back. */
  replay(name: string, type: 'PUT' | 'DELETED', key: string, object: KubeObject): void {
    const collection = this.collection(name);
    const before = collection.objects.get(key);
    const revision = Number(object.metadata.resourceVersion);
    const kind = type === 'DELETED' ? type : before ? 'MODIFIED' : 'ADDED';
    this.#record(collection, { revision, type: kind, now: { key, object, revision }, before });
  }

  /** Forgets history up to and with a revision: watches and lists from before it are told 410. */
  compact(revision = this.revision): void {
    this.compacted = Math.max(this.compacted, revision);
    this.watchable = Math.max(this.watchable, revision);
    for (const collection of this.#collections.values()) collection.forget(this.compacted);
    this.#history = this.#history.filter((made) => made > this.compacted);
  }

  #commit(
    name: string,
    key: string,
    object: KubeObject,
    type: Change['type'],
    before: Stored | undefined,
  ): Stored {
    const revision = this.revision + 1;
    const metadata = { ...object.metadata, resourceVersion: String(revision) };
    const now = { key, object: { ...object, metadata }, revision };
    const change = { revision, type, now, before };
    this.journal?.(name, change);
    const collection = this.collection(name);
    this.#record(collection, change);
    for (const watcher of [...collection.watchers]) watcher(change);
    return now;
  }

  #record(collection: Collection, change: Change): void {
    this.revision = change.revision;
    collection.apply(change);
    this.#history.push(change.revision);
    // Now and then: forgetting costs a pass.
    if (this.#history.length > this.#historySize * 1.25) {
      this.compact(this.#history[this.#history.length - this.#historySize - 1]);
    }
  }
}
