// SPDX-License-Identifier: Apache-2.0
import type { CheckedBackend } from '../model/checked.js';

/** The node that decides, as backends and hints name it. */
export interface Locality {
  readonly node: string | null;
  readonly zone: string | null;
}

/** Which endpoints new connections may go to. */
export interface EndpointChoice {
  /** For traffic policy `Cluster`. */
  readonly cluster: readonly CheckedBackend[];
  /** For traffic policy `Local`. */
  readonly local: readonly CheckedBackend[];
  /** Some endpoint could serve, here or elsewhere. */
  readonly hasAny: boolean;
}

/**
 * Chooses as Kubernetes' proxies do (CategorizeEndpoints): ready endpoints; where there is none,
 * those that are terminating and still serving. Whether there is none is asked for all endpoints
 * that hints allow and, apart from that, for those of this node, which hints do not concern.
 */
export function chooseEndpoints(
  endpoints: readonly CheckedBackend[],
  here: Locality,
): EndpointChoice {
  const local = endpoints.filter(({ node }) => node !== null && node === here.node);
  return {
    cluster: readyOrTerminating(endpoints, hintFilter(endpoints, here)),
    local: readyOrTerminating(local, () => true),
    hasAny: endpoints.some(
      (endpoint) => (isLastResort(endpoint) || endpoint.ready) && shareOf(endpoint) > 0,
    ),
  };
}

/** A backend that is flushed gets nothing, or it would be cut and chosen again for ever. */
export function shareOf({ weight, flush }: CheckedBackend): number {
  return flush ? 0 : weight;
}

type Filter = (endpoint: CheckedBackend) => boolean;

function readyOrTerminating(
  endpoints: readonly CheckedBackend[],
  allowed: Filter,
): readonly CheckedBackend[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready && allowed(endpoint));
  return ready.length > 0 ? ready : endpoints.filter(isLastResort);
}

function isLastResort({ serving, terminating }: CheckedBackend): boolean {
  return serving && terminating;
}

/**
 * Hints count only where every ready endpoint has some and one of them is for here: a hint that is
 * missing, for a moment, must not take all traffic away from an endpoint. Hints for nodes go first.
 */
function hintFilter(endpoints: readonly CheckedBackend[], { node, zone }: Locality): Filter {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  const usable = (place: string | null, hintsOf: (endpoint: CheckedBackend) => readonly string[]) =>
    place !== null &&
    ready.every((endpoint) => hintsOf(endpoint).length > 0) &&
    ready.some((endpoint) => hintsOf(endpoint).includes(place));
  if (usable(node, ({ nodeHints }) => nodeHints)) {
    return ({ nodeHints }) => nodeHints.includes(node!);
  }
  if (usable(zone, ({ zoneHints }) => zoneHints)) {
    return ({ zoneHints }) => zoneHints.includes(zone!);
  }
  return () => true;
}
