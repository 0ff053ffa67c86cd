// SPDX-License-Identifier: Apache-2.0
import type { Backend, Service } from '../../lib/model/model.js';
import { type From, inCluster, NETS, type Net } from './cluster.js';

/** Where nobody may serve: told (REJECT), silent (DROP), or none of our business (PASS). */

function service(net: Net, backends: Backend[], more: Partial<Service> = {}): Service {
  return {
    name: 'web',
    addresses: [net.cluster(1)],
    externalIPs: [net.external(1)],
    loadBalancer: { addresses: [net.balancer(1)] },
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

const FROM: readonly From[] = ['pod', 'node', 'outside'];
const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;

function destinations(net: Net): { name: string; to: string; port: number }[] {
  return [
    { name: 'ClusterIP', to: net.cluster(1), port: 80 },
    { name: 'external IP', to: net.external(1), port: 80 },
    { name: 'LB', to: net.balancer(1), port: 80 },
    { name: 'NodePort', to: net.node, port: 30_001 },
  ];
}

for (const net of NETS) {
  const here: Backend = { address: net.local(1), port: 8080, node: 'here' };
  const away: Backend = { address: net.remote(1), port: 8080, node: 'elsewhere' };

  for (const [title, backends] of [
    ['no endpoint at all', []],
    [
      'none that is ready',
      [
        { ...here, ready: false },
        { ...away, ready: false },
      ],
    ],
    [
      'all of weight 0',
      [
        { ...here, weight: 0 },
        { ...away, weight: 0 },
      ],
    ],
    ['all flushed', [{ ...here, flush: true }]],
  ] as const) {
    inCluster(`${title}: whoever asks is told, ${net.name}`, async (cluster) => {
      const { t } = cluster.rig;
      for (const policy of [
        {},
        { internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' },
      ] as const) {
        await cluster.services(service(net, [...backends], policy));
        for (const from of FROM) {
          for (const { name, ...where } of destinations(net)) {
            for (const protocol of PROTOCOLS) {
              const verdict = cluster.verdict({ from, ...where, protocol }, 2);
              t.is(verdict, 'REJECT', `${from} to ${name} by ${protocol}`);
            }
          }
        }
      }
      t.deepEqual(Object.keys(cluster.rig.drops()), ['no_backend']);
    });
  }

  inCluster(
    `internal policy Local, endpoints elsewhere: silence on the ClusterIP, ${net.name}`,
    async (cluster) => {
      const { t } = cluster.rig;
      await cluster.services(service(net, [away], { internalTrafficPolicy: 'Local' }));
      for (const from of FROM) {
        for (const { name, ...where } of destinations(net)) {
          const expected = name === 'ClusterIP' ? 'DROP no_local_backend' : `${net.remote(1)} M`;
          t.is(cluster.verdict({ from, ...where }, 2), expected, `${from} to ${name}`);
        }
      }
      t.is(cluster.rig.counter('originated'), 0);
    },
  );

  inCluster(
    `external policy Local, endpoints elsewhere: silence for those outside, ${net.name}`,
    async (cluster) => {
      const { t } = cluster.rig;
      await cluster.services(service(net, [away], { externalTrafficPolicy: 'Local' }));
      for (const from of FROM) {
        for (const { name, ...where } of destinations(net)) {
          const local = name !== 'ClusterIP' && from === 'outside';
          const mark = from === 'pod' ? '' : ' M';
          const expected = local ? 'DROP no_local_backend' : `${net.remote(1)}${mark}`;
          t.is(cluster.verdict({ from, ...where }, 2), expected, `${from} to ${name}`);
        }
      }
    },
  );

  inCluster(`what is no port of the service, ${net.name}`, async (cluster) => {
    const { t } = cluster.rig;
    await cluster.services(service(net, [here]));
    for (const from of FROM) {
      for (const protocol of PROTOCOLS) {
        const at = (to: string, port: number) => cluster.verdict({ from, to, port, protocol }, 2);
        t.is(at(net.cluster(1), 81), 'REJECT', 'another port of a ClusterIP');
        t.is(at(net.node, 30_002), 'PASS', 'a node port that nobody has is for the kernel');
        // The node's own packets to the network outside are routed back to it as they are.
        t.is(at(net.external(1), 81), 'PASS');
        t.is(at(net.balancer(1), 30_001), 'PASS');
      }
    }
  });

  inCluster(`addresses in a service network that no service has, ${net.name}`, async (cluster) => {
    const { t } = cluster.rig;
    const node = { name: 'here', serviceNetworks: ['172.30.0.0/16', 'fd30::/112'] };
    await cluster.services(service(net, [here]));
    const at = (to: string) => cluster.verdict({ from: 'pod', to, port: 80 }, 2);
    t.is(at(net.cluster(9)), 'PASS');
    await cluster.apply({ node });
    t.is(at(net.cluster(9)), 'DROP service_address_unknown');
    t.is(at(net.cluster(1)), net.local(1));
    await cluster.services(service(net, [here]), {
      name: 'other',
      addresses: [net.cluster(9)],
      ports: [{ protocol: 'TCP', port: 80, backends: [] }],
    });
    t.is(at(net.cluster(9)), 'REJECT');
    await cluster.services();
    t.is(at(net.cluster(1)), 'DROP service_address_unknown');
  });

  inCluster(`only new connections are refused, ${net.name}`, async (cluster) => {
    const { t } = cluster.rig;
    await cluster.services(service(net, [here]));
    const syn = cluster.opening({ from: 'pod', to: net.cluster(1), port: 80 });
    t.is(cluster.send('pod', syn)[0].frame.ip?.dst, net.local(1));
    await cluster.services(service(net, [{ ...here, weight: 0 }]));
    t.is(cluster.send('pod', syn)[0].frame.ip?.dst, net.local(1));
    t.is(cluster.verdict({ from: 'pod', to: net.cluster(1), port: 80 }, 2), 'REJECT');
    await cluster.services(service(net, [here]));
    t.is(cluster.verdict({ from: 'pod', to: net.cluster(1), port: 80 }, 2), net.local(1));
  });
}
