// SPDX-License-Identifier: Apache-2.0
import type { CheckedBackend } from '../model/checked.js';

/** The node that decides, as backends and hints name it. */
export interface Locality {
  readonly node: string | null;
  readonly zone: string | null;
}

/**
 * The endpoints that new connections may go to with traffic policy `Cluster`, in the order in which
 * they were given. As Kubernetes' proxies choose (CategorizeEndpoints): ready endpoints that hints
 * allow; where there is none, those that are terminating and still serving.
 */
export function chooseCluster(
  endpoints: readonly CheckedBackend[],
  here: Locality,
): readonly CheckedBackend[] {
  return readyOrTerminating(endpoints, hintFilter(endpoints, here));
}

/** The same with traffic policy `Local`: those of this node, which hints do not concern. */
export function chooseLocal(
  endpoints: readonly CheckedBackend[],
  here: Locality,
): readonly CheckedBackend[] {
  const local = endpoints.filter(({ node }) => node !== null && node === here.node);
  return readyOrTerminating(local, null);
}

/** Some endpoint could serve, here or elsewhere. */
export function canServe(endpoints: readonly CheckedBackend[]): boolean {
  return endpoints.some(
    (endpoint) => (isLastResort(endpoint) || endpoint.ready) && shareOf(endpoint) > 0,
  );
}

/** A backend that is flushed gets nothing, or it would be cut and chosen again for ever. */
export function shareOf({ weight, flush }: CheckedBackend): number {
  return flush ? 0 : weight;
}

/** `null`: all are allowed. */
type Filter = ((endpoint: CheckedBackend) => boolean) | null;

function readyOrTerminating(
  endpoints: readonly CheckedBackend[],
  allowed: Filter,
): readonly CheckedBackend[] {
  if (allowed === null && endpoints.every(isReady)) return endpoints;
  const ready = endpoints.filter(
    (endpoint) => endpoint.ready && (allowed === null || allowed(endpoint)),
  );
  return ready.length > 0 ? ready : endpoints.filter(isLastResort);
}

function isReady({ ready }: CheckedBackend): boolean {
  return ready;
}

function isLastResort({ serving, terminating }: CheckedBackend): boolean {
  return serving && terminating;
}

/**
 * Hints count only where every ready endpoint has some and one of them is for here: a hint that is
 * missing, for a moment, must not take all traffic away from an endpoint. Hints for nodes go first.
 */
function hintFilter(endpoints: readonly CheckedBackend[], { node, zone }: Locality): Filter {
  if (isUsable(endpoints, node, nodeHintsOf)) return ({ nodeHints }) => nodeHints.includes(node!);
  if (isUsable(endpoints, zone, zoneHintsOf)) return ({ zoneHints }) => zoneHints.includes(zone!);
  return null;
}

function isUsable(
  endpoints: readonly CheckedBackend[],
  place: string | null,
  hintsOf: (endpoint: CheckedBackend) => readonly string[],
): boolean {
  if (place === null) return false;
  let isMeant = false;
  for (const endpoint of endpoints) {
    if (!endpoint.ready) continue;
    const hints = hintsOf(endpoint);
    if (hints.length === 0) return false;
    isMeant ||= hints.includes(place);
  }
  return isMeant;
}

function nodeHintsOf({ nodeHints }: CheckedBackend): readonly string[] {
  return nodeHints;
}

function zoneHintsOf({ zoneHints }: CheckedBackend): readonly string[] {
  return zoneHints;
}
