// SPDX-License-Identifier: Apache-2.0
import type { NodeSpec, Service } from '../../lib/model/model.js';
import { type Cluster, endpoints, type From, inCluster, NETS, type Net } from './cluster.js';

/**
 * Who is masqueraded, and which endpoints are reached, as tables: rows are tried as packets, and
 * judged by what comes out.
 */

function services(net: Net): Service[] {
  const policies = [
    {},
    { externalTrafficPolicy: 'Local' },
    { internalTrafficPolicy: 'Local' },
  ] as const;
  return policies.map((policy, index) => ({
    name: `svc${index + 1}`,
    addresses: [net.cluster(index + 1)],
    loadBalancer: { addresses: [net.balancer(index + 1)] },
    ...policy,
    ports: [
      {
        protocol: 'TCP',
        port: 80,
        nodePort: 30_001 + index,
        backends: endpoints(net, index + 1),
      },
    ],
  }));
}

/** `ClusterIP`, `NodePort` and `LB` of the three services. */
type Row = readonly [
  from: From,
  to: 'ClusterIP' | 'NodePort' | 'LB',
  svc1: string,
  svc2: string,
  svc3: string,
];

/** svc2: externalTrafficPolicy Local, svc3: internalTrafficPolicy Local. */
const BASE: readonly Row[] = [
  ['pod', 'ClusterIP', 'both', 'both', 'here'],
  ['pod', 'NodePort', 'both M', 'both', 'both M'],
  ['pod', 'LB', 'both M', 'both', 'both M'],
  ['node', 'ClusterIP', 'both M', 'both M', 'here M'],
  ['node', 'NodePort', 'both M', 'both M', 'both M'],
  ['node', 'LB', 'both M', 'both M', 'both M'],
  ['outside', 'ClusterIP', 'both M', 'both M', 'here M'],
  ['outside', 'NodePort', 'both M', 'here', 'both M'],
  ['outside', 'LB', 'both M', 'here', 'both M'],
];

const noMasquerade = (verdict: string) => verdict.replace(' M', '');

/** Nobody knows who is a pod: nothing to a cluster address is masqueraded, and pods are outside. */
const NO_DETECTOR = BASE.map(([from, to, svc1, svc2, svc3]): Row => {
  if (to === 'ClusterIP')
    return [from, to, noMasquerade(svc1), noMasquerade(svc2), noMasquerade(svc3)];
  return [from, to, svc1, from === 'pod' ? 'here' : svc2, svc3];
});

function masqueradedAll(rows: readonly Row[]): Row[] {
  return rows.map(([from, to, ...verdicts]): Row => {
    if (to !== 'ClusterIP') return [from, to, ...verdicts];
    const [svc1, svc2, svc3] = verdicts.map((verdict) => `${noMasquerade(verdict)} M`);
    return [from, to, svc1, svc2, svc3];
  });
}

const VARIANTS: readonly {
  title: string;
  rows: readonly Row[];
  node?: NodeSpec;
  podScope: 'pod' | 'outside';
}[] = [
  { title: 'pods are known by their interface', rows: BASE, podScope: 'pod' },
  {
    title: 'pods are known by their networks',
    rows: BASE,
    podScope: 'outside',
    node: { podNetworks: ['10.180.0.0/24', 'fd80::/64'] },
  },
  { title: 'nobody knows who is a pod', rows: NO_DETECTOR, podScope: 'outside' },
  {
    title: 'masqueradeAll',
    rows: masqueradedAll(BASE),
    podScope: 'pod',
    node: { masqueradeAll: true },
  },
  {
    title: 'masqueradeAll, and nobody knows who is a pod',
    rows: masqueradedAll(NO_DETECTOR),
    podScope: 'outside',
    node: { masqueradeAll: true },
  },
];

function destination(net: Net, to: Row[1], n: number): { to: string; port: number } {
  if (to === 'NodePort') return { to: net.node, port: 30_000 + n };
  return { to: to === 'LB' ? net.balancer(n) : net.cluster(n), port: 80 };
}

function spelledOut(net: Net, verdict: string, n: number): string {
  return verdict
    .replace('both', [net.local(n), net.remote(n)].toSorted().join(' '))
    .replace('here', net.local(n));
}

for (const net of NETS) {
  for (const { title, rows, node, podScope } of VARIANTS) {
    inCluster(
      `27 flows, ${title}, ${net.name}`,
      async (cluster) => {
        const { t } = cluster.rig;
        await cluster.services(...services(net));
        for (const [from, to, ...verdicts] of rows) {
          verdicts.forEach((verdict, index) => {
            const n = index + 1;
            t.is(
              cluster.verdict({ from, ...destination(net, to, n) }),
              spelledOut(net, verdict, n),
              `${from} to ${to} of svc${n}`,
            );
          });
        }
        t.deepEqual(cluster.rig.drops(), {});
      },
      { ...(node !== undefined && { node }), podScope },
    );
  }

  inCluster(
    `a masqueraded source is an address of the egress interface, ${net.name}`,
    async (cluster) => {
      const { t } = cluster.rig;
      await cluster.services(...services(net));
      const sources = new Map<string, string>();
      for (let n = 0; n < 24; n++) {
        const { out } = cluster.first({ from: 'outside', to: net.cluster(1), port: 80 });
        sources.set(out[0].frame.ip?.dst ?? '', out[0].frame.ip?.src ?? '');
      }
      t.is(sources.get(net.local(1)), net.bridge);
      t.is(sources.get(net.remote(1)), net.node);
    },
  );

  inCluster(`hairpin is masqueraded whatever the rules say, ${net.name}`, async (cluster) => {
    const { t } = cluster.rig;
    await cluster.services(...services(net));
    const ask = { from: 'pod', source: net.local(1), to: net.cluster(1), port: 80 } as const;
    const seen = new Map<string, string>();
    for (let n = 0; n < 24; n++) {
      const { out } = cluster.first(ask);
      seen.set(out[0].frame.ip?.dst ?? '', out[0].frame.ip?.src ?? '');
    }
    t.is(seen.get(net.local(1)), net.bridge, 'to itself');
    t.is(seen.get(net.remote(1)), net.local(1), 'to another');
  });

  inCluster(
    `answers find their way back through every kind of address, ${net.name}`,
    async (cluster) => {
      const { t } = cluster.rig;
      await cluster.services(...services(net));
      for (const [from, to] of BASE) {
        for (const n of [1, 2, 3]) {
          const where = destination(net, to, n);
          const { sent, out } = cluster.first({ from, ...where });
          const [{ frame, slot }] = out;
          const back = answer(cluster, slot, frame);
          t.is(back.length, 1, `${from} to ${to} of svc${n}`);
          t.is(back[0].slot, { pod: 0, node: 1, outside: 2 }[from]);
          t.like(back[0].frame.ip, { src: where.to, dst: net.sources[from] });
          t.is(back[0].frame.tcp?.src, where.port);
          t.is(
            back[0].frame.tcp?.dst,
            sent[net.name === 'IPv4' ? 34 : 54] * 256 + sent[net.name === 'IPv4' ? 35 : 55],
          );
        }
      }
    },
  );
}

/** What becomes of the endpoint's answer to a frame that went out of `slot`. */
function answer(
  cluster: Cluster,
  slot: number,
  { ip, tcp }: ReturnType<Cluster['send']>[0]['frame'],
) {
  const from = (['pod', 'node', 'outside'] as const)[slot];
  const reply = cluster.opening({
    from,
    source: ip?.dst ?? '',
    to: ip?.src ?? '',
    port: tcp?.src ?? 0,
    sourcePort: tcp?.dst ?? 0,
  });
  return cluster.send(from, reply);
}

/** Source ranges, with the node in one of them. */
for (const net of NETS) {
  const v4 = net.name === 'IPv4';
  const outsider = v4 ? '203.0.113.200' : '2001:db8:aaaa::1';
  const ranges = ['192.168.0.0/24', '203.0.113.0/25', 'fd19::/64', '2001:db8:9::/48'];

  inCluster(
    `source ranges guard the balancer's address and nothing else, ${net.name}`,
    async (cluster) => {
      const { t } = cluster.rig;
      const service = (sourceRanges: string[]): Service => ({
        name: 'guarded',
        addresses: [net.cluster(1)],
        externalIPs: [net.external(1)],
        loadBalancer: { addresses: [net.balancer(1)], sourceRanges },
        ports: [
          {
            protocol: 'TCP',
            port: 80,
            nodePort: 30_001,
            backends: [{ address: net.local(1), port: 8080, node: 'here' }],
          },
        ],
      });
      await cluster.services(service(ranges));
      const lb = { to: net.balancer(1), port: 80 };
      const dropped = 'DROP source_not_allowed';
      const rows = [
        [{ from: 'pod', to: net.cluster(1), port: 80 }, net.local(1)],
        [{ from: 'outside', ...lb }, `${net.local(1)} M`],
        [{ from: 'outside', source: outsider, ...lb }, dropped],
        [{ from: 'outside', source: outsider, to: net.node, port: 30_001 }, `${net.local(1)} M`],
        [{ from: 'outside', source: outsider, to: net.external(1), port: 80 }, `${net.local(1)} M`],
        [{ from: 'pod', ...lb }, dropped],
        [{ from: 'node', ...lb }, `${net.local(1)} M`],
        [{ from: 'node', source: net.balancer(1), ...lb }, `${net.local(1)} M`],
      ] as const;
      for (const [index, [ask, verdict]] of rows.entries()) {
        t.is(cluster.verdict(ask), verdict, `row ${index + 1}`);
      }
      t.is(cluster.rig.counter('originated'), 0, 'nobody is told');

      await cluster.services(
        service(ranges.filter((range) => range.includes('203.') || range.includes('2001'))),
      );
      t.is(
        cluster.verdict({ from: 'node', source: net.balancer(1), ...lb }, 1),
        dropped,
        'the node is in none of them',
      );
      t.is(cluster.verdict({ from: 'node', ...lb }, 1), dropped);

      // Ranges of the other family alone leave this one open.
      await cluster.services(service([v4 ? '2001:db8::/32' : '203.0.113.0/25']));
      t.is(cluster.verdict({ from: 'outside', source: outsider, ...lb }, 1), `${net.local(1)} M`);
    },
  );

  inCluster(
    `a connection that was let in goes on when the ranges change, ${net.name}`,
    async (cluster) => {
      const { t } = cluster.rig;
      const service = (sourceRanges: string[]): Service => ({
        name: 'guarded',
        addresses: [net.cluster(1)],
        loadBalancer: { addresses: [net.balancer(1)], sourceRanges },
        ports: [{ protocol: 'TCP', port: 80, backends: endpoints(net, 1) }],
      });
      await cluster.services(service([]));
      const frame = cluster.opening({ from: 'outside', to: net.balancer(1), port: 80 });
      t.is(cluster.send('outside', frame).length, 1);
      await cluster.services(service(['198.18.0.0/15', '2001:db8:1234::/48']));
      t.is(cluster.send('outside', frame).length, 1);
      t.is(
        cluster.verdict({ from: 'outside', to: net.balancer(1), port: 80 }, 1),
        'DROP source_not_allowed',
      );
    },
  );
}
