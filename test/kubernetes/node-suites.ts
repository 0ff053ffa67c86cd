// SPDX-License-Identifier: Apache-2.0
import test, { type ExecutionContext } from 'ava';
import type { Owner } from '../e2e/rig.js';
import { obstacleOf } from '../support/requires.js';
import { AgentNode, type MoreConfiguration } from './agent-node.js';
import { type ClusterKind, type ClusterOptions, clusterObstacle } from './cluster.js';
import { kubectlObstacle } from './kubectl.js';

const KINDS: readonly ClusterKind[] = ['process', 'real'];

type Body<T> = (t: ExecutionContext, node: T) => Promise<void>;
type Suite<T> = (title: string, body: Body<T>) => void;

/**
 * Registers tests that run on a node of a cluster of each kind; see {@link onEachKind}. Each has services of
 * its own, and leaves everything else as it was.
 * @param configuration - what the agent's configuration says besides, at first
 */
export function onNodes(
  options: ClusterOptions = {},
  configuration: MoreConfiguration = {},
): Suite<AgentNode> {
  return onEachKind((owner, kind) => AgentNode.open(owner, kind, options, configuration));
}

/**
 * Registers tests that run on something with a cluster of each kind that is a process of its own; where that
 * cannot be had they are skipped, and their titles say why. The tests of a kind share what is opened.
 */
export function onEachKind<T>(open: (owner: Owner, kind: ClusterKind) => Promise<T>): Suite<T> {
  const machine = obstacleOf('the native addon', 'root', '/dev/net/tun', 'ip', 'curl');
  const suites = KINDS.map((kind) => {
    const obstacle = machine ?? kubectlObstacle() ?? clusterObstacle(kind);
    const get = obstacle === null ? shared((owner) => open(owner, kind)) : undefined;
    return { kind, obstacle, get };
  });
  return (title, body) => {
    for (const { kind, obstacle, get } of suites) {
      if (!get) test.skip(`${title}: ${kind} (${obstacle})`, () => {});
      else
        test.serial(`${title}: ${kind}`, async (t) => {
          t.timeout(240_000);
          await body(t, await get());
        });
    }
  };
}

/** What is opened when it is first asked for, and ends after all tests. */
function shared<T>(open: (owner: Owner) => Promise<T>): () => Promise<T> {
  const ending: (() => unknown)[] = [];
  const owner = { teardown: (end: () => unknown) => ending.push(end) } as unknown as Owner;
  test.after.always(async () => {
    for (const end of ending.splice(0).reverse()) await end();
  });
  let opened: Promise<T> | undefined;
  return () => {
    opened ??= open(owner);
    return opened;
  };
}
