// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { stringify } from 'yaml';
import { callAgent } from '../../lib/cli/control/client.js';
import type { FlowView, InterfaceView } from '../../lib/index.js';
import { RunningAgent } from '../support/cli.js';
import { ip, makeFolder, makeNamespace } from './rig.js';

/**
 * Addresses of services: one that keeps clients' addresses, one that may choose any node's endpoints, and
 * one with a single endpoint, since iperf3 opens two connections to one server.
 */
export const VIP = {
  local: '203.0.113.10',
  cluster: '203.0.113.11',
  iperf: '203.0.113.12',
} as const;
export const CLIENT = '198.51.100.2';
const SMALL = { memory: 64, mbufs: 4_096, flows: 8_192, flows6: 64 };

/**
 * A router, two balancers and nodes, each a `sluice run` with a configuration file, and a pod behind each
 * node. Everybody is on a memif of the router's; the client is on its tap.
 */
export class Roles {
  readonly folder: string;
  readonly #agents = new Map<string, RunningAgent>();
  readonly #namespaces = new Map<string, string>();
  readonly #t: ExecutionContext;

  constructor(t: ExecutionContext) {
    this.#t = t;
    this.folder = makeFolder(t);
  }

  /** Starts all agents, with `nodes` of the three nodes in the manifests. */
  async start(nodes: number): Promise<void> {
    for (const name of ['client', 'pod-1', 'pod-2', 'pod-3'])
      this.#namespaces.set(name, makeNamespace(this.#t, name));
    this.putManifests(nodes);
    await this.#run('router', this.#router());
    await Promise.all([
      ...[1, 2].map((n) => this.startBalancer(n)),
      ...[1, 2, 3].map((n) => this.#run(`node-${n}`, this.#node(n))),
    ]);
    this.#configure('client', CLIENT, '198.51.100.1');
    for (const n of [1, 2, 3]) this.#configure(`pod-${n}`, `10.244.${n}.2`, `10.244.${n}.1`);
    await Promise.all([1, 2, 3].map((n) => this.#serve(`pod-${n}`)));
  }

  startBalancer(n: number): Promise<void> {
    return this.#run(`lb-${n}`, {
      balancer: { tunnel: 'gre', key: 'flow', local: `10.0.${n}.2` },
      ...this.#attached(`lb-${n}`, n),
      node: { serviceNetworks: ['203.0.113.0/24'] },
    });
  }

  /** Services, slices and nodes, for everybody; those who run read them again. */
  putManifests(nodes: number): void {
    const numbers = Array.from({ length: nodes }, (_, i) => i + 1);
    const objects = [
      ...numbers.map((n) => ({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: `node-${n}` },
        spec: { podCIDR: `10.244.${n}.0/24` },
        status: { addresses: [{ type: 'InternalIP', address: `10.0.1${n}.2` }] },
      })),
      ...service('local', '10.96.0.10', 'Local', 80, numbers),
      ...service('cluster', '10.96.0.11', 'Cluster', 80, numbers),
      ...service('iperf', '10.96.0.12', 'Local', 5201, [1]),
    ];
    writeFileSync(`${this.folder}/cluster.yaml`, objects.map((o) => stringify(o)).join('---\n'));
  }

  agent(name: string): RunningAgent {
    return this.#agents.get(name)!;
  }

  async get<T>(name: string, resource: string): Promise<T> {
    return (await callAgent(this.agent(name).control, 'GET', `/v1/${resource}`)) as T;
  }

  /** The flows of an agent, by the client's port. */
  async flows(name: string): Promise<Map<number, FlowView>> {
    const flows = await this.get<FlowView[]>(name, 'flows?limit=100000');
    return new Map(flows.map((flow) => [flow.clientPort, flow]));
  }

  async interface(agent: string, name: string): Promise<InterfaceView | undefined> {
    const all = await this.get<InterfaceView[]>(agent, 'interfaces');
    return all.find((each) => each.name === name);
  }

  /** Runs a program in a namespace; ended by its own pid when the test ends. */
  spawn(at: string, ...command: string[]): ChildProcess {
    const words = ['netns', 'exec', this.#namespaces.get(at)!, ...command];
    const child = spawn('ip', words, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#t.teardown(() => child.kill('SIGKILL'));
    return child;
  }

  holdConnections(): HeldConnections {
    return new HeldConnections(this.spawn('client', process.execPath, scriptOf('held-client.mjs')));
  }

  async #serve(pod: string): Promise<void> {
    const child = this.spawn(pod, process.execPath, scriptOf('who-server.mjs'), pod);
    await once(child.stdout!, 'data');
  }

  #router(): object {
    const peers = ['lb-1', 'lb-2', 'node-1', 'node-2', 'node-3'];
    return {
      manifests: [],
      interfaces: [
        this.#tap('client', 'outside', '198.51.100.1/24'),
        ...peers.map((name) => {
          const socket = `${this.folder}/${name}.sock`;
          const address = `10.0.${numberOf(name)}.1/24`;
          return { kind: 'memif', name, socket, role: 'server', addresses: [address] };
        }),
      ],
      routes: [
        '203.0.113.0/24,via=10.0.1.2,via=10.0.2.2',
        ...[1, 2, 3].map((n) => `10.244.${n}.0/24,via=10.0.1${n}.2`),
      ],
    };
  }

  #node(n: number): object {
    const { interfaces, ...rest } = this.#attached(`node-${n}`, 10 + n);
    const local = `10.0.1${n}.2`;
    return {
      ...rest,
      interfaces: [
        ...interfaces,
        this.#tap(`pod-${n}`, 'pod', `10.244.${n}.1/24`),
        { kind: 'gre', name: 'from-lb', local, peers: ['10.0.1.2/32', '10.0.2.2/32'], key: 'flow' },
      ],
      node: { name: `node-${n}`, podNetworks: [`10.244.${n}.0/24`] },
    };
  }

  /** On a link of its own to the router, where everything else is. */
  #attached(name: string, link: number) {
    const socket = `${this.folder}/${name}.sock`;
    const addresses = [`10.0.${link}.2/24`];
    return {
      manifests: ['cluster.yaml'],
      interfaces: [{ kind: 'memif', name: 'up', socket, role: 'client', addresses }] as object[],
      routes: [`default,via=10.0.${link}.1`],
    };
  }

  #tap(name: string, scope: string, address: string): object {
    const netns = this.#namespaces.get(name)!;
    return { kind: 'tap', name, netns, device: 'eth0', scope, addresses: [address] };
  }

  async #run(name: string, config: object): Promise<void> {
    const file = `${this.folder}/${name}.yaml`;
    writeFileSync(file, stringify({ engine: 'dpdk', ...config, options: SMALL }));
    const control = `${this.folder}/${name}.control`;
    this.#agents.set(name, await RunningAgent.start(this.#t, ['--config', file], control));
  }

  #configure(at: string, address: string, gateway: string): void {
    const netns = this.#namespaces.get(at)!;
    ip('-n', netns, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', netns, 'link', 'set', 'eth0', 'up');
    ip('-n', netns, 'route', 'add', 'default', 'via', gateway);
  }
}

/** What was answered, by the client's port: `POD CLIENT`, or `error: WHY`. */
export type Answers = Map<number, string>;

/** Connections of a client that stay open. */
export class HeldConnections {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  /** Opens connections to port 80, and asks by each of them. */
  open(count: number, address: string): Promise<Answers> {
    return this.#order(`open ${count} ${address}`);
  }

  /** Asks once more by the first connections. */
  ask(count: number): Promise<Answers> {
    return this.#order(`ask ${count}`);
  }

  async #order(line: string): Promise<Answers> {
    this.#child.stdin!.write(`${line}\n`);
    const { value } = await this.#lines.next();
    return new Map(JSON.parse(value as string) as [number, string][]);
  }
}

function service(
  name: keyof typeof VIP,
  clusterIP: string,
  externalTrafficPolicy: string,
  port: number,
  nodes: readonly number[],
): object[] {
  const ports = [{ port }];
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { type: 'LoadBalancer', clusterIP, externalTrafficPolicy, ports },
      status: { loadBalancer: { ingress: [{ ip: VIP[name] }] } },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports,
      endpoints: nodes.map((n) => ({ addresses: [`10.244.${n}.2`], nodeName: `node-${n}` })),
    },
  ];
}

function numberOf(name: string): number {
  const n = Number(name.slice(-1));
  return name.startsWith('node') ? 10 + n : n;
}

function scriptOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
