// SPDX-License-Identifier: Apache-2.0
import { checkRoute, ROUTE_KEYS } from './check-route.js';
import type { RouteSpec } from './model.js';
import { readPairs } from './spec-text.js';

const TEXT_KEYS = ROUTE_KEYS.filter((key) => key !== 'prefix');

/**
 * Reads `PREFIX,via=ADDRESS[,dev=NAME][,mac=MAC]` or `PREFIX,dev=NAME[,mac=MAC]`; `default` is
 * `0.0.0.0/0`.
 * @param path - what errors name, such as `--route[0]`; the key is added to it
 * @throws SluiceError `ERR_ROUTE_SPEC`
 */
export function parseRouteSpec(text: string, path: string): RouteSpec {
  const [prefix = '', ...rest] = text.split(',');
  const pairs = readPairs(rest, path, 'ERR_ROUTE_SPEC', TEXT_KEYS);
  const spec: Record<string, string> = { prefix };
  for (const [key, values] of pairs) spec[key] = values[0]!;
  checkRoute(spec, path);
  return spec as unknown as RouteSpec;
}

/** The text form of a route that {@link parseRouteSpec} reads back as the same. */
export function formatRouteSpec(spec: RouteSpec): string {
  const parts = [spec.prefix];
  for (const key of ['via', 'dev', 'mac'] as const) {
    if (spec[key] !== undefined) parts.push(`${key}=${spec[key]}`);
  }
  return parts.join(',');
}
