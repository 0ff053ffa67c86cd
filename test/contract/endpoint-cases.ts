// SPDX-License-Identifier: Apache-2.0

/**
 * Which endpoints new connections go to, as Kubernetes' CategorizeEndpoints says. The n-th endpoint
 * is given in a word: where it is (`here`, `away`) and, after it, what is special about it.
 */

export type Word =
  | 'here'
  | 'away'
  | 'unready'
  | 'terminating'
  | 'dying'
  | `zone:${string}`
  | `node:${string}`;

export interface Case {
  title: string;
  endpoints: readonly string[];
  internal?: 'Local';
  external?: 'Local';
  /** Places, from 1, of those reached from outside by the cluster address and by node port. */
  cluster: readonly number[] | 'REJECT' | 'DROP no_local_backend';
  nodePort?: readonly number[] | 'REJECT' | 'DROP no_local_backend';
  /** The node has no zone. */
  noZone?: boolean;
}

export const CASES: readonly Case[] = [
  {
    title: 'all are ready',
    endpoints: ['here', 'away', 'away'],
    cluster: [1, 2, 3],
    nodePort: [1, 2, 3],
  },
  {
    title: 'those that are not ready get nothing',
    endpoints: ['here', 'away unready', 'away'],
    cluster: [1, 3],
    nodePort: [1, 3],
  },
  {
    title: 'nobody is ready',
    endpoints: ['here unready', 'away unready'],
    cluster: 'REJECT',
    nodePort: 'REJECT',
  },
  {
    title: 'terminating ones while somebody is ready',
    endpoints: ['here terminating', 'away'],
    cluster: [2],
    nodePort: [2],
  },
  {
    title: 'terminating ones where nobody is ready',
    endpoints: ['here terminating', 'away terminating', 'away unready'],
    cluster: [1, 2],
    nodePort: [1, 2],
  },
  {
    title: 'a terminating one that does not serve, not even as the last',
    endpoints: ['here dying', 'away dying'],
    cluster: 'REJECT',
    nodePort: 'REJECT',
  },
  {
    title: 'zone hints',
    endpoints: ['here zone:zone-a', 'away zone:zone-a', 'away zone:zone-b'],
    cluster: [1, 2],
    nodePort: [1, 2],
  },
  {
    title: 'several zones in a hint',
    endpoints: ['here zone:zone-b', 'away zone:zone-b zone:zone-a', 'away zone:zone-c'],
    cluster: [2],
    nodePort: [2],
  },
  {
    title: 'a hint that is missing disables them',
    endpoints: ['here zone:zone-a', 'away', 'away zone:zone-b'],
    cluster: [1, 2, 3],
    nodePort: [1, 2, 3],
  },
  {
    title: 'a missing hint of one that is not ready does not',
    endpoints: ['here zone:zone-a', 'away unready', 'away zone:zone-b'],
    cluster: [1],
    nodePort: [1],
  },
  {
    title: 'no hint for this zone',
    endpoints: ['here zone:zone-c', 'away zone:zone-b'],
    cluster: [1, 2],
    nodePort: [1, 2],
  },
  {
    title: 'zone hints where the node has no zone',
    endpoints: ['here zone:zone-a', 'away zone:zone-b'],
    cluster: [1, 2],
    nodePort: [1, 2],
    noZone: true,
  },
  {
    title: 'the only one in the zone is not ready',
    endpoints: ['here unready zone:zone-a', 'away zone:zone-b'],
    cluster: [2],
    nodePort: [2],
  },
  {
    title: 'node hints go first',
    endpoints: ['here node:here zone:zone-a', 'away node:elsewhere zone:zone-a'],
    cluster: [1],
    nodePort: [1],
  },
  {
    title: 'node hints for others: zones decide',
    endpoints: ['here node:other zone:zone-b', 'away node:elsewhere zone:zone-a'],
    cluster: [2],
    nodePort: [2],
  },
  {
    title: 'a node hint that is missing: zones decide',
    endpoints: ['here node:here zone:zone-a', 'away zone:zone-a', 'away zone:zone-b'],
    cluster: [1, 2],
    nodePort: [1, 2],
  },
  {
    title: 'internal policy Local',
    endpoints: ['here', 'away', 'here'],
    internal: 'Local',
    cluster: [1, 3],
    nodePort: [1, 2, 3],
  },
  {
    title: 'internal policy Local, none here',
    endpoints: ['away', 'away'],
    internal: 'Local',
    cluster: 'DROP no_local_backend',
    nodePort: [1, 2],
  },
  {
    title: 'internal policy Local, here is but a terminating one',
    endpoints: ['here terminating', 'away'],
    internal: 'Local',
    cluster: [1],
    nodePort: [2],
  },
  {
    title: 'internal policy Local, terminating ones elsewhere alone',
    endpoints: ['here unready', 'away terminating'],
    internal: 'Local',
    cluster: 'DROP no_local_backend',
    nodePort: [2],
  },
  {
    title: 'internal policy Local, nobody anywhere',
    endpoints: ['here unready', 'away dying'],
    internal: 'Local',
    cluster: 'REJECT',
    nodePort: 'REJECT',
  },
  {
    title: 'external policy Local',
    endpoints: ['here', 'away', 'here'],
    external: 'Local',
    cluster: [1, 2, 3],
    nodePort: [1, 3],
  },
  {
    title: 'external policy Local, none here',
    endpoints: ['away', 'away'],
    external: 'Local',
    cluster: [1, 2],
    nodePort: 'DROP no_local_backend',
  },
  {
    title: 'external policy Local, hints do not concern it',
    endpoints: ['here zone:zone-b', 'away zone:zone-a'],
    external: 'Local',
    cluster: [2],
    nodePort: [1],
  },
  {
    title: 'external policy Local, here is but a terminating one',
    endpoints: ['here terminating', 'away'],
    external: 'Local',
    cluster: [2],
    nodePort: [1],
  },
  {
    title: 'both policies Local',
    endpoints: ['here', 'away'],
    internal: 'Local',
    external: 'Local',
    cluster: [1],
    nodePort: [1],
  },
  {
    title: 'both policies Local, none here',
    endpoints: ['away'],
    internal: 'Local',
    external: 'Local',
    cluster: 'DROP no_local_backend',
    nodePort: 'DROP no_local_backend',
  },
];
