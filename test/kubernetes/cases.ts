// SPDX-License-Identifier: Apache-2.0
import type { ExecutionContext } from 'ava';
import type { Reply, WatchEvent } from './client.js';
import type { Tree } from './server/objects.js';

/** The smallest objects there are, for tests of what is the same for all kinds. */
export const configMap = (name: string, labels: Record<string, string> = {}): Tree => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
});
export const mapsOf = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`;
export const names = (list: Tree): string[] =>
  list.items.map(({ metadata }: Tree) => metadata.name);
export const told = (events: readonly WatchEvent[]): string[] =>
  events
    .filter(({ type }) => type !== 'BOOKMARK')
    .map(({ type, object }) => `${type} ${object.metadata.name}`);

export function refused(t: ExecutionContext, reply: Reply, code: number, reason: string): void {
  t.is(reply.code, code, reply.text);
  t.is(reply.json.kind, 'Status');
  t.is(reply.json.reason, reason);
  t.is(reply.json.code, code);
}

export const service = (namespace: string, name: string, spec: Tree = {}): Tree => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { ports: [{ port: 80 }], selector: { app: name }, ...spec },
});
