// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { ServiceProxy } from '../../lib/index.js';
import { requires } from '../support/requires.js';
import { isAnswered, makeFolder, openProbed, startPeer, until } from './rig.js';

const dpdk = requires('the native addon', 'dpdk-testpmd');
const addon = requires('the native addon');
const two = requires('the native addon', 'two CPUs');

const WIRE = 'address=10.9.1.1/24';

for (const { ours, theirs, huge } of [
  { ours: 'server', theirs: 'role=client', huge: false },
  { ours: 'server', theirs: 'role=client,zero-copy=yes', huge: true },
  { ours: 'server', theirs: 'role=client,rsize=11,bsize=512', huge: false },
  { ours: 'client', theirs: 'role=server', huge: false },
]) {
  dpdk(`as ${ours} against DPDK's driver with ${theirs}`, async (t) => {
    t.timeout(60_000);
    const socket = `${makeFolder(t)}/wire.sock`;
    const peer = () => startResponder(t, `${theirs},socket=${socket}`, huge);
    if (ours === 'client') peer();
    const proxy = await openProbed(t, { memory: 128, mbufs: 8_192 });
    await proxy.interfaces.add(`memif:wire,role=${ours},socket=${socket},${WIRE}`);
    const child = ours === 'server' ? peer() : undefined;
    t.true(await isAnswered(proxy, '10.9.1.2'));
    if (child === undefined) return;
    child.kill('SIGKILL');
    t.true(await until(() => proxy.interfaces.get('wire')?.up === false), 'its end is noticed');
    peer();
    t.true(await isAnswered(proxy, '10.9.1.2'), 'the next one is served');
  });
}

addon('more interfaces than DPDK has places, on one socket', async (t) => {
  const folder = makeFolder(t);
  const proxy = await ServiceProxy.open({ engine: 'dpdk', memory: 128, mbufs: 8_192 });
  t.teardown(() => proxy.close());
  const socket = `${folder}/pods.sock`;
  for (let id = 0; id < 48; id++)
    await proxy.interfaces.add(`memif:pod-${id},socket=${socket},id=${id}`);
  for (let id = 0; id < 48; id++) {
    t.true(existsSync(socket));
    await proxy.interfaces.remove(`pod-${id}`);
  }
  t.false(existsSync(socket), 'the socket goes with the last one');
});

two('a peer of one queue serves an interface of two', async (t) => {
  t.timeout(60_000);
  const socket = `${makeFolder(t)}/wire.sock`;
  const proxy = await openProbed(t, { workers: 2, memory: 128, mbufs: 8_192 });
  await proxy.interfaces.add(`memif:wire,socket=${socket},${WIRE},queues=2,worker=1`);
  await startPeer(t, {
    interfaces: [`memif:wire,role=client,socket=${socket},address=10.9.1.2/24`],
    routes: ['10.9.0.0/24,via=10.9.1.1'],
  });
  t.true(await isAnswered(proxy, '10.9.1.2'), 'the other worker sends by the same ring');
});

/** A testpmd that answers ARP and echo requests for every address. */
function startResponder(t: ExecutionContext, device: string, huge: boolean): ChildProcess {
  const memory = huge ? ['--in-memory', '--single-file-segments'] : ['--no-huge', '--no-shconf'];
  const child = spawn(
    'dpdk-testpmd',
    [
      ...['--lcores', '0@0,1@0', ...memory, '-m', '128', '--no-pci', '--no-telemetry'],
      ...['--log-level', 'error', '--vdev', `net_memif0,id=0,socket-abstract=no,${device}`, '--'],
      ...['--forward-mode=icmpecho', '--auto-start', '--disable-link-check', '--no-mlockall'],
      '--total-num-mbufs=2048',
    ],
    { stdio: ['pipe', 'ignore', 'inherit'] },
  );
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
  return child;
}
