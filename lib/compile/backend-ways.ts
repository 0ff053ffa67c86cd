// SPDX-License-Identifier: Apache-2.0
import { formatEndpoint } from '../model/address.js';
import type { CheckedHop, CheckedService } from '../model/checked.js';
import type { CompiledRoutes, HopRow } from './routes.js';

/** Which groups of next hops packets go by to backends as they came. */
export class BackendWays {
  /** Backends may have to be put again. */
  readonly changed: boolean;
  readonly #groups: ReadonlyMap<string, number>;

  /** @param groups - slots, by the key of the next hop */
  constructor(before: ReadonlyMap<string, number>, groups: ReadonlyMap<string, number>) {
    this.#groups = groups;
    this.changed =
      before.size !== groups.size || [...groups].some(([key, group]) => before.get(key) !== group);
  }

  /** Slot of the group. */
  groupOf(through: CheckedHop): number {
    return this.#groups.get(wayKey(through))!;
  }
}

/** Whether packets go to backends of a service as they came. */
export function hasWays({ ports }: CheckedService): boolean {
  // All backends of a port do, or none.
  return ports.some(({ backends }) => (backends[0]?.through ?? null) !== null);
}

/**
 * The next hops of all such backends, by key.
 * @throws SluiceError `ERR_ROUTE_SPEC`, path `services[i].ports[j].backends.ADDRESS:PORT.through.via` or `.dev`
 */
export function compileWays(
  services: readonly CheckedService[],
  { wayOf }: CompiledRoutes,
): Map<string, HopRow> {
  const ways = new Map<string, HopRow>();
  for (const [index, service] of services.entries()) {
    if (!hasWays(service)) continue;
    for (const [number, { backends }] of service.ports.entries()) {
      for (const { address, port, through } of backends) {
        if (through === null || ways.has(wayKey(through))) continue;
        const at = `services[${index}].ports[${number}].backends.${formatEndpoint(address, port)}`;
        ways.set(wayKey(through), wayOf(through, `${at}.through`));
      }
    }
  }
  return ways;
}

function wayKey({ via, dev, mac }: CheckedHop): string {
  return [dev ?? '', via?.join('.') ?? '', mac?.join('.') ?? ''].join(' ');
}
