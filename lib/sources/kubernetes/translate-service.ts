// SPDX-License-Identifier: Apache-2.0
import { type Family, familyOf } from '../../model/address.js';
import type { Backend, Service, ServicePort } from '../../model/model.js';
import type { Destinations } from './destinations.js';
import type { ServiceObject } from './read-service.js';
import type { EndpointSliceObject, SliceEndpoint } from './read-slice.js';

const PROXY_NAME_LABEL = 'service.kubernetes.io/service-proxy-name';
const HEADLESS_LABEL = 'service.kubernetes.io/headless';
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** A slice as far as its endpoints go. */
export type Endpoints = Pick<EndpointSliceObject, 'addressType' | 'endpoints' | 'ports'>;

/** It is for this proxy to serve. */
export function isOurs({ metadata }: ServiceObject, proxyName: string | undefined): boolean {
  return metadata.labels[PROXY_NAME_LABEL] === proxyName;
}

/**
 * The name of the Service that a slice is of; `null`: of none that is served.
 * @param warn - told where that is a mistake
 */
export function serviceNameOf(
  { metadata }: EndpointSliceObject,
  warn: (message: string) => void,
): string | null {
  if (Object.hasOwn(metadata.labels, HEADLESS_LABEL)) return null;
  const name = metadata.labels[SERVICE_NAME_LABEL];
  if (name !== undefined && name !== '') return name;
  warn(`it has no label ${SERVICE_NAME_LABEL}, so no service uses it`);
  return null;
}

/** What is not served of a slice, whatever its Service is. */
export const FQDN_WARNING = 'its addressType is FQDN; only IP endpoints are served';

/** @param slices - of the Service, in the order of their names */
export function translateService(
  { object, addresses, externalIPs, loadBalancer, nodePorts }: Destinations,
  slices: readonly Endpoints[],
): Service {
  const { metadata, spec } = object;
  const families = new Set(addresses.map(familyOf));
  const ports = spec.ports.map(
    ({ name, protocol, port }, index): ServicePort => ({
      ...(name !== '' && { name }),
      protocol,
      port,
      ...(nodePorts[index] !== 0 && { nodePort: nodePorts[index]! }),
      backends: backendsOf(slices, families, name, protocol),
    }),
  );
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    addresses,
    ...(externalIPs.length > 0 && { externalIPs }),
    ...(loadBalancer.length > 0 && {
      loadBalancer: { addresses: loadBalancer, sourceRanges: spec.loadBalancerSourceRanges },
    }),
    internalTrafficPolicy: spec.internalTrafficPolicy,
    externalTrafficPolicy: spec.externalTrafficPolicy,
    ...(spec.affinitySeconds > 0 && { affinity: { timeoutSeconds: spec.affinitySeconds } }),
    ports,
  };
}

/**
 * Every endpoint of the port, chosen or not: which of them get new connections is decided where it
 * is known on which node we are. An endpoint that moves between slices is in two of them for a while:
 * the one that is not terminating counts.
 */
function backendsOf(
  slices: readonly Endpoints[],
  families: ReadonlySet<Family>,
  name: string,
  protocol: ServicePort['protocol'],
): Backend[] {
  const merged = new Map<number, Map<string, SliceEndpoint>>();
  for (const { addressType, ports, endpoints } of slices) {
    if (addressType === 'FQDN' || !families.has(addressType === 'IPv6' ? 6 : 4)) continue;
    for (const slicePort of ports) {
      const { port } = slicePort;
      if (slicePort.name !== name || slicePort.protocol !== protocol || port === 0) continue;
      const ofPort = merged.get(port) ?? new Map<string, SliceEndpoint>();
      merged.set(port, ofPort);
      for (const endpoint of endpoints) {
        const { address } = endpoint;
        if (address === '' || (endpoint.terminating && ofPort.has(address))) continue;
        ofPort.set(address, endpoint);
      }
    }
  }
  const backends: Backend[] = [];
  for (const [port, ofPort] of merged) {
    for (const endpoint of ofPort.values()) backends.push(backendOf(endpoint, port));
  }
  return backends;
}

function backendOf(endpoint: SliceEndpoint, port: number): Backend {
  const { address, ready, serving, terminating, node, hints } = endpoint;
  const backend: Backend = { address, port, ready, serving, terminating };
  if (node !== '') backend.node = node;
  if (hints !== null) backend.hints = hints;
  return backend;
}
