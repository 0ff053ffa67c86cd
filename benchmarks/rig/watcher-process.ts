// SPDX-License-Identifier: Apache-2.0
// What any client of the API server spends at least: reads lists and watches, parses their JSON, and does
// nothing with it. In a process of its own, as the agent is.
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { watchedResources } from '../../lib/sources/apiserver/resources.js';
import type { AgentAnswer, AgentOrder, Reached, Wanted } from './agent-messages.js';
import { NODE_NAME } from './cluster-objects.js';
import { monotonic } from './monotonic.js';
import { obeyParent } from './ordered-process.js';

type ListOrder = Extract<AgentOrder, { ask: 'list' }>;
type Slice = { metadata: { name: string }; endpoints: { addresses: string[] }[] | null };

let server: (ListOrder & { agent: Agent }) | null = null;
/** By resource: where its list ended. */
const versions = new Map<string, string>();
let wanted: Wanted | null = null;
let found: (reached: Reached) => void = () => undefined;
let reached: Promise<Reached> | null = null;

obeyParent(obey, async () => server?.agent.destroy());

async function obey(order: AgentOrder): Promise<AgentAnswer> {
  switch (order.ask) {
    case 'list': {
      server = { ...order, agent: new Agent({ ca: order.ca, keepAlive: true }) };
      const began = monotonic();
      const counts = await Promise.all(resources().map(({ path, query }) => list(path, query)));
      const ms = monotonic() - began;
      return { answer: 'listed', ms, objects: counts.reduce((sum, count) => sum + count, 0) };
    }
    case 'watch':
      await Promise.all(resources().map(({ path, query }) => watch(path, query)));
      return { answer: 'watching' };
    case 'want':
      wanted = order.wanted;
      reached = new Promise((resolve) => {
        found = resolve;
      });
      return { answer: 'wanting' };
    case 'reached':
      return { answer: 'reached', ...(await reached!) };
    default:
      throw new Error(`${order.ask} is for an agent`);
  }
}

function resources(): { path: string; query: Record<string, string> }[] {
  return watchedResources({ nodeName: NODE_NAME, policy: true })
    .filter(({ optional }) => optional !== true)
    .map(({ path, fieldSelector, labelSelector }) => ({
      path,
      query: { ...(fieldSelector && { fieldSelector }), ...(labelSelector && { labelSelector }) },
    }));
}

async function list(path: string, query: Record<string, string>): Promise<number> {
  let next: string | undefined;
  let count = 0;
  do {
    const page = { ...query, limit: String(server!.pageSize), ...(next && { continue: next }) };
    const { items, metadata } = JSON.parse(await textOf(await get(path, page)));
    versions.set(path, metadata.resourceVersion);
    count += items.length;
    next = metadata.continue;
  } while (next);
  return count;
}

async function watch(path: string, query: Record<string, string>): Promise<void> {
  const from = { watch: '1', resourceVersion: versions.get(path)! };
  const response = await get(path, { ...query, ...from });
  createInterface({ input: response }).on('line', (line) => see(JSON.parse(line).object));
  response.on('error', () => undefined);
}

function see({ metadata, endpoints }: Slice): void {
  if (wanted === null || metadata.name !== wanted.slice) return;
  const [first] = endpoints ?? [];
  if (first?.addresses[0] !== wanted.backend) return;
  const now = monotonic();
  wanted = null;
  found({ line: now, taken: now, packet: now, stale: 0 });
}

function get(path: string, query: Record<string, string>): Promise<IncomingMessage> {
  const { url, token, agent } = server!;
  const target = `${url}${path}?${new URLSearchParams(query)}`;
  const headers = {
    accept: 'application/json',
    'accept-encoding': query['watch'] ? 'identity' : 'gzip',
    authorization: `Bearer ${token}`,
  };
  return new Promise((resolve, reject) => {
    request(target, { agent, headers }, (response) => {
      if (response.statusCode === 200) resolve(response);
      else reject(new Error(`${path}: ${response.statusCode}`));
    })
      .on('error', reject)
      .end();
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const isPacked = response.headers['content-encoding'] === 'gzip';
  const parts: Buffer[] = [];
  for await (const part of isPacked ? response.pipe(createGunzip()) : response) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}
