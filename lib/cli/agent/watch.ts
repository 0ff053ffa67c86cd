// SPDX-License-Identifier: Apache-2.0
import { type FSWatcher, watch } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';

/** Changes that come within this time are told of once. */
const SETTLE_MS = 150;
/** How long to wait before a path that cannot be watched is tried again. */
const RETRY_MS = 2_000;

const MANIFEST = /\.(ya?ml|json)$/i;

/** By folder: the names in it that matter, and whether those of all manifests do. */
type Places = Map<string, Place>;

interface Place {
  names: Set<string>;
  manifests: boolean;
}

/**
 * Watches files and folders. Editors and Kubernetes' volumes replace files and links rather than
 * write to them, so it is the folders that are watched, and after every change what is watched is
 * looked up anew.
 */
export class PathWatcher {
  readonly #onChange: () => void;
  readonly #onError: (path: string, error: Error) => void;
  #paths: readonly string[] = [];
  #watchers: FSWatcher[] = [];
  #settle: NodeJS.Timeout | null = null;
  #retry: NodeJS.Timeout | null = null;
  #closed = false;

  /**
   * @param onChange - something may have changed
   * @param onError - a path cannot be watched at the moment
   */
  constructor(onChange: () => void, onError: (path: string, error: Error) => void) {
    this.#onChange = onChange;
    this.#onError = onError;
  }

  /** Watches these paths and no others. */
  async watch(paths: readonly string[]): Promise<void> {
    this.#paths = paths;
    const { places, missing } = await lookUp(paths);
    if (this.#closed) return;
    const previous = this.#watchers;
    this.#watchers = [];
    for (const [folder, place] of places) {
      try {
        this.#watchers.push(this.#watchFolder(folder, place));
      } catch (error) {
        missing.push({ path: folder, error: error as Error });
      }
    }
    // The old ones go when the new ones are there, so that nothing falls between them.
    for (const watcher of previous) watcher.close();
    for (const { path, error } of missing) this.#onError(path, error);
    if (missing.length > 0) this.#tryAgain();
  }

  close(): void {
    this.#closed = true;
    if (this.#settle !== null) clearTimeout(this.#settle);
    if (this.#retry !== null) clearTimeout(this.#retry);
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  #watchFolder(folder: string, place: Place): FSWatcher {
    const watcher = watch(folder, (_event, name) => {
      // A volume's files are links through `..data`, which is what changes.
      if (name === null || name.startsWith('..') || isWatched(place, name)) this.#changed();
    });
    watcher.on('error', (error) => {
      this.#onError(folder, error);
      this.#tryAgain();
    });
    return watcher;
  }

  #changed(): void {
    if (this.#closed || this.#settle !== null) return;
    this.#settle = setTimeout(() => {
      this.#settle = null;
      void this.watch(this.#paths).then(() => {
        if (!this.#closed) this.#onChange();
      });
    }, SETTLE_MS);
  }

  #tryAgain(): void {
    if (this.#closed || this.#retry !== null) return;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#changed();
    }, RETRY_MS);
  }
}

function isWatched({ names, manifests }: Place, name: string): boolean {
  return names.has(name) || (manifests && MANIFEST.test(name));
}

async function lookUp(
  paths: readonly string[],
): Promise<{ places: Places; missing: { path: string; error: Error }[] }> {
  const places: Places = new Map();
  const missing: { path: string; error: Error }[] = [];
  const placeAt = (folder: string): Place => {
    const place = places.get(folder) ?? { names: new Set(), manifests: false };
    places.set(folder, place);
    return place;
  };
  const add = (file: string): void => {
    placeAt(dirname(file)).names.add(basename(file));
  };
  for (const path of paths) {
    try {
      if ((await stat(path)).isDirectory()) placeAt(path).manifests = true;
      // A folder can be exchanged for another one as well, and its own watch would not tell.
      add(resolve(path));
      add(await realpath(path));
    } catch (error) {
      missing.push({ path, error: error as Error });
    }
  }
  return { places, missing };
}
