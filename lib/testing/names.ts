// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { canonicalAddress, familyOf } from '../model/address.js';
import { nearest, show } from '../model/explain.js';
import { PROTOCOLS, type Protocol } from '../model/model.js';
import type { Cluster } from './derive/cluster.js';
import type { ClusterNode } from './derive/nodes.js';
import type { ClusterPod } from './derive/pods.js';
import type { ClusterService, ClusterServicePort } from './derive/services.js';

/** Who sends. */
export type Source =
  | { readonly kind: 'pod'; readonly pod: ClusterPod; readonly addresses: readonly string[] }
  | { readonly kind: 'node'; readonly node: ClusterNode; readonly addresses: readonly string[] }
  | { readonly kind: 'outside'; readonly addresses: readonly string[] };

/** Whom it speaks to. `port` 0: no port (echo). */
export type Destination =
  | {
      readonly kind: 'service';
      readonly service: ClusterService;
      /** `null`: a number that is no port of the service. */
      readonly servicePort: ClusterServicePort | null;
      readonly port: number;
      /** The port was asked for by name: of a headless service, the endpoint's own number. */
      readonly byName: boolean;
      readonly protocol: Protocol;
    }
  | {
      readonly kind: 'address';
      readonly addresses: readonly string[];
      readonly port: number;
      readonly protocol: Protocol;
    };

const FROM =
  'NAMESPACE/POD, the name of a workload in its place, node/NAME, or an address outside the cluster';
const TO =
  'SERVICE.NAMESPACE:PORT, NAMESPACE/POD:PORT, node/NAME:PORT, or ADDRESS:PORT (IPv6 in brackets), with /UDP or /SCTP behind it';

/** Finds what the words of a probe mean. */
export class Names {
  readonly #pods = new Map<string, ClusterPod>();
  readonly #workloads = new Map<string, ClusterPod[]>();
  readonly #nodes: ReadonlyMap<string, ClusterNode>;
  readonly #services: ReadonlyMap<string, ClusterService>;
  readonly #addresses = new Map<string, ClusterPod | ClusterNode>();

  constructor(cluster: Cluster) {
    this.#nodes = new Map(cluster.nodes.map((node) => [node.name, node]));
    this.#services = new Map(
      cluster.services.map((service) => [`${service.namespace}/${service.name}`, service]),
    );
    for (const pod of cluster.pods) {
      this.#pods.set(nameOf(pod), pod);
      if (!pod.hostNetwork) for (const address of pod.addresses) this.#addresses.set(address, pod);
      if (pod.workload === null) continue;
      const key = `${pod.namespace}/${pod.workload}`;
      this.#workloads.set(key, [...(this.#workloads.get(key) ?? []), pod]);
    }
    for (const node of cluster.nodes) {
      for (const address of node.addresses) this.#addresses.set(address, node);
    }
  }

  /** The pod that has an address; `undefined`: nobody's, or a node's. */
  podOf(address: string): ClusterPod | undefined {
    const holder = this.#addresses.get(address);
    return holder !== undefined && 'namespace' in holder ? holder : undefined;
  }

  nodeOf(address: string): ClusterNode | undefined {
    const holder = this.#addresses.get(address);
    return holder !== undefined && 'podNetworks' in holder ? holder : undefined;
  }

  /** A pod or a node has it. */
  isHeld(address: string): boolean {
    return this.#addresses.has(address);
  }

  node(name: string): ClusterNode {
    return this.#nodes.get(name)!;
  }

  /** @throws SluiceError `ERR_OPTIONS` */
  source(text: unknown, path = 'from'): Source {
    if (typeof text !== 'string' || text === '')
      refuse(path, `expected ${FROM}, found ${show(text)}`);
    const address = canonicalAddress(text.replace(/^\[(.*)\]$/, '$1'));
    if (address !== null) return this.#sourceAt(address);
    if (text.startsWith('node/')) {
      const node = this.#findNode(text.slice('node/'.length), path);
      return { kind: 'node', node, addresses: node.addresses };
    }
    return podSource(this.#findPod(text, path));
  }

  /**
   * @param from - in whose namespace a service without one is
   * @throws SluiceError `ERR_OPTIONS`
   */
  destination(text: unknown, asked: Protocol | undefined, from: Source, path = 'to'): Destination {
    if (typeof text !== 'string' || text === '')
      refuse(path, `expected ${TO}, found ${show(text)}`);
    const [whole, suffix] = splitProtocol(text);
    const protocol = asked ?? suffix;
    if (suffix !== undefined && suffix !== protocol) {
      refuse(path, `expected ${protocol}, as was asked for, or no protocol, found ${show(text)}`);
    }
    const [host, port] = splitPort(whole);
    const address = canonicalAddress(host.replace(/^\[(.*)\]$/, '$1'));
    if (address !== null) return addressAt([address], port, protocol, path);
    if (host.startsWith('node/')) {
      const { addresses } = this.#findNode(host.slice('node/'.length), path);
      return addressAt(addresses, port, protocol, path);
    }
    if (host.includes('/')) return podAt(this.#findPod(host, path), port, protocol, path);
    return this.#service(host, port, protocol, from, path);
  }

  #sourceAt(address: string): Source {
    const holder = this.#addresses.get(address);
    if (holder === undefined) return { kind: 'outside', addresses: [address] };
    if ('namespace' in holder) return { kind: 'pod', pod: holder, addresses: [address] };
    return { kind: 'node', node: holder, addresses: [address] };
  }

  #findNode(name: string, path: string): ClusterNode {
    const node = this.#nodes.get(name);
    return node ?? refuse(path, `there is no node ${show(name)}${meant(name, this.#nodes.keys())}`);
  }

  #findPod(text: string, path: string): ClusterPod {
    const pod = this.#pods.get(text) ?? this.#workloads.get(text)?.[0];
    if (pod !== undefined) return pod;
    if (!text.includes('/')) refuse(path, `expected ${FROM}, found ${show(text)}`);
    const known = [...this.#pods.keys(), ...this.#workloads.keys()];
    return refuse(path, `there is no pod or workload ${show(text)}${meant(text, known)}`);
  }

  #service(
    host: string,
    port: string | null,
    protocol: Protocol | undefined,
    from: Source,
    path: string,
  ): Destination {
    const [name = '', namespace = namespaceOf(from), ...rest] = host.split('.');
    const isName = rest.length === 0 || /^svc(\.cluster\.local\.?)?$/.test(rest.join('.'));
    if (!isName || namespace === null) refuse(path, `expected ${TO}, found ${show(host)}`);
    const service = this.#services.get(`${namespace}/${name}`);
    if (service === undefined) {
      const known = [...this.#services.keys()].map((key) => key.split('/').reverse().join('.'));
      refuse(
        path,
        `there is no service ${name}.${namespace}${meant(`${name}.${namespace}`, known)}`,
      );
    }
    if (service.type === 'ExternalName') {
      refuse(path, `${name}.${namespace} is an ExternalName: probe the address that it stands for`);
    }
    return { kind: 'service', service, ...servicePort(service, port, protocol, path) };
  }
}

/** `namespace/name`. */
export function nameOf(pod: { namespace: string; name: string }): string {
  return `${pod.namespace}/${pod.name}`;
}

/** `namespace/name` of the workload that a pod belongs to, or of the pod where it belongs to none. */
export function workloadOf({ namespace, name, workload }: ClusterPod): string {
  return `${namespace}/${workload ?? name}`;
}

function podSource(pod: ClusterPod): Source {
  return { kind: 'pod', pod, addresses: pod.addresses };
}

function namespaceOf(source: Source): string | null {
  return source.kind === 'pod' ? source.pod.namespace : null;
}

function servicePort(
  service: ClusterService,
  port: string | null,
  protocol: Protocol | undefined,
  path: string,
): Pick<Extract<Destination, { kind: 'service' }>, 'servicePort' | 'port' | 'byName' | 'protocol'> {
  const { ports } = service;
  if (port === null) {
    if (protocol === 'ICMP') return { servicePort: null, port: 0, byName: false, protocol };
    if (ports.length === 1) return chosen(ports[0]!, protocol, true);
    const known = ports.map(({ name, port }) => name || String(port)).join(', ');
    return refuse(path, `expected a port behind the service's name (${known}), found none`);
  }
  if (protocol === 'ICMP') refuse(path, 'expected no port (echo has none)');
  const number = numberOf(port);
  const named = ports.filter((each) =>
    number === null ? each.name === port : each.port === number,
  );
  const found = named.find((each) => each.protocol === (protocol ?? each.protocol));
  if (found !== undefined) return chosen(found, protocol, number === null);
  if (number !== null) {
    const asked = checkNumber(number, path);
    return { servicePort: null, port: asked, byName: false, protocol: protocol ?? 'TCP' };
  }
  const known = ports.map(({ name }) => name).filter((name) => name !== '');
  const names =
    known.length === 0 ? 'its ports have no names' : `its ports are ${known.join(', ')}`;
  return refuse(path, `${service.name}.${service.namespace} has no port ${show(port)}: ${names}`);
}

function chosen(servicePort: ClusterServicePort, protocol: Protocol | undefined, byName: boolean) {
  const { port } = servicePort;
  return { servicePort, port, byName, protocol: protocol ?? servicePort.protocol };
}

function podAt(
  pod: ClusterPod,
  port: string | null,
  protocol: Protocol | undefined,
  path: string,
): Destination {
  const named = port === null ? undefined : pod.ports.find((each) => each.name === port);
  if (named === undefined) return addressAt(pod.addresses, port, protocol, path);
  const own = named.protocol as Protocol;
  return addressAt(pod.addresses, String(named.containerPort), protocol ?? own, path);
}

function addressAt(
  addresses: readonly string[],
  port: string | null,
  protocol: Protocol | undefined,
  path: string,
): Destination {
  if (port === null) {
    if ((protocol ?? 'ICMP') !== 'ICMP') refuse(path, 'expected a port, found none');
    return { kind: 'address', addresses, port: 0, protocol: 'ICMP' };
  }
  const number = numberOf(port) ?? refuse(path, `expected a port number, found ${show(port)}`);
  if (protocol === 'ICMP') refuse(path, 'expected no port (echo has none)');
  return {
    kind: 'address',
    addresses,
    port: checkNumber(number, path),
    protocol: protocol ?? 'TCP',
  };
}

/** `kube-dns.kube-system:53/UDP`. */
function splitProtocol(text: string): [whole: string, protocol: Protocol | undefined] {
  const found = PROTOCOLS.find((each) => text.endsWith(`/${each}`));
  return found === undefined ? [text, found] : [text.slice(0, -found.length - 1), found];
}

/** What is before the last colon, and what is behind it; an IPv6 address with a port has brackets. */
function splitPort(text: string): [host: string, port: string | null] {
  if (canonicalAddress(text) !== null || text.endsWith(']')) return [text, null];
  const colon = text.lastIndexOf(':');
  return colon < 0 ? [text, null] : [text.slice(0, colon), text.slice(colon + 1)];
}

function numberOf(port: string): number | null {
  return /^[0-9]+$/.test(port) ? Number(port) : null;
}

function checkNumber(port: number, path: string): number {
  if (port >= 1 && port <= 65_535) return port;
  return refuse(path, `expected a port number from 1 to 65,535, found ${port}`);
}

/** The first pair of one family. */
export function sameFamily(
  sources: readonly string[],
  destinations: readonly string[],
): [source: string, destination: string] | null {
  for (const destination of destinations) {
    const source = sources.find((each) => familyOf(each) === familyOf(destination));
    if (source !== undefined) return [source, destination];
  }
  return null;
}

function meant(text: string, known: Iterable<string>): string {
  const near = nearest(text, [...known]);
  return near === null ? '' : `; did you mean ${near}?`;
}

export function refuse(path: string, message: string): never {
  throw new SluiceError('ERR_OPTIONS', message, { path });
}
