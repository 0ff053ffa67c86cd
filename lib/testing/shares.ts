// SPDX-License-Identifier: Apache-2.0
import { buildMaglev } from '../engine/software/table/maglev.js';
import { parseAddress } from '../model/address.js';
import type { ExplainedEndpoint } from '../observe/explain-report.js';

/**
 * Share of new connections that each endpoint of a pool gets, 0 to 1, in their order: of the places
 * of the engines' own table.
 */
export function sharesOf(endpoints: readonly ExplainedEndpoint[]): number[] {
  const table = buildMaglev(
    endpoints.map(({ address, port, weight }) => ({
      address: parseAddress(address)!,
      port,
      weight,
    })),
  );
  const places = new Array<number>(endpoints.length).fill(0);
  for (const row of table) places[row]!++;
  return places.map((count) => (table.length === 0 ? 0 : count / table.length));
}
