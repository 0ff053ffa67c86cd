// SPDX-License-Identifier: Apache-2.0
import { checkRoute, HOP_KEYS } from './check-route.js';
import type { NextHopSpec, RouteSpec } from './model.js';
import { readPairs } from './spec-text.js';

/**
 * Reads `PREFIX,via=ADDRESS[,dev=NAME][,mac=MAC]` or `PREFIX,dev=NAME[,mac=MAC]`; `default` is
 * `0.0.0.0/0`. Each further `via` begins another next hop, and what follows it belongs to it; with
 * several next hops, or a `weight`, they become `nextHops`.
 * @param path - what errors name, such as `--route[0]`; the key is added to it
 * @throws SluiceError `ERR_ROUTE_SPEC`
 */
export function parseRouteSpec(text: string, path: string): RouteSpec {
  const [prefix = '', ...rest] = text.split(',');
  const hops = splitHops(rest);
  const isOne = hops.length === 1;
  const specs = hops.map((parts, index) =>
    readHop(parts, isOne ? path : `${path}.nextHops[${index}]`),
  );
  const isPlain = isOne && specs[0]!['weight'] === undefined;
  const spec = isPlain ? { prefix, ...specs[0] } : { prefix, nextHops: specs };
  checkRoute(spec, path);
  return spec as RouteSpec;
}

/** The text form of a route that {@link parseRouteSpec} reads back as the same. */
export function formatRouteSpec(spec: RouteSpec): string {
  const hops = spec.nextHops ?? [spec];
  return [spec.prefix, ...hops.flatMap(hopParts)].join(',');
}

/** What stands before the first `via` is the first next hop's. */
function splitHops(parts: readonly string[]): string[][] {
  const hops: string[][] = [[]];
  let hasVia = false;
  for (const part of parts) {
    if (part.startsWith('via=')) {
      if (hasVia) hops.push([]);
      hasVia = true;
    }
    hops.at(-1)!.push(part);
  }
  return hops;
}

function readHop(parts: readonly string[], path: string): Record<string, unknown> {
  const spec: Record<string, unknown> = {};
  for (const [key, values] of readPairs(parts, path, 'ERR_ROUTE_SPEC', HOP_KEYS)) {
    const value = values[0]!;
    // What is no number is refused as it stands.
    spec[key] = key === 'weight' && /^\d+$/.test(value) ? Number(value) : value;
  }
  return spec;
}

function hopParts(hop: NextHopSpec): string[] {
  return (['via', 'dev', 'mac', 'weight'] as const)
    .filter((key) => hop[key] !== undefined)
    .map((key) => `${key}=${hop[key]}`);
}
