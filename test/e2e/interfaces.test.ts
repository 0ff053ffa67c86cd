// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { SluiceError } from '../../lib/index.js';
import { requires } from '../support/requires.js';
import {
  ip,
  isAnswered,
  makeFolder,
  makeNamespace,
  openProbed,
  startPeer,
  stopPeer,
  until,
} from './rig.js';

const native = requires('the native addon');
const privileged = requires('the native addon', 'root', '/dev/net/tun', 'ip');

privileged('tap: a kernel in a namespace answers', async (t) => {
  const netns = makeNamespace(t, 'tap');
  const proxy = await openProbed(t);
  const added = await proxy.interfaces.add(
    `tap:pod,netns=${netns},device=eth0,address=10.9.1.1/24`,
  );
  t.true(added.up);
  ip('-n', netns, 'addr', 'add', '10.9.1.2/24', 'dev', 'eth0');
  ip('-n', netns, 'route', 'add', 'default', 'via', '10.9.1.1');
  t.true(await isAnswered(proxy, '10.9.1.2'));
  await proxy.interfaces.remove('pod');
  t.false(ip('-n', netns, '-o', 'link').includes('eth0'), 'the device goes with the interface');
});

privileged('af_packet: a kernel behind a veth answers', async (t) => {
  const netns = makeNamespace(t, 'packet');
  const device = `slv${process.pid}`;
  ip('link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns);
  ip('link', 'set', device, 'up');
  ip('-n', netns, 'link', 'set', 'eth0', 'up');
  ip('-n', netns, 'addr', 'add', '10.9.1.2/24', 'dev', 'eth0');
  ip('-n', netns, 'route', 'add', 'default', 'via', '10.9.1.1');
  const proxy = await openProbed(t);
  await proxy.interfaces.add(`af_packet:uplink,device=${device},address=10.9.1.1/24`);
  t.true(await isAnswered(proxy, '10.9.1.2'));
});

const PAIRS = [
  { ours: 'memif:pod,role=server', theirs: 'memif:up,role=client' },
  { ours: 'memif:pod,role=client', theirs: 'memif:up,role=server' },
  { ours: 'vhost-user:pod,role=server', theirs: 'virtio-user:up' },
  { ours: 'virtio-user:pod', theirs: 'vhost-user:up,role=server' },
];
for (const { ours, theirs } of PAIRS) {
  native(`${ours} against ${theirs}: another process answers; it comes and goes`, async (t) => {
    t.timeout(60_000);
    const socket = `${makeFolder(t)}/pod.sock`;
    const peer = {
      interfaces: [`${theirs},socket=${socket},address=10.9.1.2/24`],
      routes: ['10.9.0.0/24,via=10.9.1.1'],
    };
    const proxy = await openProbed(t);
    const seen: string[] = [];
    proxy.on('interface', ({ name, change, up }) =>
      seen.push(`${name} ${change === 'link' ? (up ? 'up' : 'down') : change}`),
    );
    const weMakeTheSocket = ours.includes('role=server');
    let child = weMakeTheSocket ? null : await startPeer(t, peer);
    await proxy.interfaces.add(`${ours},socket=${socket},address=10.9.1.1/24`);
    if (weMakeTheSocket) t.is(proxy.interfaces.get('pod')?.up, false, 'nobody is there yet');
    child ??= await startPeer(t, peer);
    t.true(await until(() => proxy.interfaces.get('pod')?.up === true), 'the peer has come');
    t.true(await isAnswered(proxy, '10.9.1.2'));

    await stopPeer(child, 'SIGKILL');
    t.true(await until(() => proxy.interfaces.get('pod')?.up === false), 'the peer has gone');
    // A driver that connects while it is added is up from the start.
    t.true(['pod up', 'pod added'].includes(seen.at(-2)!));
    t.is(seen.at(-1), 'pod down');
    // DPDK's virtio-user does not connect again.
    if (ours.startsWith('virtio-user')) return;

    await startPeer(t, peer);
    t.true(await until(() => proxy.interfaces.get('pod')?.up === true), 'it has come back');
    t.true(await isAnswered(proxy, '10.9.1.2'));
  });
}

native("Node's threads stay unpinned, workers are pinned", async (t) => {
  await openProbed(t);
  const threads = readdirSync('/proc/self/task').map((id) => {
    const status = readFileSync(`/proc/self/task/${id}/status`, 'utf8');
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
    return { name: field('Name'), cpus: field('Cpus_allowed_list') };
  });
  const everywhere = cpus().length === 1 ? '0' : `0-${cpus().length - 1}`;
  const pinned = threads.filter(({ cpus }) => cpus !== everywhere);
  t.true(threads.some(({ name }) => name === 'sluice-control'));
  t.true(pinned.length >= 1 || cpus().length === 1);
  t.true(
    pinned.every(({ name }) => name.startsWith('rte-worker')),
    JSON.stringify(threads),
  );
});

const REFUSED = [
  ['virtio-user:v,socket=/nowhere/v.sock', 'ERR_INTERFACE', 'socket'],
  ['memif:m,socket=/nowhere/m.sock', 'ERR_INTERFACE', 'socket'],
  ['vhost-user:v,socket=/etc/passwd', 'ERR_INTERFACE', 'socket'],
  ['tap:t,netns=no-such-namespace', 'ERR_INTERFACE', 'netns'],
  ['af_packet:no-such-device', 'ERR_INTERFACE', 'device'],
  ['pcap:p,rx=/nowhere/in.pcap', 'ERR_INTERFACE', 'rx'],
] as const;
for (const [spec, code, path] of REFUSED) {
  native(`${spec} is refused and leaves nothing behind`, async (t) => {
    const proxy = await openProbed(t);
    const error = await t.throwsAsync(proxy.interfaces.add(spec), { instanceOf: SluiceError });
    t.is((error as SluiceError).code, code);
    t.true((error as SluiceError).path?.endsWith(path), (error as SluiceError).path);
    t.deepEqual(
      proxy.interfaces.list().map(({ name }) => name),
      ['probe'],
    );
    t.true(await isAnswered(proxy, '10.9.0.1'), 'the rest runs on');
  });
}
