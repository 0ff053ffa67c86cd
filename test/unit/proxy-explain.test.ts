// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { Service } from '../../lib/model/model.js';
import type { ExplainInput } from '../../lib/proxy/explain.js';
import { openProxy, query } from '../support/proxy.js';

/** Every protocol, both families, and a service without endpoints. */
const SERVICES: Service[] = [
  {
    name: 'web',
    addresses: ['10.96.0.1', 'fd00:96::1'],
    ports: (['TCP', 'UDP', 'SCTP', 'ICMP'] as const).map((protocol) => ({
      name: protocol.toLowerCase(),
      protocol,
      ...(protocol !== 'ICMP' && { port: 80 }),
      backends: ['10.1.0.2', 'fd00:1::2'].map((address) => ({
        address,
        ...(protocol !== 'ICMP' && { port: 8080 }),
      })),
    })),
  },
  {
    name: 'idle',
    addresses: ['10.96.0.2'],
    ports: [{ protocol: 'TCP', port: 80, backends: [] }],
  },
];

async function openWeb() {
  const proxy = await openProxy({
    interfaces: [
      'memory:up,address=10.0.0.1/24,address=fd00::1/64,mac=02:00:00:00:00:01',
      'memory:pods,address=10.1.0.1/24,address=fd00:1::1/64,mac=02:00:00:00:00:02,scope=pod',
    ],
    routes: [
      '10.1.0.0/25,dev=pods,mac=02:00:00:00:00:b2',
      'fd00:1::2/128,dev=pods,mac=02:00:00:00:00:b2',
    ],
  });
  await proxy.apply({ services: SERVICES });
  return proxy;
}

for (const protocol of ['TCP', 'UDP', 'SCTP', 'ICMP'] as const) {
  for (const [from, to, backend] of [
    ['10.0.0.9', '10.96.0.1', '10.1.0.2'],
    ['fd00::9', 'fd00:96::1', 'fd00:1::2'],
  ] as const) {
    test(`explains ${protocol} from ${from} to ${to}`, async (t) => {
      await using proxy = await openWeb();
      const ports = protocol === 'ICMP' ? {} : { port: 80 };
      const report = await proxy.explain({ from, to, protocol, ...ports });
      t.like(report, {
        interface: 'up',
        scope: 'outside',
        flow: null,
        service: { name: 'default/web', portName: protocol.toLowerCase(), kind: 'cluster' },
        pool: { policy: 'Cluster' },
        maglevSlot: 0,
        affinity: false,
        backend: { address: backend, service: 'default/web' },
        masquerade: true,
        route: { interface: 'pods', gateway: null, mac: '02:00:00:00:00:b2' },
        fate: 'forward',
        reason: null,
      });
      t.is(report.rewrite?.destination, backend);
      t.is(report.packet?.protocol, protocol);
      t.true(report.text.some((line) => line.startsWith('service') && line.includes(to)));
    });
  }
}

test('explains a drop with its cause and remedy, and changes nothing', async (t) => {
  await using proxy = await openWeb();
  const before = proxy.stats();
  const report = await proxy.explain({ from: '10.0.0.9', to: '10.96.0.2', port: 80 });
  t.like(report, {
    service: { name: 'default/idle' },
    backend: null,
    fate: 'drop',
    reason: { name: 'no_backend', remedy: "Look at the service's endpoints" },
    rejected: true,
  });
  t.deepEqual(report.text.slice(-3), [
    'fate       dropped as no_backend; the sender is told',
    `cause      ${report.reason?.cause}`,
    `remedy     ${report.reason?.remedy}`,
  ]);
  t.deepEqual(proxy.stats(), before);
});

test('says which of several next hops it is, and who is told that there is none', async (t) => {
  await using proxy = await openWeb();
  const nextHops = [{ via: '10.0.0.7' }, { via: '10.1.0.7' }, { via: '10.1.0.8', weight: 2 }];
  await proxy.apply({ routes: [{ prefix: '192.0.2.0/24', nextHops }] });
  const seen = new Set<number>();
  for (let port = 1; port <= 64; port++) {
    const report = await proxy.explain({ from: '10.0.0.9', to: '192.0.2.1', port });
    const { number, of } = report.route!.choice!;
    t.is(of, 3);
    t.is(report.route?.gateway, nextHops[number - 1]!.via);
    t.true(report.text.some((line) => line.endsWith(`(next hop ${number} of 3)`)));
    seen.add(number);
  }
  t.is(seen.size, 3);
  const lost = await proxy.explain({ from: '10.0.0.9', to: '198.51.100.1', port: 80 });
  t.like(lost, { fate: 'drop', reason: { name: 'no_route' }, rejected: true, route: null });
});

test('explains a frame, and the flow that it belongs to', async (t) => {
  await using proxy = await openWeb();
  await proxy.apply({
    services: [{ ...SERVICES[0]!, ports: [{ protocol: 'UDP', port: 53, backends: [] }] }],
  });
  t.like(await proxy.explain({ frame: query(1, 7), interface: 'up' }), {
    packet: { source: '10.0.0.9', sourcePort: 7, destinationPort: 53, protocol: 'UDP' },
    reason: { name: 'no_backend' },
  });
  t.like(await proxy.explain({ frame: new Uint8Array(5), interface: 'up' }), {
    packet: null,
    reason: { name: 'malformed_ethernet' },
  });
  const backends = [{ address: '10.1.0.2', port: 5353 }];
  await proxy.apply({
    services: [{ ...SERVICES[0]!, ports: [{ protocol: 'UDP', port: 53, backends }] }],
  });
  proxy.interfaces.send('up', [query(1, 7)]);
  proxy.step(1_000);
  t.like(await proxy.explain({ frame: query(1, 7), interface: 'up' }), {
    flow: { direction: 'forward', state: 'unreplied' },
    backend: { address: '10.1.0.2' },
    service: null,
    fate: 'forward',
  });
});

test('a pod keeps its address', async (t) => {
  await using proxy = await openWeb();
  const report = await proxy.explain({ from: '10.1.0.9', to: '10.96.0.1', port: 80 });
  t.like(report, { interface: 'pods', scope: 'pod', masquerade: false });
  t.is(report.rewrite?.source, '10.1.0.9');
});

const REFUSED: [input: object, code: string, path: string][] = [
  [{}, 'ERR_OPTIONS', 'from'],
  [{ from: '10.0.0.9' }, 'ERR_OPTIONS', 'to'],
  [{ from: '10.0.0.9', to: 'fd00::1' }, 'ERR_OPTIONS', 'to'],
  [{ from: '10.0.0.9', to: '10.96.0.1', protocol: 'tcp' }, 'ERR_OPTIONS', 'protocol'],
  [{ from: '10.0.0.9', to: '10.96.0.1', protocol: 'TCP' }, 'ERR_OPTIONS', 'port'],
  [{ from: '10.0.0.9', to: '10.96.0.1', protocol: 'ICMP', port: 8 }, 'ERR_OPTIONS', 'port'],
  [{ from: '10.0.0.9', to: '10.96.0.1', port: 70_000 }, 'ERR_OPTIONS', 'port'],
  [{ from: '10.0.0.9', to: '10.96.0.1', fromPort: -1 }, 'ERR_OPTIONS', 'fromPort'],
  [{ from: '10.0.0.9', to: '10.96.0.1', interface: 'no' }, 'ERR_INTERFACE_UNKNOWN', 'name'],
  [{ from: '172.16.0.1', to: '10.96.0.1' }, 'ERR_OPTIONS', 'interface'],
  [{ frame: 'x', interface: 'up' }, 'ERR_OPTIONS', 'frame'],
  [{ frame: new Uint8Array(60) }, 'ERR_OPTIONS', 'interface'],
  [{ source: '10.0.0.9' }, 'ERR_OPTIONS', 'source'],
];

for (const [input, code, path] of REFUSED) {
  test(`explain refuses ${JSON.stringify(input)}`, async (t) => {
    await using proxy = await openWeb();
    const error = await t.throwsAsync(proxy.explain(input as ExplainInput), { code });
    t.is((error as Error & { path?: string }).path, path);
  });
}
