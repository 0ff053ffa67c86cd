// SPDX-License-Identifier: Apache-2.0
import type { Seat } from '../e2e/namespaces.js';
import { ip, type Owner } from '../e2e/rig.js';
import type { Cluster, PodManifest, PolicyManifest } from '../support/policy-oracle.js';
import {
  addressesOf,
  manifestOf,
  NAMESPACE_NAMES,
  NAMESPACES,
  PARTIES,
  POD_NAMES,
  PODS,
  PORTS,
} from '../support/policy-world.js';
import {
  AgentNode,
  HOST,
  type MoreConfiguration,
  NODE_NAME,
  OTHER_NODE,
  type Surroundings,
} from './agent-node.js';
import type { TestCluster } from './cluster.js';
import { Parties } from './parties.js';
import type { Tree } from './server/objects.js';
import { apply, clusterNetworkPolicies, slice } from './workloads.js';

/** `x-a`: the place of pod a of namespace x. */
export const placeOf = (namespace: string, pod: string) => `${namespace}-${pod}`;

/** The nine pods of policy-world.ts, each behind a tap and without a network but its own addresses. */
const POD_SEATS = new Map<Seat, string>(
  NAMESPACE_NAMES.flatMap((namespace, n) =>
    POD_NAMES.map((pod, p): [Seat, string] => {
      const [v4, v6] = addressesOf(namespace, pod);
      const name = placeOf(namespace, pod);
      const [gateway4, gateway6] = [`169.254.${n + 1}.${p + 1}`, `fd16:${n + 1}::${p + 1}`];
      return [{ name, scope: 'pod', v4, v6, gateway4, gateway6 }, `${namespace}/${pod}`];
    }),
  ),
);
const [PODS_V4, PODS_V6] = [0, 1].map(
  (family) => new Set([...POD_SEATS.keys()].map(({ v4, v6 }) => (family === 0 ? v4 : v6))),
) as [Set<string>, Set<string>];

/** Everybody who is no pod of this node has these addresses, by family; the first on the link. */
export const ELSEWHERE: readonly [string[], string[]] = [
  ['192.0.2.7', ...PARTIES[0].filter((each) => !PODS_V4.has(each) && each !== '192.0.2.7')],
  ['2001:db8::7', ...PARTIES[1].filter((each) => !PODS_V6.has(each) && each !== '2001:db8::7')],
];
export const OUTSIDE: Seat = {
  name: 'outside',
  scope: 'outside',
  v4: ELSEWHERE[0][0]!,
  v6: ELSEWHERE[1][0]!,
  gateway4: '192.0.2.1',
  gateway6: '2001:db8::1',
};
/** Addresses of this node, by family, that its own processes have. */
export const NODE: readonly [string, string] = [HOST.v4, HOST.v6];

/** Pods that have a service. Each port of it is 1,000 more than the pod's. */
export const SERVED = [
  ['x', 'a'],
  ['y', 'b'],
  ['z', 'c'],
] as const;
export const servicePort = (port: number) => 1_000 + port;
/** Of x/a, over TCP, to its port 80. */
export const NODE_PORT = 30_080;

/** The cluster IPs of the service that has nothing but that pod behind it. */
export function serviceOf(namespace: string, pod: string): [ipv4: string, ipv6: string] {
  const [n, p] = [NAMESPACE_NAMES.indexOf(namespace as 'x') + 1, POD_NAMES.indexOf(pod as 'a') + 1];
  return [`10.96.${n}.${p}`, `fd00:10:96::${n}0${p}`];
}

/** A Pod as the API server wants it. Those that are behind no tap run on another node. */
export function podManifest({ metadata, spec, status }: PodManifest): Tree {
  const isOurs = [...POD_SEATS.values()].includes(`${metadata.namespace}/${metadata.name}`);
  const containers = spec.containers.length > 0 ? spec.containers : [{}];
  return manifestOf({
    metadata,
    spec: {
      ...spec,
      nodeName: isOurs ? NODE_NAME : OTHER_NODE,
      containers: containers.map((each, index) => ({ name: `c${index}`, image: 'none', ...each })),
    },
    status: { ...status, podIP: status.podIPs[0]!.ip } as PodManifest['status'],
  });
}

const SERVICES: Tree[] = SERVED.flatMap(([namespace, pod]) => {
  const ports = PORTS.flatMap((port) =>
    (['TCP', 'UDP'] as const).map((protocol) => ({
      name: `${protocol}-${port}`.toLowerCase(),
      protocol,
      port,
    })),
  );
  const clusterIPs = serviceOf(namespace, pod);
  const isOnNode = pod === 'a';
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: pod, namespace },
      spec: {
        type: isOnNode ? 'NodePort' : 'ClusterIP',
        clusterIP: clusterIPs[0],
        clusterIPs,
        ipFamilyPolicy: 'RequireDualStack',
        ipFamilies: ['IPv4', 'IPv6'],
        ports: ports.map(({ name, protocol, port }) => ({
          ...{ name, protocol, port: servicePort(port), targetPort: port },
          ...(isOnNode && name === 'tcp-80' && { nodePort: NODE_PORT }),
        })),
      },
    },
    ...addressesOf(namespace, pod).map((address) =>
      slice({
        service: pod,
        namespace,
        endpoints: [{ address, node: NODE_NAME, pod }],
        ports: Object.fromEntries(ports.map(({ name, ...port }) => [name, port])),
      }),
    ),
  ];
});

/** The world of policy-world.ts on a node with an agent, and programs that serve and ask in all of it. */
export class PolicyNet extends AgentNode {
  readonly parties = new Parties();
  readonly #owner: Owner;
  /** Policies that are applied. */
  #policies: readonly PolicyManifest[] = [];

  constructor(owner: Owner, cluster: TestCluster) {
    super(owner, cluster);
    this.#owner = owner;
  }

  override get surroundings(): Surroundings {
    return {
      seats: [...POD_SEATS.keys(), OUTSIDE],
      pods: POD_SEATS,
      routes: [
        { prefix: '0.0.0.0/0', via: OUTSIDE.v4, dev: OUTSIDE.name },
        { prefix: '::/0', via: OUTSIDE.v6, dev: OUTSIDE.name },
      ],
      objects: [
        clusterNetworkPolicies(),
        ...NAMESPACES.map(manifestOf),
        ...PODS.map(podManifest),
        ...SERVICES,
      ],
    };
  }

  override async startAgent(more?: MoreConfiguration): Promise<void> {
    // Else it may find that kind missing, and looks for it again only now and then.
    const definition = `crd/${clusterNetworkPolicies().metadata.name}`;
    await this.kubectl(['wait', '--for=condition=established', definition, '--timeout=30s']);
    await super.startAgent(more);
  }

  override tap(each: Seat) {
    if (each === OUTSIDE) return super.tap(each);
    return { ...super.tap(each), addresses: [`${each.gateway4}/32`, `${each.gateway6}/128`] };
  }

  override configure(each: Seat): void {
    if (each === OUTSIDE) super.configure(each);
    else this.connectAlone(each);
  }

  /** The cluster as it is at first, with what is different. */
  given(different: Partial<Cluster> = {}): Cluster {
    return { namespaces: NAMESPACES, pods: PODS, policies: [], node: NODE, ...different };
  }

  /** Applies these policies, and deletes those that were applied before and are not among them. */
  async applyPolicies(policies: readonly PolicyManifest[]): Promise<void> {
    const list = (of: readonly PolicyManifest[]) => ({
      apiVersion: 'v1',
      kind: 'List',
      items: of.map(manifestOf),
    });
    const stay = new Set(policies.filter((each) => !hasDefaults(each)).map(keyOf));
    const gone = this.#policies.filter((each) => !stay.has(keyOf(each)));
    this.#policies = policies;
    if (gone.length > 0) {
      await this.kubectl('delete --ignore-not-found --wait=false -f -', list(gone));
    }
    if (policies.length > 0) await this.kubectl('apply -f -', list(policies));
  }

  async applyPod(pod: PodManifest): Promise<void> {
    await apply(this.cluster, podManifest(pod));
  }

  protected override connectMore(): void {
    const at = this.namespace(OUTSIDE.name);
    for (const each of ELSEWHERE[0].slice(1))
      ip('-n', at, 'addr', 'add', `${each}/32`, 'dev', 'lo');
    for (const each of ELSEWHERE[1].slice(1))
      ip('-n', at, '-6', 'addr', 'add', `${each}/128`, 'dev', 'lo', 'nodad');
  }

  protected override async populate(): Promise<void> {
    const places: [string, readonly string[]][] = [
      ...[...POD_SEATS.keys()].map(({ name, v4, v6 }): [string, string[]] => [name, [v4, v6]]),
      [OUTSIDE.name, ELSEWHERE.flat()],
      [HOST.name, NODE],
    ];
    await Promise.all(
      places.map(([name, addresses]) =>
        this.parties.start(this.#owner, this.namespace(name), name, addresses, PORTS),
      ),
    );
  }
}

function keyOf({ kind, metadata }: PolicyManifest): string {
  return `${kind} ${'namespace' in metadata ? metadata.namespace : ''}/${metadata.name}`;
}

/** policyTypes that are left out are a default that is stored when a policy is created, and stays as it is edited. */
function hasDefaults(policy: PolicyManifest): boolean {
  return policy.kind === 'NetworkPolicy' && policy.spec.policyTypes === undefined;
}
