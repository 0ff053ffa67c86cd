// SPDX-License-Identifier: Apache-2.0
import test, { type ExecutionContext } from 'ava';
import type { Owner } from '../e2e/rig.js';
import { obstacleOf } from '../support/requires.js';
import { AgentNode, type MoreConfiguration } from './agent-node.js';
import { type ClusterKind, type ClusterOptions, clusterObstacle } from './cluster.js';
import { kubectlObstacle } from './kubectl.js';

const KINDS: readonly ClusterKind[] = ['process', 'real'];

type Body = (t: ExecutionContext, node: AgentNode) => Promise<void>;

/**
 * Registers tests that run on a node of a cluster of each kind that is a process of its own; where that
 * cannot be had they are skipped, and their titles say why. The tests of a kind share the node: each has
 * services of its own, and leaves everything else as it was.
 * @param configuration - what the agent's configuration says besides, at first
 */
export function onNodes(
  options: ClusterOptions = {},
  configuration: MoreConfiguration = {},
): (title: string, body: Body) => void {
  const machine = obstacleOf('the native addon', 'root', '/dev/net/tun', 'ip', 'curl');
  const suites = KINDS.map((kind) => {
    const obstacle = machine ?? kubectlObstacle() ?? clusterObstacle(kind);
    return {
      kind,
      obstacle,
      get:
        obstacle === null
          ? shared((owner) => AgentNode.open(owner, kind, options, configuration))
          : undefined,
    };
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

/** A node that starts when it is first asked for, and ends after all tests. */
function shared(open: (owner: Owner) => Promise<AgentNode>): () => Promise<AgentNode> {
  const ending: (() => unknown)[] = [];
  const owner = { teardown: (end: () => unknown) => ending.push(end) } as unknown as Owner;
  test.after.always(async () => {
    for (const end of ending.splice(0).reverse()) await end();
  });
  let node: Promise<AgentNode> | undefined;
  return () => {
    node ??= open(owner);
    return node;
  };
}
