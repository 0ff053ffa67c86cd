// SPDX-License-Identifier: Apache-2.0
import type { Backend, Model, Service } from '../../lib/model/model.js';
import type { Net } from './cluster.js';

/** The first service, on port 80 of every protocol. */
export function service(
  net: Net,
  backends: readonly Backend[],
  more: Partial<Service> = {},
): Service {
  return {
    name: 'web',
    addresses: [net.cluster(1)],
    ...more,
    ports: (['TCP', 'UDP', 'SCTP'] as const).map((protocol) => ({
      name: protocol.toLowerCase(),
      protocol,
      port: 80,
      nodePort: 30_001,
      backends,
    })),
  };
}

/** Endpoints and what changes while a connection with the first of them is there. */
export interface Change {
  title: string;
  before: readonly ('here' | 'away')[];
  after(net: Net): Model;
  /** What new connections get then. */
  young(net: Net): string;
  /** The endpoint may still serve: connections of every protocol stay. */
  serving: boolean;
}

export const here = (net: Net): Backend => ({ address: net.local(1), port: 8080, node: 'here' });
export const away = (net: Net): Backend => ({
  address: net.remote(1),
  port: 8080,
  node: 'elsewhere',
});

export const CHANGES: readonly Change[] = [
  {
    title: 'the endpoint is removed',
    before: ['here'],
    after: (net) => ({ services: [service(net, [away(net)])] }),
    young: (net) => net.remote(1),
    serving: false,
  },
  {
    title: 'all endpoints are removed',
    before: ['here'],
    after: (net) => ({ services: [service(net, [])] }),
    young: () => 'REJECT',
    serving: false,
  },
  {
    title: 'the service is deleted',
    before: ['here'],
    after: () => ({ services: [] }),
    young: () => 'PASS',
    serving: false,
  },
  {
    title: 'the endpoint does not serve any more',
    before: ['here'],
    after: (net) => ({
      services: [service(net, [{ ...here(net), ready: false, serving: false }, away(net)])],
    }),
    young: (net) => net.remote(1),
    serving: false,
  },
  {
    title: 'the endpoint terminates and serves on',
    before: ['here'],
    after: (net) => ({
      services: [
        service(net, [{ ...here(net), ready: false, serving: true, terminating: true }, away(net)]),
      ],
    }),
    young: (net) => net.remote(1),
    serving: true,
  },
  {
    title: 'the endpoint drains',
    before: ['here'],
    after: (net) => ({ services: [service(net, [{ ...here(net), weight: 0 }, away(net)])] }),
    young: (net) => net.remote(1),
    serving: true,
  },
  {
    title: 'all endpoints drain',
    before: ['here'],
    after: (net) => ({ services: [service(net, [{ ...here(net), weight: 0 }])] }),
    young: () => 'REJECT',
    serving: true,
  },
  {
    title: 'the internal policy becomes Local, the endpoint is elsewhere',
    before: ['away'],
    after: (net) => ({
      services: [service(net, [away(net), here(net)], { internalTrafficPolicy: 'Local' })],
    }),
    young: (net) => net.local(1),
    serving: true,
  },
  {
    title: 'the internal policy becomes Local, and there is no endpoint here',
    before: ['away'],
    after: (net) => ({ services: [service(net, [away(net)], { internalTrafficPolicy: 'Local' })] }),
    young: () => 'DROP no_local_backend',
    serving: true,
  },
  {
    title: 'hints turn to another endpoint',
    before: ['away'],
    after: (net) => ({
      services: [
        service(net, [
          { ...away(net), hints: { zones: ['zone-b'] } },
          { ...here(net), hints: { zones: ['zone-a'] } },
        ]),
      ],
    }),
    young: (net) => net.local(1),
    serving: true,
  },
  {
    title: 'affinity is switched on',
    before: ['here'],
    after: (net) => ({
      services: [service(net, [here(net)], { affinity: { timeoutSeconds: 60 } })],
    }),
    young: (net) => net.local(1),
    serving: true,
  },
  {
    title: 'the node port goes',
    before: ['here'],
    after: (net) => ({
      services: [
        {
          ...service(net, [here(net)]),
          ports: service(net, [here(net)]).ports.map(({ nodePort, ...port }) => port),
        },
      ],
    }),
    young: (net) => net.local(1),
    serving: true,
  },
];
