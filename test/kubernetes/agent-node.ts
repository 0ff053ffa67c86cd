// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RouteSpec } from '../../lib/index.js';
import { CLIENT, HOST, Namespaces, PODS, type Seat, seat } from '../e2e/namespaces.js';
import { ip, type Owner } from '../e2e/rig.js';
import { MAIN, RunningAgent } from '../support/cli.js';
import { ApiRelay } from './api-relay.js';
import {
  type ClusterKind,
  type ClusterOptions,
  startCluster,
  type TestCluster,
} from './cluster.js';
import type { Tree } from './server/objects.js';
import { apply, node, pod } from './workloads.js';

export { CLIENT, HOST };
/** A pod of this node that asks, and serves nothing. */
export const CUSTOMER = seat('customer', 'pod', '10.244.9', 'fd00:244:9');
/** Pods of this node that serve. */
export const [POD_1, POD_2] = PODS as [Seat, Seat];
/** A pod of another node. */
export const REMOTE = seat('remote', 'outside', '10.245.1', 'fd00:245:1');
const LOCAL_PODS = [CUSTOMER, POD_1, POD_2];
export const SEATS = [CLIENT, ...LOCAL_PODS, REMOTE];

export const NODE_NAME = 'n1';
export const OTHER_NODE = 'n2';
export const THIS_NODE = node({ name: NODE_NAME, addresses: [HOST.v4, HOST.v6] });
export const NAMESPACE = 'shop';
export const SERVICE_NETWORKS = ['10.96.0.0/16', 'fd00:10:96::/112'];
/** The remote pod has these addresses, too: what no service takes for its own gets there. */
export const BEYOND = { v4: '203.0.113.10', v6: '2001:db8:f::10' };
const BEYOND_NETWORKS = { v4: '203.0.113.0/24', v6: '2001:db8:f::/64' };
/** On each of which everybody who serves says who it is, over HTTP and UDP. */
export const PORTS = [80, 81];
/** Where pods send back what they get. */
export const LINES_PORT = 7000;

/** Whatever the agent's own configuration file may say besides. */
export type MoreConfiguration = Readonly<Record<string, unknown>>;

/** Who is around a node, and what the cluster knows of them when the agent starts. */
export interface Surroundings {
  /** Those that are behind taps. */
  readonly seats: readonly Seat[];
  /** Of them the pods of this node: `namespace/name`. */
  readonly pods: ReadonlyMap<Seat, string>;
  readonly routes: readonly RouteSpec[];
  /** Besides the node itself. */
  readonly objects: readonly Tree[];
}

const SHOP: Surroundings = {
  seats: SEATS,
  pods: new Map(LOCAL_PODS.map((each) => [each, `${NAMESPACE}/${each.name}`])),
  routes: [
    { prefix: BEYOND_NETWORKS.v4, via: REMOTE.v4, dev: REMOTE.name },
    { prefix: BEYOND_NETWORKS.v6, via: REMOTE.v6, dev: REMOTE.name },
  ],
  objects: [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    ...LOCAL_PODS.map(({ name, v4, v6 }) =>
      pod({ name, namespace: NAMESPACE, node: NODE_NAME, ips: [v4, v6], labels: { app: name } }),
    ),
  ],
};

/**
 * A node with `sluice agent` as a process in its network namespace, an API server, and around them pods, a
 * client and another node's pod in namespaces of their own. What the agent knows it has from the API server.
 */
export class AgentNode extends Namespaces {
  readonly cluster: TestCluster;
  readonly #owner: Owner;
  #agent!: RunningAgent;
  #api!: ApiRelay;

  /** For {@link open}. */
  constructor(owner: Owner, cluster: TestCluster) {
    super(owner);
    this.#owner = owner;
    this.cluster = cluster;
  }

  static async open<T extends AgentNode>(
    this: new (
      owner: Owner,
      cluster: TestCluster,
    ) => T,
    owner: Owner,
    kind: ClusterKind,
    options: ClusterOptions = {},
    configuration: MoreConfiguration = {},
  ): Promise<T> {
    const cluster = await startCluster(kind, { ...options, serviceCidrs: SERVICE_NETWORKS });
    owner.teardown(() => cluster.stop());
    const self = new this(owner, cluster);
    const { seats, objects } = self.surroundings;
    for (const { name } of [...seats, HOST]) self.addNamespace(name);
    self.#api = await ApiRelay.open(
      owner,
      self.namespace(HOST.name),
      Number(new URL(cluster.url).port),
    );
    await apply(cluster, THIS_NODE, ...objects);
    await self.startAgent(configuration);
    await self.populate();
    return self;
  }

  get surroundings(): Surroundings {
    return SHOP;
  }

  get agent(): RunningAgent {
    return this.#agent;
  }

  /** The agent's way to the API server. */
  get api(): ApiRelay {
    return this.#api;
  }

  kubectl(args: string | readonly string[], stdin?: object): Promise<string> {
    return this.cluster.kubectl(args, stdin);
  }

  /** Starts the agent and waits until it is in step with the API server. */
  async startAgent(more: MoreConfiguration = {}): Promise<void> {
    this.#agent = this.spawnAgent(more);
    await this.#agent.logged('in step with the API server');
    this.connect();
  }

  /** Starts an agent on the node. It is killed in the end, whatever happens. */
  spawnAgent(more: MoreConfiguration = {}): RunningAgent {
    const child = spawn(
      'ip',
      [
        ...['netns', 'exec', this.namespace(HOST.name), process.execPath, '--import=tsx', MAIN],
        ...['agent', '--config', this.#configure(more)],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#owner.teardown(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    });
    return new RunningAgent(child, this.#at('control'));
  }

  /** `sluice agent` with further words, to its end: standard output. */
  async agentCommand(...words: string[]): Promise<string> {
    const command = [
      process.execPath,
      '--import=tsx',
      MAIN,
      'agent',
      '--config',
      this.#configure(),
    ];
    return this.exec(HOST.name, [...command, ...words]);
  }

  /** What the agent says to those who measure it. */
  metrics(): Promise<string> {
    const url = 'http://127.0.0.1:10249/metrics';
    return this.exec(HOST.name, ['curl', '-sS', '--max-time', '10', url]);
  }

  /** Gives everybody its address: their devices come and go with the agent. */
  connect(): void {
    for (const each of this.surroundings.seats) this.configure(each);
    this.configureHost();
    this.connectMore();
  }

  /** Addresses that seats have besides their own. */
  protected connectMore(): void {
    const at = this.namespace(REMOTE.name);
    ip('-n', at, 'addr', 'replace', `${BEYOND.v4}/32`, 'dev', 'lo');
    ip('-n', at, '-6', 'addr', 'replace', `${BEYOND.v6}/128`, 'dev', 'lo', 'nodad');
  }

  /** Starts the programs. */
  protected async populate(): Promise<void> {
    await Promise.all([POD_1, POD_2, REMOTE, HOST].map(({ name }) => this.#serve(name)));
  }

  async #serve(name: string): Promise<void> {
    const script = (file: string) => fileURLToPath(new URL(`../e2e/${file}`, import.meta.url));
    const started = [
      [script('who-server.mjs'), name, ...PORTS.map(String)],
      [script('line-echo.mjs'), String(LINES_PORT)],
    ].map((words) => this.start(name, [process.execPath, ...words]));
    await Promise.all(started.map((child) => once(child.stdout!, 'data')));
  }

  #configure(more: MoreConfiguration = {}): string {
    const file = this.#at('agent.yaml');
    const { seats, pods, routes } = this.surroundings;
    const configuration = {
      apiVersion: 'sluice.dev/v1alpha1',
      kind: 'AgentConfiguration',
      clientConnection: { kubeconfig: this.cluster.kubeconfig },
      hostnameOverride: NODE_NAME,
      healthzBindAddress: '0.0.0.0:10256',
      logging: { level: 'debug' },
      engine: 'dpdk',
      interfaces: [
        ...seats.map((each) => ({
          ...this.tap(each),
          ...(pods.has(each) && { pod: pods.get(each), sources: [each.v4, each.v6] }),
        })),
        this.hostTap(),
      ],
      routes,
      node: { serviceNetworks: SERVICE_NETWORKS },
      control: this.#at('control'),
      lockFile: this.#at('lock'),
      ...more,
    };
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(configuration));
    return file;
  }

  #at(name: string): string {
    return join(this.folder, name);
  }
}
