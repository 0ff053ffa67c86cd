// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import type { InterfaceSpec, Model, RouteSpec } from '../../lib/model/model.js';
import { ServiceProxy } from '../../lib/proxy/service-proxy.js';
import { service, slice } from '../support/network.js';
import {
  arp,
  linkLocal,
  macText,
  type PacketBuilder,
  packet,
  solicitation,
} from '../support/packets.js';
import type { Cluster } from '../support/policy-oracle.js';
import {
  addressesOf,
  manifestOf,
  NAMESPACE_NAMES,
  POD_NAMES,
  PORTS,
  PROTOCOLS,
} from '../support/policy-world.js';
import type { EngineUnderTest } from './engines.js';

/** Addresses of this node, by family: one on the interface to the outside, one on none. */
export const NODE = [
  ['10.0.0.1', '10.1.0.1'],
  ['fd00::1', 'fd00:1::1'],
] as const;
/** Somebody on the way to the outside. */
export const ROUTER = ['10.0.0.99', 'fd00::99'] as const;
export const OUTSIDE = 'up';
export const HOST = 'host';
/** Of x/a, over TCP, to its port 80. */
export const NODE_PORT = 30_080;
/** Ours, on the interface to the node's kernel. */
const HOST_ADDRESS = '169.254.10.1';
/** Frames that an engine takes off an interface at once. */
const BURST = 64;
/** Seconds, longer than any flow or neighbour lives without packets, but one of TCP that is established. */
const LONG = 600;

/** A pod and the interface that it is on. */
export interface Attachment {
  interface: string;
  /** `namespace/name` */
  pod: string;
  addresses: readonly string[];
}

/** A frame and the interface that it goes in or has come out by. */
export interface Carried {
  at: string;
  frame: Uint8Array;
}

/** `x-a`: the interface that pod a of namespace x is on. */
export const interfaceOf = (namespace: string, pod: string) => `${namespace}-${pod}`;

/** The cluster IPs of the service that has nothing but that pod behind it. */
export function serviceOf(namespace: string, pod: string): [ipv4: string, ipv6: string] {
  const [ipv4, ipv6] = addressesOf(namespace, pod);
  return [ipv4.replace('10.1.', '10.96.'), ipv6.replace('fd00:1:', 'fd00:96:')];
}

/** A service's port for the pod's: 1080 for 80. */
export const servicePort = (port: number) => 1_000 + port;

export const ATTACHMENTS: readonly Attachment[] = NAMESPACE_NAMES.flatMap((namespace) =>
  POD_NAMES.map((pod) => ({
    interface: interfaceOf(namespace, pod),
    pod: `${namespace}/${pod}`,
    addresses: addressesOf(namespace, pod),
  })),
);

/**
 * A proxy on the node that all pods of policy-world.ts run on, each of them behind a memory interface,
 * with the manifests of a cluster in force. Everything else is behind two more: the node's own processes,
 * and the outside.
 */
export class PolicyNode {
  #now = 1_000_000;
  #interfaces: InterfaceSpec[] = [];

  private constructor(readonly proxy: ServiceProxy) {}

  static async open(under: EngineUnderTest): Promise<PolicyNode> {
    const proxy = await ServiceProxy.open({
      engine: under.name,
      clock: 'manual',
      flows: 8_192,
      flows6: 8_192,
      affinities: 256,
      backends: 256,
      mbufs: 8_192,
      node: {
        addresses: NODE.map(([, other]) => other),
        serviceNetworks: ['10.96.0.0/16', 'fd00:96::/32'],
      },
    });
    return new PolicyNode(proxy);
  }

  /** Puts the manifests of a cluster, and the services of its nine pods, in force. */
  async apply(cluster: Cluster, attachments = ATTACHMENTS): Promise<void> {
    const { namespaces, pods, policies } = cluster;
    const items = [...[...namespaces, ...pods, ...policies].map(manifestOf), ...SERVICES];
    const { interfaces, routes } = linksOf(attachments);
    await this.proxy.apply({
      manifests: '-',
      stdin: Readable.from([JSON.stringify({ apiVersion: 'v1', kind: 'List', items })]),
      interfaces,
      routes,
    });
    this.#interfaces = interfaces;
    this.#meetHost();
  }

  /** Lets so much time pass that all connections are forgotten. */
  forget(): void {
    this.#now += LONG * 1_000;
    this.#meetHost();
  }

  /** A frame of whoever is behind an interface, to us. */
  from(at: string): PacketBuilder {
    const { mac } = this.#interfaces.find(({ name }) => name === at)!;
    return packet().eth({ src: peerOf(mac!), dst: mac! });
  }

  /** Sends all frames, in bursts, and takes all that comes out. */
  exchange(sent: readonly Carried[]): Carried[] {
    const queues = new Map<string, Uint8Array[]>();
    for (const { at, frame } of sent) {
      const queue = queues.get(at) ?? [];
      queue.push(frame);
      queues.set(at, queue);
    }
    const received: Carried[] = [];
    const longest = Math.max(0, ...[...queues.values()].map(({ length }) => length));
    for (let first = 0; first < longest; first += BURST) {
      for (const [at, queue] of queues) {
        const frames = queue.slice(first, first + BURST);
        const taken = this.proxy.interfaces.send(at, frames);
        if (taken !== frames.length) throw new Error(`${at} took ${taken} of ${frames.length}`);
      }
      this.proxy.step(this.#now++);
      for (const { name } of this.#interfaces) {
        for (const frame of this.proxy.interfaces.receive(name)) received.push({ at: name, frame });
      }
    }
    return received;
  }

  /** Packets that have been dropped, by reason; zeroes are left out. */
  get drops(): Record<string, number> {
    return { ...this.proxy.stats().fates.drops };
  }

  /** The node's kernel asks for us from each of the node's addresses, so that we know its MAC. */
  #meetHost(): void {
    const { mac } = this.#interfaces.find(({ name }) => name === HOST)!;
    const peer = peerOf(mac!);
    const asks = NODE.flat().map((sender) =>
      sender.includes(':')
        ? solicitation({ mac: peer, sender, target: linkLocal(mac!) })
        : arp({ operation: 1, senderMac: peer, sender, target: HOST_ADDRESS }),
    );
    const answers = this.exchange(asks.map((frame) => ({ at: HOST, frame })));
    if (answers.length !== asks.length) throw new Error('the node does not get an answer');
  }
}

const SERVICES = ATTACHMENTS.flatMap(({ pod, addresses }) => {
  const [namespace, name] = pod.split('/') as [string, string];
  const clusterIPs = serviceOf(namespace, name);
  const ports = PORTS.flatMap((port) =>
    PROTOCOLS.map((protocol) => ({ name: `${protocol}-${port}`.toLowerCase(), protocol, port })),
  );
  const nodePortOf = (port: number, protocol: string) =>
    pod === 'x/a' && port === 80 && protocol === 'TCP' ? { nodePort: NODE_PORT } : {};
  const asked = ports.map(({ port, ...rest }) => ({
    ...rest,
    port: servicePort(port),
    ...nodePortOf(port, rest.protocol),
  }));
  return [
    service(pod, asked, {
      type: pod === 'x/a' ? 'NodePort' : 'ClusterIP',
      clusterIP: clusterIPs[0],
      clusterIPs,
      ipFamilies: ['IPv4', 'IPv6'],
    }),
    ...addresses.map((address, family) =>
      slice(`${pod}-${family}`, name, {
        addressType: family === 0 ? 'IPv4' : 'IPv6',
        ports,
        endpoints: [{ addresses: [address], conditions: { ready: true } }],
      }),
    ),
  ];
});

/** Every address has a route with a MAC, so that nobody needs to be asked for. */
function linksOf(attachments: readonly Attachment[]): Required<Pick<Model, 'routes'>> & {
  interfaces: InterfaceSpec[];
} {
  const macOf = (number: number) => macText(Uint8Array.from([2, 0, 0, 0, 1, number]));
  const mac = { host: macOf(0), up: macOf(1) };
  const pods = attachments.map((each, index): InterfaceSpec => {
    const { interface: name, pod, addresses: sources } = each;
    return { kind: 'memory', name, pod, sources, mac: macOf(index + 2) };
  });
  const routes = attachments.flatMap(({ interface: dev, addresses }, index): RouteSpec[] =>
    addresses.map((address) => ({
      prefix: `${address}/${address.includes(':') ? 128 : 32}`,
      dev,
      mac: peerOf(macOf(index + 2)),
    })),
  );
  const outwards = { dev: OUTSIDE, mac: peerOf(mac.up) };
  return {
    interfaces: [
      ...pods,
      {
        kind: 'memory',
        name: HOST,
        scope: 'host',
        mac: mac.host,
        addresses: [`${HOST_ADDRESS}/32`],
      },
      {
        kind: 'memory',
        name: OUTSIDE,
        mac: mac.up,
        addresses: [`${NODE[0][0]}/32`, `${NODE[1][0]}/128`],
      },
    ],
    routes: [...routes, { prefix: '0.0.0.0/0', ...outwards }, { prefix: '::/0', ...outwards }],
  };
}

/** MAC of whoever is behind the interface with that MAC. */
function peerOf(mac: string): string {
  return mac.replace('02:00:00:00:01:', '02:00:00:00:02:');
}
