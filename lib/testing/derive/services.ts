// SPDX-License-Identifier: Apache-2.0

import { SluiceError } from '../../errors.js';
import { canonicalAddress, type Family, familyOf } from '../../model/address.js';
import type { Protocol } from '../../model/model.js';
import { AddressRange, RANGES } from './addresses.js';
import { type GivenService, type Inventory, refuse } from './inventory.js';
import { sortByName } from './pods.js';

/** A service of the cluster, with what the API server and a load balancer would have given it. */
export interface ClusterService {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  /** Cluster IPs; empty where it is headless. */
  readonly addresses: readonly string[];
  readonly headless: boolean;
  readonly externalIPs: readonly string[];
  readonly loadBalancer: readonly string[];
  readonly ports: readonly ClusterServicePort[];
  /** `null`: its endpoints are given, or nobody's pods. */
  readonly selector: Readonly<Record<string, string>> | null;
  readonly publishNotReady: boolean;
  readonly given: GivenService;
}

export interface ClusterServicePort {
  /** Empty where the only port has none. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  /** 0: none. */
  readonly nodePort: number;
  /** Number or name of a port of the pods. */
  readonly targetPort: number | string;
}

const FIRST_NODE_PORT = 30_000;
const LAST_NODE_PORT = 32_767;

/**
 * Services with cluster IPs, node ports and load balancer addresses where they lack them.
 * @param taken - addresses that are somebody's; grows
 */
export function completeServices(
  inventory: Inventory,
  families: readonly Family[],
  taken: Set<string>,
): ClusterService[] {
  const maker = new Maker(inventory.services, families, taken);
  return sortByName(inventory.services).map((given) => maker.complete(given));
}

class Maker {
  readonly #families: readonly Family[];
  readonly #cluster: Record<Family, AddressRange>;
  readonly #loadBalancers: Record<Family, AddressRange>;
  readonly #nodePorts: Set<number>;
  #nextNodePort = FIRST_NODE_PORT;

  constructor(services: readonly GivenService[], families: readonly Family[], taken: Set<string>) {
    this.#families = families;
    for (const { object } of services) {
      for (const ip of givenClusterIps(object)) taken.add(ip);
      for (const { ip } of object.status?.loadBalancer?.ingress ?? []) taken.add(ip);
      for (const ip of object.spec.externalIPs) taken.add(ip);
    }
    const ranges = (of: Readonly<Record<Family, string>>) => ({
      4: new AddressRange(of[4], taken, 1),
      6: new AddressRange(of[6], taken, 1),
    });
    this.#cluster = ranges(RANGES.services);
    this.#loadBalancers = ranges(RANGES.loadBalancers);
    const ports = services.flatMap(({ object }) => object.spec.ports);
    this.#nodePorts = new Set(ports.map(({ nodePort }) => nodePort));
  }

  complete(given: GivenService): ClusterService {
    const { object, wishes } = given;
    const { metadata, spec, status } = object;
    const headless = [spec.clusterIP, ...spec.clusterIPs].includes('None');
    const isNamed = spec.type === 'ExternalName';
    const ips = givenClusterIps(object);
    const addresses = headless || isNamed ? [] : ips.length > 0 ? ips : this.#clusterIps(given);
    const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip).filter(Boolean);
    return {
      namespace: metadata.namespace,
      name: metadata.name,
      type: spec.type,
      addresses,
      headless,
      externalIPs: spec.externalIPs,
      loadBalancer:
        spec.type === 'LoadBalancer' && ingress.length === 0
          ? addresses.map((address) => this.#take(given, this.#loadBalancers[familyOf(address)]))
          : ingress,
      ports: spec.ports.map(({ name, protocol, port, nodePort }, index) => ({
        name,
        protocol,
        port,
        nodePort: nodePort === 0 && wantsNodePorts(given) ? this.#nodePort(given, index) : nodePort,
        targetPort: wishes.ports[index]?.targetPort ?? port,
      })),
      selector: Object.keys(wishes.selector).length === 0 ? null : wishes.selector,
      publishNotReady: wishes.publishNotReadyAddresses,
      given,
    };
  }

  #clusterIps(given: GivenService): string[] {
    const { ipFamilies, ipFamilyPolicy } = given.wishes;
    const named = ipFamilies.map((family): Family => (family === 'IPv6' ? 6 : 4));
    const all = [...new Set([...named, ...this.#families])];
    const wanted = ipFamilyPolicy === 'SingleStack' ? all.slice(0, Math.max(1, named.length)) : all;
    return wanted.map((family) => this.#take(given, this.#cluster[family]));
  }

  #take(given: GivenService, range: AddressRange): string {
    const address = range.take();
    if (address !== null) return address;
    const message = 'no address is left for another service';
    throw new SluiceError('ERR_CAPACITY', message, { path: given.origin });
  }

  #nodePort(given: GivenService, index: number): number {
    while (this.#nodePorts.has(this.#nextNodePort)) this.#nextNodePort++;
    if (this.#nextNodePort > LAST_NODE_PORT) {
      refuse(given, `spec.ports[${index}].nodePort`, 'no node port is left for it');
    }
    return this.#nextNodePort++;
  }
}

function wantsNodePorts({ object, wishes }: GivenService): boolean {
  if (object.spec.type === 'NodePort') return true;
  return object.spec.type === 'LoadBalancer' && wishes.allocateLoadBalancerNodePorts;
}

function givenClusterIps({ spec }: GivenService['object']): string[] {
  const ips = [spec.clusterIP, ...spec.clusterIPs].map((ip) => canonicalAddress(ip));
  return [...new Set(ips.filter((ip) => ip !== null))];
}

/** As the API server would show it. */
export function serviceObject(service: ClusterService): object {
  const { given, addresses, ports, loadBalancer } = service;
  const spec = given.raw['spec'] as Record<string, unknown>;
  const rawPorts = (spec['ports'] ?? []) as object[];
  return {
    ...given.raw,
    spec: {
      ...spec,
      ...(addresses.length > 0 && { clusterIP: addresses[0], clusterIPs: addresses }),
      ...(rawPorts.length > 0 && {
        ports: rawPorts.map((port, index) => ({ ...port, nodePort: ports[index]!.nodePort })),
      }),
    },
    ...(loadBalancer.length > 0 && {
      status: statusOf(given, loadBalancer),
    }),
  };
}

function statusOf({ raw, object }: GivenService, addresses: readonly string[]): object {
  if ((object.status?.loadBalancer?.ingress ?? []).length > 0) return raw['status'] as object;
  return { loadBalancer: { ingress: addresses.map((ip) => ({ ip })) } };
}
