// SPDX-License-Identifier: Apache-2.0
import { formatPrefix } from '../../model/address.js';
import type {
  CheckedNamedPort,
  CheckedNetworkPeer,
  CheckedPodSelector,
} from '../../model/checked-policy.js';

/** Who a rule's peer is. What has a number in the program is one of these. */
export interface Selector {
  readonly peer: CheckedPodSelector | CheckedNetworkPeer;
  /** And that serves this port under this name; `null`: any. */
  readonly serves: CheckedNamedPort | null;
}

/** All pods, wherever they are. */
export const ALL_PODS: CheckedPodSelector = { kind: 'pods', namespaces: [], pods: [] };

/** Equal for selectors that are written alike. */
export function selectorKey({ peer, serves }: Selector): string {
  const parts =
    peer.kind === 'pods'
      ? [peer.namespaces, peer.pods]
      : [formatPrefix(peer.network), ...peer.except.map(formatPrefix)];
  return JSON.stringify([...parts, serves]);
}

/** Whether one of `ports` is what has to be served, if anything has to. */
export function servesPort(
  serves: CheckedNamedPort | null,
  ports: readonly CheckedNamedPort[],
): boolean {
  return serves === null || ports.some((port) => samePort(port, serves));
}

/** What a port is called: numbers are looked up by it. */
export function portNameKey({ name, protocol }: { name: string; protocol: string }): string {
  return `${name}/${protocol}`;
}

function samePort(a: CheckedNamedPort, b: CheckedNamedPort): boolean {
  return a.name === b.name && a.protocol === b.protocol && a.port === b.port;
}
