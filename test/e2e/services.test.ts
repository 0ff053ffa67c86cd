// SPDX-License-Identifier: Apache-2.0
import type { ExecutionContext } from 'ava';
import type { Service } from '../../lib/index.js';
import { requires } from '../support/requires.js';
import { CLIENT, PODS } from './namespaces.js';
import { Node } from './node.js';

/**
 * Real programs through every kind of service address, both families: a client outside of the cluster,
 * and pods. The node's address is our side of the client's link.
 */
const real = requires('the native addon', 'root', '/dev/net/tun', 'ip', 'curl', 'nginx', 'iperf3');

const WEB = { v4: '10.96.0.10', v6: 'fd00:96::10', lb4: '203.0.113.10', lb6: '2001:db8:f::10' };
const LONELY = { v4: '10.96.0.11', v6: 'fd00:96::11' };
const IPERF = { v4: '10.96.0.12', v6: 'fd00:96::12', lb4: '203.0.113.12', lb6: '2001:db8:f::12' };
const IPERF_PORT = 5_201;
const IPERF_NODE_PORT = 30_521;
const ECHO = { v4: '10.96.0.13', v6: 'fd00:96::13' };
const NODE_PORT = 30_080;

const both = (pods: readonly (typeof PODS)[number][], port: number) =>
  pods.flatMap(({ v4, v6 }) => [
    { address: v4, port },
    { address: v6, port },
  ]);

const SERVICES: readonly Service[] = [
  {
    name: 'web',
    addresses: [WEB.v4, WEB.v6],
    loadBalancer: { addresses: [WEB.lb4, WEB.lb6] },
    ports: [{ protocol: 'TCP', port: 80, nodePort: NODE_PORT, backends: both(PODS, 80) }],
  },
  {
    name: 'lonely',
    addresses: [LONELY.v4, LONELY.v6],
    ports: [{ protocol: 'TCP', port: 80, backends: both(PODS.slice(0, 1), 80) }],
  },
  {
    name: 'iperf',
    addresses: [IPERF.v4, IPERF.v6],
    loadBalancer: { addresses: [IPERF.lb4, IPERF.lb6] },
    ports: (['TCP', 'UDP'] as const).map((protocol) => ({
      name: protocol.toLowerCase(),
      protocol,
      port: IPERF_PORT,
      nodePort: IPERF_NODE_PORT,
      backends: both(PODS.slice(1, 2), IPERF_PORT),
    })),
  },
  {
    name: 'echo',
    addresses: [ECHO.v4, ECHO.v6],
    ports: [{ protocol: 'UDP', port: 7, backends: both(PODS.slice(0, 1), 7) }],
  },
];

async function openShop(t: ExecutionContext): Promise<Node> {
  t.timeout(180_000);
  const node = await Node.open(t, [CLIENT, ...PODS]);
  await node.proxy.apply({
    services: SERVICES,
    node: { serviceNetworks: ['10.96.0.0/16', 'fd00:96::/112'] },
  });
  for (const { name } of PODS) await node.startNginx(name);
  return node;
}

real('curl through ClusterIP, NodePort and LoadBalancer, IPv4 and IPv6', async (t) => {
  const node = await openShop(t);
  const targets: [string, string, boolean][] = [
    // Whom the client asks, and whether it is masqueraded when it comes from outside.
    ['ClusterIP', `${WEB.v4}:80`, true],
    ['ClusterIP, IPv6', `[${WEB.v6}]:80`, true],
    ['NodePort', `${CLIENT.gateway4}:${NODE_PORT}`, true],
    ['NodePort, IPv6', `[${CLIENT.gateway6}]:${NODE_PORT}`, true],
    ['LoadBalancer', `${WEB.lb4}:80`, true],
    ['LoadBalancer, IPv6', `[${WEB.lb6}]:80`, true],
  ];
  for (const [kind, target] of targets) {
    const seen = new Set<string>();
    for (let i = 0; i < 12; i++) {
      const { who, client } = await node.ask(CLIENT.name, target);
      seen.add(who);
      const pod = PODS.find(({ name }) => name === who)!;
      t.true([pod.gateway4, pod.gateway6].includes(client), `${kind}: ${who} saw ${client}`);
    }
    t.true(seen.size > 1, `${kind}: ${[...seen]} answered`);
  }
  // A pod keeps its address towards a ClusterIP.
  const [pod] = PODS;
  for (let i = 0; i < 12; i++) {
    const { who, client } = await node.ask(pod!.name, `${WEB.v4}:80`);
    t.is(client, who === pod!.name ? pod!.gateway4 : pod!.v4);
    const six = await node.ask(pod!.name, `[${WEB.v6}]:80`);
    t.is(six.client, six.who === pod!.name ? pod!.gateway6 : pod!.v6);
  }
  lawHolds(t, node);
});

real('curl from a pod through a service to itself (hairpin)', async (t) => {
  const node = await openShop(t);
  const [pod] = PODS;
  for (const [target, seenAs] of [
    [`${LONELY.v4}:80`, pod!.gateway4],
    [`[${LONELY.v6}]:80`, pod!.gateway6],
  ] as const) {
    for (let i = 0; i < 5; i++) {
      t.deepEqual(await node.ask(pod!.name, target), { who: pod!.name, client: seenAs });
    }
  }
  lawHolds(t, node);
});

real('no endpoints: curl is refused at once, IPv4 and IPv6', async (t) => {
  const node = await openShop(t);
  await node.proxy.apply({
    services: [
      {
        name: 'empty',
        addresses: ['10.96.0.20', 'fd00:96::20'],
        ports: [{ protocol: 'TCP', port: 80, backends: [] }],
      },
    ],
  });
  for (const target of ['10.96.0.20:80', '[fd00:96::20]:80', '10.96.0.20:81']) {
    const error = await t.throwsAsync(node.ask(CLIENT.name, target));
    t.regex(error!.message, /Connection refused|Failed to connect|Couldn't connect/, target);
    t.notRegex(error!.message, /timed out/i, target);
  }
});

real(
  'iperf3 through ClusterIP, NodePort, LoadBalancer and hairpin; TCP, UDP, IPv4, IPv6',
  async (t) => {
    const node = await openShop(t);
    const [, server] = PODS;
    await node.startIperf(server!.name);
    const targets: [string, string, number][] = [
      [CLIENT.name, IPERF.v4, IPERF_PORT],
      [CLIENT.name, IPERF.v6, IPERF_PORT],
      [CLIENT.name, CLIENT.gateway4, IPERF_NODE_PORT],
      [CLIENT.name, CLIENT.gateway6, IPERF_NODE_PORT],
      [CLIENT.name, IPERF.lb4, IPERF_PORT],
      [CLIENT.name, IPERF.lb6, IPERF_PORT],
      [server!.name, IPERF.v4, IPERF_PORT],
      [server!.name, IPERF.v6, IPERF_PORT],
    ];
    for (const [from, address, port] of targets) {
      for (const flags of [[], ['-u', '-b', '5M', '-l', '1200']]) {
        const text = await node.exec(from, [
          ...['iperf3', '-c', address, '-p', String(port), '-t', '1', '-J'],
          ...flags,
        ]);
        const { end } = JSON.parse(text) as IperfReport;
        const bytes = end.sum_received?.bytes ?? end.sum?.bytes ?? 0;
        const lost = end.sum?.lost_percent ?? 0;
        const what = `${from} to ${address}:${port} ${flags.length > 0 ? 'UDP' : 'TCP'}`;
        t.true(bytes > 300_000, `${what}: ${bytes} bytes`);
        // The kernel's queue runs over where a worker does not get its CPU for a while.
        t.true(lost < 5, `${what}: ${lost} % lost`);
        t.log(`${what}: ${(bytes / 1e6).toFixed(1)} MB, ${lost} % lost`);
      }
    }
    lawHolds(t, node);
  },
);

interface IperfReport {
  end: { sum?: { lost_percent?: number; bytes: number }; sum_received?: { bytes: number } };
}

real('a 4,000-byte UDP datagram goes in fragments through a service and back', async (t) => {
  const node = await openShop(t);
  await node.startEcho(PODS[0]!.name);
  for (const address of [ECHO.v4, ECHO.v6]) {
    for (const from of [CLIENT.name, PODS[1]!.name, PODS[0]!.name]) {
      const script = new URL('udp-ask.mjs', import.meta.url).pathname;
      const answer = await node.exec(from, [process.execPath, script, address, '7', '4000']);
      t.is(answer.trim(), 'ok', `${from} to ${address}`);
    }
  }
  lawHolds(t, node);
});

function lawHolds(t: ExecutionContext, node: Node): void {
  const { fates } = node.proxy.stats();
  t.is(fates.rx, fates.forwarded + fates.answered + fates.host + fates.dropped + fates.held);
}
