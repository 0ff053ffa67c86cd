// SPDX-License-Identifier: Apache-2.0
import { type Family, familyOf } from '../../model/address.js';
import type { CheckedBalancer } from '../../model/checked.js';
import type { Backend, InterfaceSpec, Service, ServicePort } from '../../model/model.js';
import { type BalancerNode, balancerNodes } from './balancer-nodes.js';
import type { NodeObject } from './objects.js';
import type { TranslationWarning } from './warnings.js';

/** What a balancer is to do. */
export interface Balancing {
  services: Service[];
  /** A tunnel to each node. */
  tunnels: InterfaceSpec[];
  warnings: TranslationWarning[];
}

/**
 * Turns services of endpoints into services of nodes: on their external IPs and load balancer addresses,
 * with a backend for each node that may take a connection. A backend is known by its node's address
 * alone, so that balancers with the same nodes choose alike. Pure.
 * @param services - as they are translated for a node
 */
export function balance(
  services: readonly Service[],
  objects: readonly NodeObject[],
  balancer: CheckedBalancer,
): Balancing {
  const warnings: TranslationWarning[] = [];
  const nodes = balancerNodes(objects, balancer, ({ metadata: { name } }, message) =>
    warnings.push({ kind: 'Node', namespace: '', name, message }),
  );
  return {
    services: services.flatMap((service) => {
      const families = externalFamilies(service);
      return families.length === 0 ? [] : [ofNodes(service, families, nodes, balancer)];
    }),
    tunnels: nodes.map(({ tunnel }) => tunnel),
    warnings,
  };
}

function externalFamilies({ externalIPs = [], loadBalancer }: Service): Family[] {
  const addresses = [...externalIPs, ...(loadBalancer?.addresses ?? [])];
  return [...new Set(addresses.map(familyOf))];
}

function ofNodes(
  service: Service,
  families: readonly Family[],
  nodes: readonly BalancerNode[],
  { nodeMac }: CheckedBalancer,
): Service {
  const { name, namespace, externalIPs, loadBalancer, affinity } = service;
  const ports = service.ports.map((port): ServicePort => {
    const { name: portName, protocol, port: number } = port;
    const backends = families.flatMap((family) =>
      nodes.flatMap((node): Backend[] => {
        const address = node.addresses.get(family);
        const state = stateOf(service, port, family, node);
        if (address === undefined || state === null) return [];
        const mac = nodeMac === null ? {} : { mac: nodeMac };
        const through = { dev: node.tunnel.name, ...mac };
        return [{ address, ...state, node: node.name, through }];
      }),
    );
    return {
      ...(portName !== undefined && { name: portName }),
      protocol,
      ...(number !== undefined && { port: number }),
      backends,
    };
  });
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    addresses: [],
    ...(externalIPs !== undefined && { externalIPs }),
    ...(loadBalancer !== undefined && { loadBalancer }),
    ...(affinity !== undefined && { affinity }),
    ports,
  };
}

type State = Pick<Backend, 'ready' | 'serving' | 'terminating'>;

const READY: State = { ready: true };
/** As an endpoint that is terminating: it keeps what it has, and gets more where there is no other. */
const LAST_RESORT: State = { ready: false, serving: true, terminating: true };
const CONNECTIONS_ALONE: State = { ready: false, serving: true };

/**
 * How a node stands to a service port. It is ready for all ports of policy `Cluster`, since it reaches
 * every endpoint, and with policy `Local` where one of its own endpoints is.
 * @returns `null`: nothing may go there
 */
function stateOf(
  { externalTrafficPolicy }: Service,
  { backends }: ServicePort,
  family: Family,
  { name, draining }: BalancerNode,
): State | null {
  if (externalTrafficPolicy !== 'Local') return draining ? LAST_RESORT : READY;
  const own = backends.filter(({ node, address }) => node === name && familyOf(address) === family);
  if (own.some(({ ready = true }) => ready)) return draining ? LAST_RESORT : READY;
  const serving = own.filter((backend) => backend.serving === true);
  if (serving.some(({ terminating }) => terminating === true)) return LAST_RESORT;
  return serving.length > 0 ? CONNECTIONS_ALONE : null;
}
