// SPDX-License-Identifier: Apache-2.0
// The Sluice under test: a process of its own, because DPDK starts once in a process. It does what
// its parent orders over the channel, and ends with it.
import { ServiceProxy } from '../../lib/index.js';
import { BACKENDS, CLIENTS, moreRoutes, ROUTES, serviceModel } from './network.js';
import { obeyParent } from './ordered-process.js';
import { policyModel } from './policies.js';
import type { Answer, Counts, Order, SluiceSetup } from './sluice-messages.js';

let proxy: ServiceProxy | null = null;

obeyParent(obey, close);

async function obey(order: Order): Promise<Answer> {
  if (order.ask === 'open') {
    proxy = await open(order.setup, order.folder);
    return { answer: 'opened' };
  }
  if (proxy === null) throw new Error('there is no proxy yet');
  return { answer: 'counts', counts: countsOf(proxy) };
}

/** For a million routes of either family, twice (readers keep the one while the other is written). */
const ROUTES_MEMORY_MIB = 3_072;

async function open(setup: SluiceSetup, folder: string): Promise<ServiceProxy> {
  const { wire, services, options, policy, routes = 0 } = setup;
  const { count, each, families, protocols } = services;
  const opened = await ServiceProxy.open({
    engine: 'dpdk',
    hugepages: 'on',
    ...(routes > 0 && { maxRoutes: routes + 64, memory: ROUTES_MEMORY_MIB }),
    ...options,
    backends: Math.max(1_024, count * each * families.length * protocols.length),
    interfaces: [
      specOf(wire, 'clients', CLIENTS, folder),
      specOf(wire, 'backends', BACKENDS, folder),
    ],
    routes: [...ROUTES, ...moreRoutes(routes)],
  });
  await opened.apply({ services: serviceModel(services) });
  if (policy !== undefined) await opened.apply(policyModel(services, policy));
  return opened;
}

function specOf(
  wire: SluiceSetup['wire'],
  name: string,
  side: typeof CLIENTS,
  folder: string,
): string {
  const addresses = side.addresses.map((address) => `,address=${address}`).join('');
  return `${wire}:${name},role=server,socket=${folder}/${name}.sock,mac=${side.mac}${addresses}`;
}

function countsOf(open: ServiceProxy): Counts {
  const { fates, workers, flows } = open.stats();
  return {
    rx: fates.rx,
    forwarded: fates.forwarded,
    fates: fates.tx + fates.host + fates.dropped + fates.held,
    dropped: fates.dropped,
    drops: fates.drops,
    cycles: workers.reduce((sum, worker) => sum + worker.cycles, 0),
    flows: flows.count,
    flowsCreated: flows.created,
  };
}

async function close(): Promise<void> {
  const closing = proxy;
  proxy = null;
  await closing?.close();
}
