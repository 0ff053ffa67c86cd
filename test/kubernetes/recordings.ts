// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { isRecord, type Tree } from './server/objects.js';

const text = (name: string): string =>
  readFileSync(new URL(`recordings/${name}`, import.meta.url), 'utf8');

export const recordedJson = (name: string): Tree => JSON.parse(text(name));

/** The events of a recorded watch. */
export const recordedEvents = (name: string): Tree[] =>
  text(name)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

export interface RecordedHead {
  readonly code: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

export function recordedHead(name: string): RecordedHead {
  const [status = '', ...lines] = text(name).trim().split(/\r?\n/);
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { code: Number(status.split(' ')[1]), headers: Object.fromEntries(headers) };
}

/** What differs from run to run: it is only compared whether it is there, and of which kind. */
const VARYING: Readonly<Record<string, string>> = {
  uid: 'uid',
  resourceVersion: 'version',
  creationTimestamp: 'time',
  deletionTimestamp: 'time',
  lastTransitionTime: 'time',
  time: 'time',
  nodePort: 'port',
  healthCheckNodePort: 'port',
};
/** What the ServiceAccount admission plugin adds, which has no part in the tests. */
const OF_ACCOUNTS = ['volumes', 'volumeMounts', 'serviceAccount', 'serviceAccountName'];

/** An object with names in place of what differs from run to run. */
export function shape(value: Tree): Tree {
  if (Array.isArray(value)) return value.map(shape);
  if (!isRecord(value)) return value;
  const shaped: Tree = {};
  for (const [name, inner] of Object.entries(value)) {
    if (OF_ACCOUNTS.includes(name) || name === 'managedFields') continue;
    if (VARYING[name] && inner !== null) shaped[name] = VARYING[name];
    else if (name === 'clusterIP' || name === 'clusterIPs') shaped[name] = shapeOfAddresses(inner);
    else shaped[name] = shape(inner);
  }
  return shaped;
}

function shapeOfAddresses(value: Tree): Tree {
  if (Array.isArray(value)) return value.map(shapeOfAddresses);
  if (value === 'None') return value;
  return String(value).includes(':') ? 'IPv6' : 'IPv4';
}

/** Type and shape of the events, without bookmarks. */
export const shapesOf = (events: readonly Tree[]): Tree[] =>
  events
    .filter(({ type }) => type !== 'BOOKMARK')
    .map(({ type, object }) => ({ type, object: shape(object) }));

/** A recorded object as a client would send it. */
export function asSent({ metadata, ...rest }: Tree): Tree {
  const { name, namespace, generateName, labels, annotations, ownerReferences } = metadata;
  return {
    ...rest,
    metadata: { name, namespace, generateName, labels, annotations, ownerReferences },
  };
}
