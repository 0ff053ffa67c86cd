// SPDX-License-Identifier: Apache-2.0
import type { Backend, Hints, Service } from '../../lib/model/model.js';
import { type Cluster, inCluster, NET4, NET6, NETS, type Net } from './cluster.js';
import { CASES, type Case, type Word } from './endpoint-cases.js';

function backendOf(net: Net, text: string, place: number): Backend {
  const words = text.split(' ') as Word[];
  const has = (word: Word) => words.includes(word);
  const hintsFor = (prefix: 'zone' | 'node') =>
    words.filter((word) => word.startsWith(`${prefix}:`)).map((word) => word.split(':')[1]);
  const hints: Hints = { zones: hintsFor('zone'), nodes: hintsFor('node') };
  return {
    address: has('here') ? net.local(place) : net.remote(place),
    port: 8080,
    node: has('here') ? 'here' : 'elsewhere',
    ready: !has('unready') && !has('terminating') && !has('dying'),
    serving: !has('unready') && !has('dying'),
    terminating: has('terminating') || has('dying'),
    hints,
  };
}

function service(net: Net, { endpoints, internal, external }: Case): Service {
  return {
    name: 'web',
    addresses: [net.cluster(1)],
    ...(internal !== undefined && { internalTrafficPolicy: internal }),
    ...(external !== undefined && { externalTrafficPolicy: external }),
    ports: [
      {
        protocol: 'TCP',
        port: 80,
        nodePort: 30_001,
        backends: endpoints.map((text, index) => backendOf(net, text, index + 1)),
      },
    ],
  };
}

function expectation(net: Net, { endpoints }: Case, places: Case['cluster'], mark: string): string {
  if (typeof places === 'string') return places;
  const addresses = places.map((place) => backendOf(net, endpoints[place - 1], place).address);
  return addresses.toSorted().join(' ') + mark;
}

for (const net of NETS) {
  for (const each of CASES) {
    inCluster(
      `endpoints: ${each.title}, ${net.name}`,
      async (cluster) => {
        const { t } = cluster.rig;
        await cluster.services(service(net, each));
        const outside = { from: 'outside', to: net.node, port: 30_001 } as const;
        const fromPod = { from: 'pod', to: net.cluster(1), port: 80 } as const;
        t.is(cluster.verdict(fromPod, 48), expectation(net, each, each.cluster, ''));
        const mark = each.external === 'Local' ? '' : ' M';
        const nodePort = each.nodePort ?? each.cluster;
        t.is(cluster.verdict(outside, 48), expectation(net, each, nodePort, mark));
      },
      { zone: each.noZone ? null : 'zone-a' },
    );
  }
}

function web(net: Net, backends: Backend[]): Service {
  return {
    name: 'web',
    addresses: [net.cluster(1)],
    ports: [{ protocol: 'TCP', port: 80, backends }],
  };
}

const ask = (net: Net) => ({ from: 'pod', to: net.cluster(1), port: 80 }) as const;

for (const net of NETS) {
  inCluster(`policies and hints change under way, ${net.name}`, async (cluster) => {
    const { t } = cluster.rig;
    const hinted = (zone: string) => [
      { address: net.local(1), port: 8080, node: 'here', hints: { zones: ['zone-a'] } },
      { address: net.remote(1), port: 8080, node: 'elsewhere', hints: { zones: [zone] } },
    ];
    const both = [net.local(1), net.remote(1)].toSorted().join(' ');
    await cluster.services(web(net, hinted('zone-b')));
    t.is(cluster.verdict(ask(net)), net.local(1));
    await cluster.services(web(net, hinted('zone-a')));
    t.is(cluster.verdict(ask(net)), both);
    await cluster.services({ ...web(net, hinted('zone-a')), internalTrafficPolicy: 'Local' });
    t.is(cluster.verdict(ask(net)), net.local(1));
    await cluster.services(web(net, hinted('zone-b')));
    await cluster.apply({ node: { name: 'here', zone: 'zone-b' } });
    t.is(cluster.verdict(ask(net)), net.remote(1), 'the node has moved to another zone');
    await cluster.apply({ node: { name: 'elsewhere' } });
    t.is(cluster.verdict(ask(net)), both);
  });

  inCluster(
    `node ports are served on our own addresses, or those that were named, ${net.name}`,
    async (cluster) => {
      const { t } = cluster.rig;
      const external: Service = {
        ...web(net, [{ address: net.local(1), port: 8080, node: 'here' }]),
        ports: [
          {
            protocol: 'TCP',
            port: 80,
            nodePort: 30_001,
            backends: [{ address: net.local(1), port: 8080, node: 'here' }],
          },
        ],
      };
      await cluster.services(external);
      const at = (to: string) => cluster.verdict({ from: 'outside', to, port: 30_001 }, 4);
      const served = `${net.local(1)} M`;
      const host = 'PASS';
      t.deepEqual([at(net.node), at(net.bridge)], [served, served]);
      t.is(at(net.cluster(1)), 'REJECT', 'not on the cluster address');
      const node = { name: 'here' };
      await cluster.apply({
        node: { ...node, nodePortAddresses: ['192.168.0.0/24', 'fd19::/64'] },
      });
      t.deepEqual([at(net.node), at(net.bridge)], [served, host]);
      await cluster.apply({
        node: { ...node, nodePortAddresses: [net === NET4 ? 'fd19::/64' : '192.168.0.0/24'] },
      });
      t.deepEqual([at(net.node), at(net.bridge)], [served, served], 'nothing said of this family');
      await cluster.apply({ node: { ...node, nodePortAddresses: ['primary'] } });
      t.deepEqual([at(net.node), at(net.bridge)].toSorted(), [host, served].toSorted());
      await cluster.apply({ node: { ...node, nodePortAddresses: ['all'] } });
      t.deepEqual([at(net.node), at(net.bridge)], [served, served]);
    },
  );

  inCluster(
    `same port number, other protocols are other services, ${net.name}`,
    async (cluster) => {
      const { t } = cluster.rig;
      const port = (protocol: 'TCP' | 'UDP' | 'SCTP', n: number) => ({
        name: protocol.toLowerCase(),
        protocol,
        port: 80,
        nodePort: 30_001,
        backends: [{ address: net.local(n), port: 8080, node: 'here' }],
      });
      const base = { name: 'web', addresses: [net.cluster(1)] };
      await cluster.services({ ...base, ports: [port('TCP', 1), port('UDP', 2), port('SCTP', 3)] });
      const verdicts = () =>
        (['tcp', 'udp', 'sctp'] as const).map((protocol) =>
          cluster.verdict({ ...ask(net), protocol }, 2),
        );
      t.deepEqual(verdicts(), [1, 2, 3].map(net.local));
      await cluster.services({ ...base, ports: [port('TCP', 1)] });
      t.deepEqual(verdicts(), [net.local(1), 'REJECT', 'REJECT']);
    },
  );

  inCluster(`an external address is served wherever it is, ${net.name}`, async (cluster) => {
    const { t } = cluster.rig;
    await cluster.services({
      ...web(net, [{ address: net.local(1), port: 8080, node: 'here' }]),
      externalIPs: [net.external(1)],
    });
    const to = { from: 'outside', to: net.external(1) } as const;
    t.is(cluster.verdict({ ...to, port: 80 }, 4), `${net.local(1)} M`);
    t.is(cluster.verdict({ ...to, port: 81 }, 4), 'PASS', 'its other ports are not ours');
    await cluster.services(web(net, [{ address: net.local(1), port: 8080, node: 'here' }]));
    t.is(cluster.verdict({ ...to, port: 80 }, 4), 'PASS');
  });
}

inCluster(
  'a dual-stack service goes to endpoints of the family that it is asked in',
  async (cluster) => {
    const { t } = cluster.rig;
    await cluster.services({
      name: 'web',
      addresses: NETS.map((net) => net.cluster(1)),
      ports: [
        {
          protocol: 'TCP',
          port: 80,
          backends: NETS.flatMap((net) => [
            { address: net.local(1), port: 8080, node: 'here' },
            { address: net.remote(1), port: 8080 },
          ]),
        },
      ],
    });
    for (const net of NETS) {
      t.is(cluster.verdict(ask(net)), [net.local(1), net.remote(1)].toSorted().join(' '));
    }
    // No endpoint of a family: refused there, and the other goes on.
    await cluster.services({
      name: 'web',
      addresses: NETS.map((net) => net.cluster(1)),
      ports: [{ protocol: 'TCP', port: 80, backends: [{ address: NET6.local(1), port: 8080 }] }],
    });
    t.is(cluster.verdict(ask(NET4), 4), 'REJECT');
    t.is(cluster.verdict(ask(NET6), 4), NET6.local(1));
  },
);

inCluster(
  'new connections are spread evenly',
  async (cluster: Cluster) => {
    const { rig } = cluster;
    const { t } = rig;
    const backends = Array.from({ length: 5 }, (_, n) => ({
      address: NET4.local(n + 1),
      port: 8080,
    }));
    await cluster.services(web(NET4, backends));
    const counts = new Map<string, number>();
    const total = 10_000;
    for (let first = 0; first < total; first += 50) {
      const frames = Array.from({ length: 50 }, (_, n) =>
        cluster.opening({ ...ask(NET4), sourcePort: 10_000 + first + n }),
      );
      for (const { ip } of rig.read(0, 0, ...frames)) {
        counts.set(ip?.dst ?? '', (counts.get(ip?.dst ?? '') ?? 0) + 1);
      }
    }
    t.is(counts.size, 5);
    const expected = total / 5;
    const chiSquare = [...counts.values()].reduce(
      (sum, n) => sum + (n - expected) ** 2 / expected,
      0,
    );
    // 4 degrees of freedom: 18.5 is exceeded by chance once in a thousand.
    t.true(chiSquare < 18.5, `chi-square ${chiSquare}`);
  },
  { options: { flows: 16_384 } },
);
