// SPDX-License-Identifier: Apache-2.0
import { formatPrefix } from '../model/address.js';
import type { CheckedInterface, CheckedRoute } from '../model/checked.js';

/** A route to each address of a pod, over its interface, where none is given for just that address. */
export function podRoutes(
  interfaces: readonly CheckedInterface[],
  routes: readonly CheckedRoute[],
): CheckedRoute[] {
  const given = new Set(routes.map(({ text }) => text));
  return interfaces.flatMap(({ name, pod, sources }) => {
    if (pod === null) return [];
    return sources.flatMap(({ bytes, length }) => {
      const text = formatPrefix({ bytes, length });
      if (given.has(text)) return [];
      return [
        { text, prefix: bytes, length, hops: [{ via: null, dev: name, mac: null, weight: 1 }] },
      ];
    });
  });
}
