// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { requires } from '../support/requires.js';
import { CLIENT, seat } from './namespaces.js';
import { Node } from './node.js';
import { ip } from './rig.js';

const real = requires('the native addon', 'root', '/dev/net/tun', 'ip', 'curl', 'nginx', 'ethtool');

const POD = seat('veth-pod', 'pod', '10.245.1', 'fd00:245:1');
const SERVICE = { v4: '10.96.0.60', v6: 'fd00:96::60' };

/**
 * A kernel behind a veth leaves L4 checksums to a device that is not there. What it sends reaches
 * another kernel, which looks at them, through a service and masqueraded.
 */
real('af_packet: checksums that a veth peer leaves unfinished are finished', async (t) => {
  t.timeout(60_000);
  const node = await Node.open(t, [CLIENT]);
  const { proxy } = node;
  const pod = node.addNamespace(POD.name);
  const device = `slc${process.pid}`;
  ip('link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod);
  ip('link', 'set', device, 'up');
  // Segmentation would make frames longer than any that a wire carries; checksums stay offloaded.
  const off = ['tso', 'off', 'gso', 'off', 'gro', 'off'];
  execFileSync('ethtool', ['-K', device, ...off]);
  execFileSync('ip', ['netns', 'exec', pod, 'ethtool', '-K', 'eth0', ...off]);
  const features = execFileSync('ip', ['netns', 'exec', pod, 'ethtool', '-k', 'eth0'], {
    encoding: 'utf8',
  });
  t.regex(features, /tx-checksumming: on/, 'the peer leaves its checksums unfinished');
  node.configure(POD);
  await proxy.interfaces.add({
    kind: 'af_packet',
    name: 'veth',
    device,
    scope: 'pod',
    addresses: [`${POD.gateway4}/24`, `${POD.gateway6}/64`],
  });
  await proxy.apply({
    services: [
      {
        name: 'web',
        addresses: [SERVICE.v4, SERVICE.v6],
        ports: [
          {
            protocol: 'TCP',
            port: 80,
            backends: [
              { address: POD.v4, port: 80 },
              { address: POD.v6, port: 80 },
            ],
          },
        ],
      },
    ],
  });
  await node.startNginx(POD.name);
  t.deepEqual(await node.ask(CLIENT.name, `${SERVICE.v4}:80`), {
    who: POD.name,
    client: POD.gateway4,
  });
  t.deepEqual(await node.ask(CLIENT.name, `[${SERVICE.v6}]:80`), {
    who: POD.name,
    client: POD.gateway6,
  });
  // And the other way: the pod is the client of itself.
  t.deepEqual(await node.ask(POD.name, `${SERVICE.v4}:80`), {
    who: POD.name,
    client: POD.gateway4,
  });
});
