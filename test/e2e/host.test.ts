// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import type { InterfaceSpec, ProxyOptions, Service } from '../../lib/index.js';
import { requires } from '../support/requires.js';
import { ip, makeNamespace, stopPeer } from './rig.js';

const maybe = requires('the native addon', 'root', '/dev/net/tun', 'ip', 'ethtool', 'traceroute');
const run = promisify(execFile);

const NODE = '10.77.0.1';
const CLIENT = '10.77.0.2';
const POD = '10.244.1.2';
const NODE6 = 'fd77::1';
const CLIENT6 = 'fd77::2';
const HOST = '169.254.10.1';
const CLUSTER_IP = '10.96.0.10';
const SSH = 2222;
const NODE_PORT = 30_080;

/** A node with a NIC towards a client, and a pod on a tap; the node's own processes and Sluice share a kernel. */
class Scene {
  readonly node: string;
  readonly client: string;
  readonly pod: string;

  constructor(readonly t: ExecutionContext) {
    this.node = makeNamespace(t, 'node');
    this.client = makeNamespace(t, 'client');
    this.pod = makeNamespace(t, 'pod');
    ip(
      '-n',
      this.node,
      'link',
      'add',
      'eth0',
      'type',
      'veth',
      'peer',
      'eth0',
      'netns',
      this.client,
    );
    for (const [at, address, address6] of [
      [this.node, NODE, NODE6],
      [this.client, CLIENT, CLIENT6],
    ] as const) {
      ip('-n', at, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
      ip('-n', at, 'addr', 'add', `${address6}/64`, 'dev', 'eth0', 'nodad');
      ip('-n', at, 'link', 'set', 'eth0', 'up');
      this.#in(at, 'ethtool', '-K', 'eth0', 'tso', 'off', 'gso', 'off', 'gro', 'off');
    }
  }

  /** Sluice takes the NIC, as a program of the node. */
  async startSluice(): Promise<ChildProcess> {
    const interfaces: InterfaceSpec[] = [
      { kind: 'tap', name: 'sluice0', scope: 'host', addresses: [`${HOST}/32`] },
      {
        kind: 'tap',
        name: 'pod',
        netns: this.pod,
        device: 'eth0',
        scope: 'pod',
        addresses: ['10.244.1.1/24'],
      },
      {
        kind: 'af_packet',
        name: 'eth0',
        kernel: 'blind',
        addresses: [`${NODE}/24`, `${NODE6}/64`],
      },
    ];
    const node = { name: 'here', serviceNetworks: ['10.96.0.0/16'] };
    const options: ProxyOptions = { interfaces, node, memory: 64, mbufs: 4096 };
    const script = fileURLToPath(new URL('host-node.ts', import.meta.url));
    const sluice = this.start(this.node, [
      ...[process.execPath, '--import=tsx', script],
      ...[JSON.stringify(options), JSON.stringify([service(1)])],
    ]);
    await said(sluice, 'ready');
    // docs/reference/interfaces.md, "This node's own traffic".
    this.#in(this.node, 'sh', '-c', 'echo 2 >/proc/sys/net/ipv4/conf/sluice0/rp_filter');
    ip('-n', this.node, 'addr', 'add', '169.254.10.2/32', 'dev', 'sluice0');
    ip('-n', this.node, 'addr', 'add', `${NODE6}/128`, 'dev', 'sluice0', 'nodad');
    this.#routeToSluice(HOST, 'dev', 'sluice0');
    this.#routeToSluice('10.96.0.0/16', 'via', HOST, 'dev', 'sluice0');
    this.#routeToSluice('10.244.0.0/16', 'via', HOST, 'dev', 'sluice0');
    ip('-n', this.pod, 'addr', 'replace', `${POD}/24`, 'dev', 'eth0');
    ip('-n', this.pod, 'link', 'set', 'eth0', 'up');
    ip('-n', this.pod, 'route', 'replace', 'default', 'via', '10.244.1.1');
    return sluice;
  }

  start(at: string, command: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', at, ...command], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.t.teardown(() => stopPeer(child, 'SIGKILL'));
    return child;
  }

  async serve(at: string, port: number): Promise<void> {
    await said(
      this.start(at, [process.execPath, scriptOf('line-echo.mjs'), String(port)]),
      'ready',
    );
  }

  /** What a line that is sent to a server comes back as. */
  async ask(at: string, address: string, port: number): Promise<string> {
    const command = [process.execPath, scriptOf('line-ask.mjs'), address, String(port), 'hello'];
    const { stdout } = await run('ip', ['netns', 'exec', at, ...command], {
      timeout: 20_000,
    }).catch((error: { stdout: string }) => error);
    return stdout.trim();
  }

  /** Echo requests of the client to the node. */
  async trace(): Promise<void> {
    await run('ip', ['netns', 'exec', this.client, 'traceroute', '-I', '-n', NODE]);
  }

  /** A counter of a kernel, of /proc/net/snmp. */
  kernelCount(at: string, table: string, name: string): number {
    const command = ['netns', 'exec', at, 'cat', '/proc/net/snmp'];
    const text = execFileSync('ip', command, { encoding: 'utf8' });
    const [names = [], values = []] = text
      .split('\n')
      .filter((line) => line.startsWith(`${table}:`))
      .map((line) => line.split(' '));
    return Number(values[names.indexOf(name)]);
  }

  /** A client's connection to a process of the node, in use all the time. */
  async talk(): Promise<ChildProcess> {
    await this.serve(this.node, SSH);
    const command = [process.execPath, scriptOf('line-client.mjs'), NODE, String(SSH)];
    const talk = this.start(this.client, command);
    await said(talk, 'ready');
    return talk;
  }

  #routeToSluice(...route: string[]): void {
    ip('-n', this.node, 'route', 'replace', ...route, 'src', NODE);
  }

  #in(at: string, ...command: string[]): void {
    execFileSync('ip', ['netns', 'exec', at, ...command], { stdio: 'ignore' });
  }
}

const scriptOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

function service(weight: number): Service {
  return {
    name: 'web',
    addresses: [CLUSTER_IP],
    ports: [
      {
        protocol: 'TCP',
        port: 80,
        nodePort: NODE_PORT,
        backends: [{ address: POD, port: 8080, weight }],
      },
    ],
  };
}

const printed = new WeakMap<ChildProcess, AsyncIterator<string>>();

/** The next line that a process prints. */
async function nextLine(child: ChildProcess): Promise<string> {
  const lines =
    printed.get(child) ?? createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  printed.set(child, lines);
  const { value, done } = await lines.next();
  return done ? 'nothing: it has ended' : value;
}

async function said(child: ChildProcess, what: string): Promise<void> {
  const line = await nextLine(child);
  if (line !== what) throw new Error(`expected ${what}, found ${line}`);
}

async function commits(sluice: ChildProcess, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    sluice.stdin!.write(`${JSON.stringify({ services: [service(1 + (n % 5))] })}\n`);
    await said(sluice, 'done');
    await sleep(20);
  }
}

async function endOf(t: ExecutionContext, talk: ChildProcess): Promise<void> {
  const line = nextLine(talk);
  talk.stdin!.end();
  const { sent, ...rest } = JSON.parse(await line);
  t.deepEqual(rest, { received: sent, inOrder: true, broken: null });
  t.true(sent > 500, `${sent} lines`);
}

maybe('a connection to the node lives through start, commits and end of Sluice', async (t) => {
  t.timeout(120_000);
  const scene = new Scene(t);
  const talk = await scene.talk();
  await sleep(300);
  const sluice = await scene.startSluice();
  await sleep(1_000);
  await commits(sluice, 20);
  t.is(await scene.ask(scene.client, NODE, SSH), 'hello', 'a new connection meanwhile');
  sluice.stdin!.write('stats\n');
  const { workers } = JSON.parse(await nextLine(sluice));
  t.true(workers[0].host > 100, `${workers[0].host} packets to the host`);
  sluice.stdin!.end();
  await once(sluice, 'exit');
  await sleep(500);
  t.is(await scene.ask(scene.client, NODE, SSH), 'hello');
  await endOf(t, talk);
});

maybe('a connection to the node lives through the sudden death of Sluice', async (t) => {
  t.timeout(120_000);
  const scene = new Scene(t);
  const talk = await scene.talk();
  const sluice = await scene.startSluice();
  await sleep(500);
  sluice.kill('SIGKILL');
  await once(sluice, 'exit');
  await sleep(500);
  t.is(await scene.ask(scene.client, NODE, SSH), 'hello');
  await endOf(t, talk);
});

maybe('services from the node, node ports on its NIC, and one answer to each echo', async (t) => {
  t.timeout(120_000);
  const scene = new Scene(t);
  await scene.startSluice();
  await scene.serve(scene.pod, 8080);
  t.is(await scene.ask(scene.node, CLUSTER_IP, 80), 'hello', 'a process of the node to a service');
  t.is(await scene.ask(scene.node, POD, 8080), 'hello', 'and to a pod');
  await scene.serve(scene.client, 2223);
  await scene.serve(scene.node, SSH);
  for (const [node, client] of [
    [NODE, CLIENT],
    [NODE6, CLIENT6],
  ] as const) {
    ip('-n', scene.node, 'neigh', 'flush', 'dev', 'eth0');
    t.is(await scene.ask(scene.node, client, 2223), 'hello', 'by the NIC, from the node');
    t.is(await scene.ask(scene.client, node, SSH), 'hello', 'and to it');
  }
  const resets = scene.kernelCount(scene.node, 'Tcp', 'OutRsts');
  for (let n = 0; n < 10; n++) t.is(await scene.ask(scene.client, NODE, NODE_PORT), 'hello');
  t.is(scene.kernelCount(scene.node, 'Tcp', 'OutRsts'), resets, 'the kernel has refused none');
  t.is(await scene.ask(scene.client, NODE, 9), `connect ECONNREFUSED ${NODE}:9`);
  await scene.trace();
  const asked = scene.kernelCount(scene.client, 'Icmp', 'OutEchos');
  t.true(asked > 0);
  t.is(scene.kernelCount(scene.client, 'Icmp', 'InEchoReps'), asked, 'one answer to each echo');
  t.is(scene.kernelCount(scene.node, 'Icmp', 'InEchos'), 0, 'and none by the kernel');
});
