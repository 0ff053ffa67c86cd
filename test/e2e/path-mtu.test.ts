// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { requires } from '../support/requires.js';
import { CLIENT, PODS, type Seat } from './namespaces.js';
import { Node } from './node.js';
import { ip } from './rig.js';

const real = requires('the native addon', 'root', '/dev/net/tun', 'ip', 'curl', 'nginx');

const SERVICE = { v4: '10.96.0.30', v6: 'fd00:96::30' };
const BACKEND = { v4: '10.250.0.2', v6: 'fd00:250::2' };
const MTU = 1_300;

/**
 * A backend behind a router whose link carries 1,300 bytes, while the backend announces a segment
 * size for 1,500: only ICMP errors that are translated outside and inside tell the client.
 */
real('path MTU discovery through a service, IPv4 and IPv6, masqueraded or not', async (t) => {
  t.timeout(120_000);
  const [router] = PODS;
  const node = await Node.open(t, [CLIENT, PODS[1]!, router!]);
  addNarrowLink(node, router!);
  await node.proxy.apply({
    services: [
      {
        name: 'narrow',
        addresses: [SERVICE.v4, SERVICE.v6],
        ports: [
          {
            protocol: 'TCP',
            port: 80,
            backends: [
              { address: BACKEND.v4, port: 80 },
              { address: BACKEND.v6, port: 80 },
            ],
          },
        ],
      },
    ],
    routes: [
      { prefix: '10.250.0.0/24', via: router!.v4 },
      { prefix: 'fd00:250::/64', via: router!.v6 },
    ],
  });
  await node.startNginx('backend');
  for (const from of [CLIENT.name, PODS[1]!.name]) {
    for (const address of [SERVICE.v4, SERVICE.v6]) {
      const host = address.includes(':') ? `[${address}]` : address;
      const sent = await node.exec(from, [
        ...[
          'curl',
          '-sS',
          '--max-time',
          '20',
          '-o',
          '/dev/null',
          '-w',
          '%{http_code} %{size_upload}',
        ],
        ...['-H', 'Expect:', '--data-binary', `@${bigFile(node)}`, `http://${host}/`],
      ]);
      t.regex(sent, /^(200|405) 300000$/, `${from} to ${address}`);
      const route = ip('-n', node.namespace(from), 'route', 'get', address);
      t.regex(route, new RegExp(`mtu ${MTU}`), `${from} has learned the MTU towards ${address}`);
    }
  }
  t.true(node.proxy.stats().workers.some(({ related }) => related >= 4));
});

function addNarrowLink(node: Node, router: Seat): void {
  const backend = node.addNamespace('backend');
  const at = node.namespace(router.name);
  ip(
    'link',
    'add',
    'narrow',
    'netns',
    at,
    'mtu',
    String(MTU),
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    backend,
    'mtu',
    String(MTU),
  );
  for (const [where, device, v4, v6] of [
    [at, 'narrow', '10.250.0.1/24', 'fd00:250::1/64'],
    [backend, 'eth0', `${BACKEND.v4}/24`, `${BACKEND.v6}/64`],
  ] as const) {
    ip('-n', where, 'addr', 'add', v4, 'dev', device);
    ip('-n', where, '-6', 'addr', 'add', v6, 'dev', device, 'nodad');
    ip('-n', where, 'link', 'set', device, 'up');
  }
  // The segment size that a backend behind a wide link would announce.
  ip('-n', backend, 'route', 'add', 'default', 'via', '10.250.0.1', 'advmss', '1460');
  ip('-n', backend, '-6', 'route', 'add', 'default', 'via', 'fd00:250::1', 'advmss', '1440');
  execFileSync('ip', [
    ...['netns', 'exec', at, 'sh', '-c'],
    'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding',
  ]);
}

function bigFile(node: Node): string {
  const file = `${node.folder}/big`;
  execFileSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=100000', 'count=3', 'status=none']);
  return file;
}
