// SPDX-License-Identifier: Apache-2.0
import { objectText, type Scope, selection } from './lists.js';
import type { Tree } from './objects.js';
import { apiVersionOf } from './resources.js';
import { expired, forbiddenField, tooLargeVersion, unprocessable } from './status.js';
import type { Change, Store, Stored } from './store.js';

/** Where the lines of a watch go. */
export interface WatchSink {
  write(line: string): void;
  end(): void;
}

/** A watch that goes on until it is stopped or its time is over. */
export interface Watch {
  readonly scope: Scope;
  /** A line of any content. */
  write(line: string): void;
  /** Its stream has ended. */
  stop(): void;
}

export interface WatchTimes {
  /** Between two bookmarks. */
  bookmarkMs: number;
}

const LIST_OPTIONS = { group: 'meta.k8s.io', plural: '', kind: 'ListOptions' };

/**
 * @returns Begins the watch: the status line can be sent before.
 * @throws ApiError, where the watch is refused before it begins.
 */
export function prepareWatch(
  store: Store,
  scope: Scope,
  times: WatchTimes,
): (sink: WatchSink) => Watch {
  const { resource, namespace, query } = scope;
  const wanted = selection(scope);
  const version = query.get('resourceVersion') ?? '';
  const from = Number(version);
  const isStreamingList = query.get('sendInitialEvents') === 'true';
  const isInitial = isStreamingList || version === '' || version === '0';
  const match = query.get('resourceVersionMatch');
  if (query.has('sendInitialEvents') && match !== 'NotOlderThan') {
    throw unprocessable(LIST_OPTIONS, '', [
      forbiddenField(
        'resourceVersionMatch',
        'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
      ),
    ]);
  }
  if (match && !query.has('sendInitialEvents')) {
    throw unprocessable(LIST_OPTIONS, '', [
      forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch'),
    ]);
  }
  // A watch from the future waits for it; a list that is streamed does not.
  if (isStreamingList && from > store.revision) throw tooLargeVersion(from, store.revision);

  const collection = store.collection(resource.collection);
  const prefix = namespace === null ? '' : `${namespace}/`;
  const isWanted = (stored: Stored): boolean =>
    stored.key.startsWith(prefix) && (wanted?.(stored.object) ?? true);

  return (sink) => {
    const bookmarks = query.get('allowWatchBookmarks') === 'true';
    const timers = new Set<NodeJS.Timeout>();
    let isOver = false;
    const stop = (): void => {
      isOver = true;
      collection.watchers.delete(onChange);
      for (const timer of timers) clearTimeout(timer);
    };
    const event = (type: string, stored: Stored): void =>
      sink.write(`{"type":"${type}","object":${objectText(resource, stored)}}\n`);
    const onChange = (change: Change): void => {
      if (change.revision <= from) return;
      const was = change.before !== undefined && isWanted(change.before);
      const is = change.type !== 'DELETED' && isWanted(change.now);
      if (is) event(was ? 'MODIFIED' : 'ADDED', change.now);
      else if (was) event('DELETED', lastWanted(change));
    };
    const bookmark = (annotations?: Tree): void => {
      const metadata = {
        resourceVersion: String(Math.max(store.revision, from)),
        ...(annotations && { annotations }),
      };
      const what = { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata };
      sink.write(
        `${JSON.stringify({ type: 'BOOKMARK', object: { ...what, ...resource.blank } })}\n`,
      );
    };
    const watch = { scope, write: (line: string) => sink.write(line), stop };

    if (!isInitial && from < store.watchable) {
      const error = expired(`too old resource version: ${from} (${store.watchable})`);
      sink.write(`${JSON.stringify({ type: 'ERROR', object: error.status() })}\n`);
      sink.end();
      return watch;
    }
    if (isInitial && query.get('sendInitialEvents') !== 'false') {
      for (const stored of collection.sorted()) if (isWanted(stored)) event('ADDED', stored);
      if (isStreamingList && bookmarks) bookmark({ 'k8s.io/initial-events-end': 'true' });
    } else if (!isInitial) {
      for (const change of collection.after(from)) onChange(change);
    }
    collection.watchers.add(onChange);

    // Half an hour to an hour, as the real server's.
    const timeout = Number(query.get('timeoutSeconds') ?? 1800 + Math.random() * 1800) * 1000;
    timers.add(
      setTimeout(() => {
        if (isOver) return;
        stop();
        sink.end();
      }, timeout),
    );
    if (bookmarks) {
      timers.add(setInterval(bookmark, times.bookmarkMs));
      if (timeout > 3000) timers.add(setTimeout(bookmark, timeout - 2000));
    }
    for (const timer of timers) timer.unref();
    return watch;
  };
}

/** The object before the change, with the resourceVersion of it: it is gone for who selects. */
function lastWanted({ before, now, revision }: Change): Stored {
  const metadata = {
    ...before!.object.metadata,
    resourceVersion: now.object.metadata.resourceVersion,
  };
  return { key: now.key, revision, object: { ...before!.object, metadata } };
}
