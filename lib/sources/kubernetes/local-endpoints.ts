// SPDX-License-Identifier: Apache-2.0
import { type Family, familyOf } from '../../model/address.js';
import type { Backend, Service, ServicePort } from '../../model/model.js';
import type { NoLocalEndpoints, ServiceHealth } from './cluster-change.js';
import type { ServiceObject } from './read-service.js';

/**
 * What a load balancer that asks on a Service's `healthCheckNodePort` is told; `null`: it has none.
 * @param service - what the object comes to
 */
export function healthOf(
  { metadata: { namespace, name }, spec }: ServiceObject,
  service: Service,
  nodeName: string | null,
): ServiceHealth | null {
  const { type, externalTrafficPolicy, healthCheckNodePort: port } = spec;
  if (type !== 'LoadBalancer' || externalTrafficPolicy !== 'Local' || port === 0) return null;
  const addresses = { 4: new Set<string>(), 6: new Set<string>() };
  for (const { backends } of service.ports) {
    for (const backend of backends) {
      if (backend.ready !== true || !isHere(backend, nodeName)) continue;
      addresses[familyOf(backend.address)].add(backend.address);
    }
  }
  // kube-proxy counts by family: a pod of two is one endpoint.
  const localEndpoints = Math.max(addresses[4].size, addresses[6].size);
  return { namespace, name, port, localEndpoints };
}

/** Whether there are endpoints, and none here, for what a traffic policy `Local` is about; 1 or 0. */
export function noLocalEndpoints(
  service: Service,
  nodeName: string | null,
): Readonly<NoLocalEndpoints> {
  const { internalTrafficPolicy, externalTrafficPolicy } = service;
  if (internalTrafficPolicy !== 'Local' && externalTrafficPolicy !== 'Local') return NOTHING;
  return { IPv4: noneOf(4, service, nodeName), IPv6: noneOf(6, service, nodeName) };
}

function noneOf(
  family: Family,
  service: Service,
  nodeName: string | null,
): NoLocalEndpoints['IPv4'] {
  const isOfFamily = (address: string): boolean => familyOf(address) === family;
  if (!service.addresses.some(isOfFamily)) return NONE;
  const { externalIPs = [], loadBalancer } = service;
  const hasExternal = [...externalIPs, ...(loadBalancer?.addresses ?? [])].some(isOfFamily);
  const lacking = service.ports.filter(({ backends }) =>
    isLacking(
      backends.filter(({ address }) => isOfFamily(address)),
      nodeName,
    ),
  );
  const isReached = ({ nodePort }: ServicePort) => hasExternal || nodePort !== undefined;
  return {
    internal: Number(service.internalTrafficPolicy === 'Local' && lacking.length > 0),
    external: Number(service.externalTrafficPolicy === 'Local' && lacking.some(isReached)),
  };
}

const NONE = Object.freeze({ internal: 0, external: 0 });
export const NOTHING: Readonly<NoLocalEndpoints> = Object.freeze({
  IPv4: NONE,
  // Another one: what is shared stays shared in a clone.
  IPv6: Object.freeze({ ...NONE }),
});

function isLacking(backends: readonly Backend[], nodeName: string | null): boolean {
  const usable = backends.filter(
    ({ ready, serving, terminating }) =>
      ready === true || (serving === true && terminating === true),
  );
  return usable.length > 0 && !usable.some((backend) => isHere(backend, nodeName));
}

function isHere({ node }: Backend, nodeName: string | null): boolean {
  return node !== undefined && node === nodeName;
}
