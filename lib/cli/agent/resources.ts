// SPDX-License-Identifier: Apache-2.0
import { DROP_REASONS } from '../../engine/reasons.js';
import { SluiceError } from '../../errors.js';
import { show } from '../../model/explain.js';
import type { InterfaceSpec } from '../../model/model.js';
import type { Occupied } from '../../observe/occupancy.js';
import type { ExplainInput } from '../../proxy/explain.js';
import type { ServiceProxy } from '../../proxy/service-proxy.js';
import type { DropRow, OccupancyRow } from '../control/protocol.js';
import type { ControlRequest, Routes } from '../control/server.js';
import { packageVersion } from '../package-version.js';

const DEFAULT_FLOWS = 1_000;
const MAX_FLOWS = 1_000_000;

/** What the control socket offers of a proxy. */
export function resourcesOf(proxy: ServiceProxy): Routes {
  return {
    'GET /v1/services': () => proxy.services,
    'GET /v1/backends': () => proxy.backends,
    'GET /v1/flows': ({ query }) => proxy.flows(limitOf(query)),
    'GET /v1/interfaces': () => proxy.interfaces.list(),
    'GET /v1/drops': () => dropRows(proxy),
    'GET /v1/occupancy': () => occupancyRows(proxy),
    'GET /v1/explain': ({ query }) => proxy.explain(explainInputOf(query)),
    'GET /v1/workers': () => proxy.stats().workers,
    'GET /v1/stats': () => proxy.stats(),
    'GET /v1/version': () => ({
      sluice: packageVersion(),
      engine: proxy.engine,
      why: proxy.why,
      node: process.versions.node,
      pid: process.pid,
    }),
    'POST /v1/interfaces': (request) => proxy.interfaces.add(specOf(request)),
    'DELETE /v1/interfaces/': async ({ name }) => {
      await proxy.interfaces.remove(name);
      return { removed: name };
    },
  };
}

/** Most frequent first. */
function dropRows(proxy: ServiceProxy): DropRow[] {
  const { drops } = proxy.stats().fates;
  return DROP_REASONS.map((reason) => ({ reason, packets: drops[reason] ?? 0 }))
    .filter(({ packets }) => packets > 0)
    .sort((a, b) => b.packets - a.packets);
}

/** The tables that all workers share, and then each worker's own. */
function occupancyRows(proxy: ServiceProxy): OccupancyRow[] {
  const { occupancy, workers } = proxy.stats();
  const rows = (tables: Record<string, Occupied>, worker: number | null): OccupancyRow[] =>
    Object.entries(tables).map(([table, { used, limit }]) => ({ table, worker, used, limit }));
  return [
    ...rows(occupancy, null),
    ...workers.flatMap((each) => rows(each.occupancy, each.worker)),
  ];
}

/** Texts become numbers where they are some; what is wrong with them is for `explain` to say. */
function explainInputOf(query: URLSearchParams): ExplainInput {
  const number = (text: string): unknown => (/^[0-9]{1,9}$/.test(text) ? Number(text) : text);
  const entries = [...query].map(([key, text]) => [
    key,
    key === 'port' || key === 'fromPort' ? number(text) : text,
  ]);
  return Object.fromEntries(entries) as ExplainInput;
}

function limitOf(query: URLSearchParams): number {
  const text = query.get('limit') ?? String(DEFAULT_FLOWS);
  const limit = Number(text);
  if (/^[0-9]+$/.test(text) && limit <= MAX_FLOWS) return limit;
  throw new SluiceError(
    'ERR_OPTIONS',
    `expected a whole number of at most ${MAX_FLOWS}, found ${show(text)}`,
    { path: 'limit' },
  );
}

function specOf({ body }: ControlRequest): string | InterfaceSpec {
  const spec = (body as { spec?: unknown } | null | undefined)?.spec;
  if (typeof spec === 'string' || (typeof spec === 'object' && spec !== null))
    return spec as string | InterfaceSpec;
  throw new SluiceError(
    'ERR_INTERFACE_SPEC',
    `expected an interface specification, found ${show(spec)}`,
    { path: 'spec' },
  );
}
