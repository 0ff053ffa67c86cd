// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { DropReason } from '../../lib/engine/reasons.js';
import type { ServiceProxy } from '../../lib/index.js';
import { parseRouteSpec } from '../../lib/model/route-spec.js';
import { requires } from '../support/requires.js';
import { CLIENT, PODS, type Seat, seat } from './namespaces.js';
import { Node } from './node.js';
import { ip, isAnswered, PROBE, startPeer, TESTER_ROUTE } from './rig.js';

const real = requires('the native addon', 'root', '/dev/net/tun', 'ip', 'curl');

const [POD] = PODS as [Seat];
const VNI = '42';
/** Behind the kernel's VXLAN device, and ours. */
const OVERLAY = { ours: ['10.50.0.1/24', 'fd50::1/64'], v4: '10.50.0.2', v6: 'fd50::2' } as const;
const UPLOAD = 2_000_000;

for (const outer of ['IPv4', 'IPv6'] as const) {
  real(`VXLAN over ${outer} with the kernel's own device: echo, and TCP both ways`, async (t) => {
    t.timeout(120_000);
    const node = await Node.open(t, [CLIENT, POD]);
    await node.proxy.interfaces.add(PROBE);
    await node.proxy.apply({ services: [], routes: [parseRouteSpec(TESTER_ROUTE, 'routes')] });
    addKernelDevice(node, outer);
    const [local, remote] =
      outer === 'IPv4' ? [CLIENT.gateway4, CLIENT.v4] : [CLIENT.gateway6, CLIENT.v6];
    await node.proxy.interfaces.add({
      kind: 'vxlan',
      name: 'overlay',
      local,
      remote,
      vni: Number(VNI),
      addresses: OVERLAY.ours,
    });
    for (const name of [CLIENT.name, POD.name]) await startSink(node, name);
    t.true(await isAnswered(node.proxy, OVERLAY.v4), 'an echo request is answered');
    for (const target of [OVERLAY.v4, OVERLAY.v6]) await upload(t, node, POD.name, target);
    for (const target of [POD.v4, POD.v6]) await upload(t, node, CLIENT.name, target);
    t.is(dropsOf(node.proxy, 'mtu_exceeded'), 0, 'segments fit');
    const { rxPackets, txPackets } = node.proxy.interfaces.get('overlay')!;
    t.true(rxPackets > 1_000 && txPackets > 1_000, 'all of it went through the tunnel');
  });
}

const FAR = seat('far', 'outside', '10.60.0', 'fd60:0:0:0');
const WIRE = {
  IPv4: { ours: '10.9.1.1', theirs: '10.9.1.2', length: 24 },
  IPv6: { ours: 'fd09::1', theirs: 'fd09::2', length: 64 },
} as const;

for (const { kind, outer, more } of [
  { kind: 'gre', outer: 'IPv4', more: { key: 'flow' } },
  { kind: 'gre', outer: 'IPv6', more: {} },
  { kind: 'ipip', outer: 'IPv4', more: {} },
  { kind: 'ipip', outer: 'IPv6', more: {} },
] as const) {
  real(`${kind} over ${outer} between two Sluices: TCP both ways fits`, async (t) => {
    t.timeout(120_000);
    const node = await Node.open(t, [POD]);
    const far = node.addNamespace(FAR.name);
    const { ours, theirs, length } = WIRE[outer];
    const socket = `${node.folder}/wire.sock`;
    await node.proxy.apply({
      services: [],
      interfaces: [
        node.tap(POD),
        { kind: 'memif', name: 'wire', socket, addresses: [`${ours}/${length}`] },
        { kind, name: 'tunnel', local: ours, remote: theirs, ...more },
      ],
      routes: [
        { prefix: '10.60.0.0/24', dev: 'tunnel' },
        { prefix: 'fd60::/64', dev: 'tunnel' },
      ],
    });
    await startPeer(t, {
      interfaces: [
        { ...node.tap(FAR), netns: far },
        {
          kind: 'memif',
          name: 'wire',
          socket,
          role: 'client',
          addresses: [`${theirs}/${length}`],
        },
        { kind, name: 'tunnel', local: theirs, remote: ours, ...more },
      ],
      routes: [
        { prefix: '10.244.1.0/24', dev: 'tunnel' },
        { prefix: 'fd00:244:1::/64', dev: 'tunnel' },
      ],
    });
    node.configure(FAR);
    for (const name of [POD.name, FAR.name]) await startSink(node, name);
    for (const target of [FAR.v4, FAR.v6]) await upload(t, node, POD.name, target);
    for (const target of [POD.v4, POD.v6]) await upload(t, node, FAR.name, target);
    t.is(dropsOf(node.proxy, 'mtu_exceeded'), 0, 'segments fit');
    t.true(node.proxy.interfaces.get('tunnel')!.txPackets > 1_000);
  });
}

/** In the client's namespace, over the tap that leads to us. */
function addKernelDevice(node: Node, outer: 'IPv4' | 'IPv6'): void {
  const at = node.namespace(CLIENT.name);
  const [local, remote] =
    outer === 'IPv4' ? [CLIENT.v4, CLIENT.gateway4] : [CLIENT.v6, CLIENT.gateway6];
  ip(
    ...['-n', at, 'link', 'add', 'vx', 'mtu', outer === 'IPv4' ? '1450' : '1430'],
    ...['type', 'vxlan', 'id', VNI, 'local', local, 'remote', remote],
    ...['dstport', '4789', 'dev', 'eth0', 'udp6zerocsumtx', 'udp6zerocsumrx'],
  );
  ip('-n', at, 'addr', 'add', `${OVERLAY.v4}/24`, 'dev', 'vx');
  ip('-n', at, '-6', 'addr', 'add', `${OVERLAY.v6}/64`, 'dev', 'vx', 'nodad');
  ip('-n', at, 'link', 'set', 'vx', 'up');
  ip('-n', at, 'route', 'add', '10.244.1.0/24', 'via', '10.50.0.1');
  ip('-n', at, 'route', 'add', '10.9.0.0/24', 'via', '10.50.0.1');
  ip('-n', at, '-6', 'route', 'add', 'fd00:244:1::/64', 'via', 'fd50::1');
}

async function startSink(node: Node, at: string): Promise<void> {
  const script = fileURLToPath(new URL('http-sink.mjs', import.meta.url));
  await once(node.start(at, [process.execPath, script]).stdout!, 'data');
}

/** Sends a file; the answer comes when all of it has come. */
async function upload(t: ExecutionContext, node: Node, from: string, to: string): Promise<void> {
  const file = `${node.folder}/upload`;
  execFileSync('dd', ['if=/dev/zero', `of=${file}`, `bs=${UPLOAD}`, 'count=1', 'status=none']);
  const host = to.includes(':') ? `[${to}]` : to;
  const answer = await node.exec(from, [
    ...['curl', '-sS', '--max-time', '20'],
    ...['-H', 'Expect:', '--data-binary', `@${file}`, `http://${host}/`],
  ]);
  t.is(answer, String(UPLOAD), `${from} to ${to}`);
}

function dropsOf(proxy: ServiceProxy, reason: DropReason): number {
  return proxy.stats().workers.reduce((sum, { drops }) => sum + (drops[reason] ?? 0), 0);
}
