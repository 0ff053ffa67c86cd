// SPDX-License-Identifier: Apache-2.0
import { closeSync, existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import type { Store } from './store.js';

/**
 * Keeps what a store holds in a file: a line for each change, written before anyone is told of it,
 * so that a process that is killed begins again where it was.
 *
 * @returns Closes the file.
 */
export function keepIn(file: string, store: Store): () => void {
  if (existsSync(file)) readBack(file, store);
  const descriptor = openSync(file, 'a');
  store.journal = (collection, { type, now }) => {
    const line = { collection, type: type === 'DELETED' ? type : 'PUT', key: now.key };
    writeSync(descriptor, `${JSON.stringify({ ...line, object: now.object })}\n`);
  };
  return () => {
    store.journal = undefined;
    closeSync(descriptor);
  };
}

function readBack(file: string, store: Store): void {
  const text = readFileSync(file);
  // A line that has no end was being written when the process was killed: nobody was told of it.
  const end = text.lastIndexOf(0x0a) + 1;
  if (end < text.length) truncateSync(file, end);
  for (const line of text.toString('utf8', 0, end).split('\n')) {
    if (line === '') continue;
    const { collection, type, key, object } = JSON.parse(line);
    store.replay(collection, type, key, object);
  }
  store.watchable = store.revision;
}
