// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { type ProxyOptions, ServiceProxy, type WorkerStats } from '../../lib/index.js';
import { packet, read } from '../support/packets.js';

/** Where test traffic enters and leaves: a memory interface of the proxy under test. */
export const PROBE = 'memory:probe,address=10.9.0.1/24,mac=02:00:00:00:09:01';
const PROBE_MAC = '02:00:00:00:09:01';
const TESTER = { address: '10.9.0.2', mac: '02:00:00:00:09:02' };
/** The way back to {@link PROBE}'s far side. */
export const TESTER_ROUTE = `${TESTER.address}/32,dev=probe,mac=${TESTER.mac}`;

/** A proxy on the native engine with a probe; closed when the test ends. */
export async function openProbed(
  t: ExecutionContext,
  options: ProxyOptions = {},
): Promise<ServiceProxy> {
  const proxy = await ServiceProxy.open({
    engine: 'dpdk',
    ...options,
    interfaces: [PROBE, ...(options.interfaces ?? [])],
    routes: [TESTER_ROUTE, ...(options.routes ?? [])],
  });
  t.teardown(() => proxy.close());
  return proxy;
}

/** Sends ICMP echo requests until one is answered, or `ms` have passed. */
export async function isAnswered(
  proxy: ServiceProxy,
  target: string,
  ms = 10_000,
): Promise<boolean> {
  const deadline = Date.now() + ms;
  for (let seq = 1; Date.now() < deadline; seq++) {
    const request = packet()
      .eth({ src: TESTER.mac, dst: PROBE_MAC })
      .ipv4({ src: TESTER.address, dst: target })
      .icmpEcho({ id: 77, seq, payload: 'are you there?' })
      .build();
    proxy.interfaces.send('probe', [request]);
    for (let wait = 0; wait < 20; wait++) {
      await sleep(10);
      for (const frame of proxy.interfaces.receive('probe')) {
        const reply = read(frame);
        if (reply.icmp?.type === 0 && reply.ipv4?.src === target) return true;
      }
    }
  }
  return false;
}

/** A second Sluice process; ended when the test ends. */
export async function startPeer(t: ExecutionContext, options: ProxyOptions): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('peer.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--import=tsx', script, JSON.stringify({ memory: 64, mbufs: 4096, ...options })],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  t.teardown(() => stopPeer(child));
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(() => ['ended']);
  const [first] = await Promise.race([once(lines, 'line'), ended]);
  if (first !== 'ready') throw new Error(`the peer did not start: ${first}`);
  return child;
}

/** Ends a peer by its own means, or by force after five seconds. */
export async function stopPeer(child: ChildProcess, signal?: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  if (signal === undefined) child.stdin?.end();
  else child.kill(signal);
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await exited;
  clearTimeout(late);
}

/** Who ends what was started for it: a test, or all tests of a file. */
export type Owner = Pick<ExecutionContext, 'teardown'>;

/** A network namespace with a name of its own; deleted when the test ends. */
export function makeNamespace(t: Owner, name: string): string {
  const unique = `sl${process.pid}-${name}`;
  ip('netns', 'add', unique);
  t.teardown(() => ip('netns', 'del', unique));
  ip('-n', unique, 'link', 'set', 'lo', 'up');
  return unique;
}

export function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', timeout: 10_000 });
}

/** Packets of a worker that have come in and have no fate: 0, or something is wrong. */
export function unaccounted(worker: WorkerStats): number {
  const { forwarded, answered, host, dropped, held, handedOut } = worker;
  const fates = forwarded + answered + host + dropped + held + handedOut;
  return worker.rx + worker.handedIn - fates;
}

/** A folder for sockets; removed when the test ends. */
export function makeFolder(t: Owner): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-e2e-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Waits until `condition` holds, at most `ms`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  ms = 10_000,
): Promise<boolean> {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) return false;
    await sleep(10);
  }
  return true;
}
