// SPDX-License-Identifier: Apache-2.0
import type { ExecutionContext } from 'ava';
import type { TestCluster } from './cluster.js';
import { LocalAgent, wholeService, wholeSlice } from './node-agent.js';
import type { Tree } from './server/objects.js';
import { newNamespace } from './suites.js';

export interface Scene {
  t: ExecutionContext;
  cluster: TestCluster;
  agent: LocalAgent;
  namespace: string;
  put(plural: string, object: Tree, key?: string): void;
  /** A service next door, whose endpoint is another one each time: in force within a time. */
  follows(): Promise<void>;
}

let scenes = 0;

export async function scene(t: ExecutionContext, cluster: TestCluster, more = {}): Promise<Scene> {
  const namespace = await newNamespace(cluster);
  const agent = await LocalAgent.start(t, cluster, more);
  const server = cluster.server!;
  t.teardown(() => {
    // The next test has an agent of its own, and shall not find what was broken here.
    for (const { collection } of server.registry.resources)
      for (const { key } of server.store.collection(collection).sorted())
        if (key.startsWith(`${namespace}/`) || LEFT.has(`${collection} ${key}`))
          server.store.remove(collection, key);
    LEFT.clear();
  });
  const put = (plural: string, object: Tree, key?: string): void => {
    if (key !== undefined) LEFT.add(`${plural} ${key}`);
    server.inject(plural, object, key);
  };
  let turn = 0;
  const ip = `10.96.250.${++scenes}`;
  put('services', wholeService(namespace, 'neighbour', ip));
  return {
    t,
    cluster,
    agent,
    namespace,
    put,
    follows: async () => {
      turn += 1;
      const address = `10.250.${turn >> 8}.${turn & 255}`;
      put('endpointslices', wholeSlice(namespace, 'neighbour', [address]));
      const now = `${ip} 80/TCP=${address}:8080`;
      await agent.until(t, () => agent.serving(namespace, 'neighbour'), now);
    },
  };
}

const LEFT = new Set<string>();
export const of = (object: Tree, change: Tree): Tree => ({ ...object, ...change });
export const specOf = (object: Tree, change: Tree): Tree =>
  of(object, { spec: { ...object.spec, ...change } });
export const labelled = (object: Tree, labels: unknown): Tree =>
  of(object, { metadata: { ...object.metadata, labels } });

/** Where definitions are created. */
export const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
