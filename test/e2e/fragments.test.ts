// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { fragments, packet, read } from '../support/packets.js';
import { requires } from '../support/requires.js';
import { CLIENT, PODS } from './namespaces.js';
import { Node } from './node.js';

const real = requires('the native addon', 'root', '/dev/net/tun', 'ip');

const OURS = '02:00:00:00:0c:01';
const TESTER = { mac: '02:00:00:00:0c:02', v4: '198.51.100.2', v6: '2001:db8:99::2' };
const SERVICE = { v4: '10.96.0.50', v6: 'fd00:96::50' };
const [POD] = PODS;

/** A kernel puts together what came in any order, and answers in fragments that come back whole. */
real(
  'fragments of a 4,000-byte datagram in either order reach a kernel, and its answer comes back',
  async (t) => {
    const node = await Node.open(t, [CLIENT, POD!]);
    const { proxy } = node;
    await node.startEcho(POD!.name);
    await proxy.interfaces.add(
      `memory:tester,mac=${OURS},address=198.51.100.1/24,address=2001:db8:99::1/64`,
    );
    await proxy.apply({
      services: [
        {
          name: 'echo',
          addresses: [SERVICE.v4, SERVICE.v6],
          ports: [
            {
              protocol: 'UDP',
              port: 7,
              backends: [
                { address: POD!.v4, port: 7 },
                { address: POD!.v6, port: 7 },
              ],
            },
          ],
        },
      ],
      routes: [
        { prefix: `${TESTER.v4}/32`, dev: 'tester', mac: TESTER.mac },
        { prefix: `${TESTER.v6}/128`, dev: 'tester', mac: TESTER.mac },
      ],
    });
    const payload = Uint8Array.from({ length: 4_000 }, (_, i) => (i * 7) & 0xff);
    let port = 5_000;
    for (const family of ['v4', 'v6'] as const) {
      for (const order of ['forwards', 'backwards'] as const) {
        port += 1;
        const whole = packet().eth({ src: TESTER.mac, dst: OURS });
        if (family === 'v4') whole.ipv4({ src: TESTER.v4, dst: SERVICE.v4, id: port, fragment: 0 });
        else whole.ipv6({ src: TESTER.v6, dst: SERVICE.v6 });
        const parts = fragments(whole.udp({ src: port, dst: 7, payload }).build(), 1_500);
        t.true(parts.length >= 3);
        proxy.interfaces.send('tester', order === 'forwards' ? parts : parts.reverse());
        const bytes = await answer(node, 4_008);
        t.is(bytes, 4_008, `${family}, ${order}: UDP bytes that came back`);
      }
    }
    t.deepEqual(
      Object.keys(proxy.stats().fates.drops).filter((reason) => reason.startsWith('fragment')),
      [],
    );
  },
);

/** Bytes of UDP, header included, that come back from the service, in however many fragments. */
async function answer(node: Node, wanted: number): Promise<number> {
  let bytes = 0;
  for (let waited = 0; waited < 5_000 && bytes < wanted; waited += 10) {
    for (const frame of node.proxy.interfaces.receive('tester')) {
      const { ipv4, ipv6 } = read(frame);
      if (ipv4?.src === SERVICE.v4) bytes += frame.length - 34;
      if (ipv6?.src === SERVICE.v6) bytes += frame.length - 54 - 8; // all of them have a fragment header
    }
    await sleep(10);
  }
  return bytes;
}
