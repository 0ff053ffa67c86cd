// SPDX-License-Identifier: Apache-2.0
import { requires } from '../support/requires.js';
import { CLIENT, PODS, type Seat } from './namespaces.js';
import { Node } from './node.js';

const real = requires('the native addon', 'root', '/dev/net/tun', 'ip', 'traceroute', 'tracepath');

const NARROW_MTU = 1_300;
const [POD, NARROW] = PODS as [Seat, Seat, ...Seat[]];

/** The client, a pod, and a pod whose link carries 1,300 bytes. */
async function openNode(t: Parameters<typeof Node.open>[0]): Promise<Node> {
  const node = await Node.open(t, [CLIENT, POD]);
  node.addNamespace(NARROW.name);
  const taps = [CLIENT, POD, NARROW].map((each) => node.tap(each));
  await node.proxy.apply({
    interfaces: taps.map((tap) => (tap.name === NARROW.name ? { ...tap, mtu: NARROW_MTU } : tap)),
  });
  node.configure(NARROW);
  return node;
}

/** Addresses of the hops, in their order. */
function hopsOf(output: string): string[] {
  return [...output.matchAll(/^ *\d+ +([0-9a-f.:]+) /gm)].map(([, address]) => address!);
}

real('traceroute sees the proxy as a hop, by UDP and ICMP, IPv4 and IPv6', async (t) => {
  t.timeout(180_000);
  const node = await openNode(t);
  const ends = [
    { from: CLIENT, to: POD },
    { from: POD, to: CLIENT },
  ];
  for (const { from, to } of ends) {
    for (const mode of [[], ['-I']]) {
      for (const [family, target, gateway] of [
        ['-4', to.v4, from.gateway4],
        ['-6', to.v6, from.gateway6],
      ] as const) {
        // One probe at a time, so that the neighbours are known before the second one.
        const command = ['traceroute', family, '-n', '-q', '2', '-N', '1', '-w', '3', ...mode];
        const output = await node.exec(from.name, [...command, target], 60_000);
        t.deepEqual(hopsOf(output), [gateway, target], `${command.join(' ')}\n${output}`);
      }
    }
  }
  const [worker] = node.proxy.stats().workers;
  t.true(worker!.originated >= 16, `${worker!.originated}`);
});

real('tracepath finds the smaller MTU behind the proxy, IPv4 and IPv6', async (t) => {
  t.timeout(120_000);
  const node = await openNode(t);
  for (const [family, target, gateway] of [
    ['-4', NARROW.v4, CLIENT.gateway4],
    ['-6', NARROW.v6, CLIENT.gateway6],
  ] as const) {
    const output = await node.exec(CLIENT.name, ['tracepath', family, '-n', target], 60_000);
    t.regex(output, new RegExp(`^ *1: +${gateway} `, 'm'), output);
    t.regex(output, new RegExp(` ${gateway} .*pmtu ${NARROW_MTU}`), output);
    t.regex(output, new RegExp(`^ *2: +${target} .*reached`, 'm'), output);
    t.regex(output, new RegExp(`Resume: pmtu ${NARROW_MTU} hops 2 back 2`), output);
  }
});
