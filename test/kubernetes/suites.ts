// SPDX-License-Identifier: Apache-2.0
import test, { type ExecutionContext } from 'ava';
import {
  CLUSTER_KINDS,
  type ClusterKind,
  type ClusterOptions,
  clusterObstacle,
  startCluster,
  type TestCluster,
} from './cluster.js';
import { kubectlObstacle } from './kubectl.js';

export interface SuiteOptions extends ClusterOptions {
  /** All, if left out. */
  kinds?: readonly ClusterKind[];
  kubectl?: boolean;
}

type Body = (t: ExecutionContext, cluster: TestCluster) => Promise<void>;

/**
 * Registers tests that run on a cluster of each kind; on one that cannot be had here they are
 * skipped, and their titles say why. The tests of a kind share a cluster: each makes a namespace of
 * its own, or undoes what it did.
 */
export function onClusters(options: SuiteOptions = {}): (title: string, body: Body) => void {
  const { kinds = CLUSTER_KINDS, kubectl = false, ...cluster } = options;
  const suites = kinds.map((kind) => {
    const obstacle = clusterObstacle(kind) ?? (kubectl ? kubectlObstacle() : null);
    return { kind, obstacle, get: obstacle === null ? shared(kind, cluster) : undefined };
  });
  return (title, body) => {
    for (const { kind, obstacle, get } of suites) {
      if (get) test.serial(`${title}: ${kind}`, async (t) => body(t, await get()));
      else test.skip(`${title}: ${kind} (${obstacle})`, () => {});
    }
  };
}

/** A cluster that starts when it is first asked for, and stops after all tests. */
function shared(kind: ClusterKind, options: ClusterOptions): () => Promise<TestCluster> {
  let cluster: Promise<TestCluster> | undefined;
  test.after.always(async () => (await cluster)?.stop());
  return () => {
    cluster ??= startCluster(kind, options);
    return cluster;
  };
}

let made = 0;

/** A namespace that no other test uses. */
export async function newNamespace(cluster: TestCluster, labels = {}): Promise<string> {
  made += 1;
  const name = `test-${process.pid}-${made}`;
  const metadata = { name, labels };
  await cluster.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
  return name;
}
