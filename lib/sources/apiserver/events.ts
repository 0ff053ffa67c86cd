// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../../errors.js';
import type { ApiConnection } from './connection.js';
import { LineSplitter } from './lines.js';
import type { WatchedResource } from './resources.js';
import { record, statusError, statusFrom, text } from './status.js';

/** What one line of a watch says. */
export interface WatchEvent {
  type: 'put' | 'remove' | 'bookmark';
  object: Record<string, unknown>;
  /** The point that the watch has reached with it. */
  resourceVersion: string;
}

const TYPES: Readonly<Record<string, WatchEvent['type']>> = {
  ADDED: 'put',
  MODIFIED: 'put',
  DELETED: 'remove',
  BOOKMARK: 'bookmark',
};

/**
 * Bookmarks come about once a minute: a watch without a byte for as long may be dead, and another
 * one costs a request.
 */
const IDLE_MS = 240_000;

/**
 * Watches from a resourceVersion on, once the server has accepted that: the events of each chunk.
 * Ends when the server ends it, which it does after `timeoutSeconds`.
 * @throws SluiceError `ERR_APISERVER`; one without a cause is about a line that makes no sense
 */
export async function openWatch(
  connection: ApiConnection,
  resource: WatchedResource,
  resourceVersion: string,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<AsyncIterable<Iterable<WatchEvent>>> {
  const query = {
    watch: '1',
    allowWatchBookmarks: 'true',
    resourceVersion,
    timeoutSeconds: String(timeoutSeconds),
    fieldSelector: resource.fieldSelector,
    labelSelector: resource.labelSelector,
  };
  const chunks = await connection.stream(resource.path, query, signal, IDLE_MS);
  return eventsOf(chunks, connection.server + resource.path);
}

async function* eventsOf(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
): AsyncGenerator<Iterable<WatchEvent>> {
  const lines = new LineSplitter();
  for await (const chunk of chunks) yield eventsIn(lines, chunk, path);
  if (lines.pending > 0) throw badLine('the watch ended in the middle of a line', path);
}

function* eventsIn(lines: LineSplitter, chunk: Uint8Array, path: string): Generator<WatchEvent> {
  try {
    for (const line of lines.push(chunk)) yield readEvent(line, path);
  } catch (error) {
    if (error instanceof RangeError) throw badLine(error.message, path);
    throw error;
  }
}

function readEvent(line: string, path: string): WatchEvent {
  let event: Record<string, unknown>;
  try {
    event = record(JSON.parse(line));
  } catch {
    throw badLine('a line of the watch is not JSON', path);
  }
  if (event['type'] === 'ERROR') throw statusError(path, statusFrom(event['object']));
  const name = text(event['type']) ?? '';
  const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  const object = record(event['object']);
  const resourceVersion = text(record(object['metadata'])['resourceVersion']);
  if (type === undefined || !resourceVersion) {
    throw badLine('a line of the watch is no event', path);
  }
  return { type, object, resourceVersion };
}

const badLine = (message: string, path: string): SluiceError =>
  new SluiceError('ERR_APISERVER', message, { path });

/**
 * Whether `a` is older than `b`. They are numbers of any length (KEP-5504); what is no number is
 * never older.
 */
export function isOlder(a: string, b: string): boolean {
  if (!/^[1-9]\d*$/.test(a) || !/^[1-9]\d*$/.test(b)) return false;
  return a.length === b.length ? a < b : a.length < b.length;
}
