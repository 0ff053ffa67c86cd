// SPDX-License-Identifier: Apache-2.0
import { canonicalIpv4, compareAddresses, parseIpv4 } from '../../model/address.js';
import type { Backend, Protocol, Service, ServicePort } from '../../model/model.js';
import type { EndpointSliceObject, KubernetesObjects, ServiceObject } from './objects.js';

const PROXY_NAME_LABEL = 'service.kubernetes.io/service-proxy-name';
const HEADLESS_LABEL = 'service.kubernetes.io/headless';
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** Something that the objects ask for and that is not served. */
export interface TranslationWarning {
  kind: 'Service' | 'EndpointSlice';
  namespace: string;
  name: string;
  message: string;
}

export interface Translation {
  /** In the order of namespace and name. */
  services: Service[];
  warnings: TranslationWarning[];
}

export interface TranslateOptions {
  /**
   * Serve only services whose label `service.kubernetes.io/service-proxy-name` says this. Left out:
   * serve those without the label, as kube-proxy does.
   */
  serviceProxyName?: string;
}

/** Services and EndpointSlices to services of the model. Pure: the order of the objects is nothing. */
export function translate(
  objects: Readonly<KubernetesObjects>,
  options: TranslateOptions = {},
): Translation {
  const warnings: TranslationWarning[] = [];
  const warn = (kind: TranslationWarning['kind'], object: Named, message: string) => {
    const { namespace, name } = object.metadata;
    warnings.push({ kind, namespace, name, message });
  };
  const slices = slicesByService(objects, warn);
  const services: Service[] = [];
  for (const object of sorted(objects.services)) {
    if (object.metadata.labels[PROXY_NAME_LABEL] !== options.serviceProxyName) continue;
    if (object.spec.type === 'ExternalName') continue;
    const service = translateService(object, slices.get(keyOf(object)) ?? [], (message) => {
      warn('Service', object, message);
    });
    if (service !== null) services.push(service);
  }
  return { services, warnings };
}

type Named = { metadata: { namespace: string; name: string } };

function translateService(
  object: ServiceObject,
  slices: readonly EndpointSliceObject[],
  warn: (message: string) => void,
): Service | null {
  const { metadata, spec } = object;
  const given = [...new Set([spec.clusterIP ?? '', ...spec.clusterIPs])].filter((ip) => ip !== '');
  if (given.includes('None')) return null;
  if (given.length === 0) {
    warn('it has no clusterIP (the API server assigns one), so it is not served');
    return null;
  }
  const addresses = given.filter((ip) => canonicalIpv4(ip) !== null);
  for (const ip of given) {
    if (!addresses.includes(ip)) warn(`its cluster IP ${ip} is not served: IPv6 is not carried`);
  }
  if (addresses.length === 0) return null;
  warnOfUnserved(spec, warn);
  const ports: ServicePort[] = [];
  for (const port of spec.ports) {
    if (port.protocol === 'SCTP') {
      warn(`its port ${port.port}/SCTP is not served: SCTP is not carried`);
      continue;
    }
    ports.push({
      ...(port.name !== '' && { name: port.name }),
      protocol: port.protocol,
      port: port.port,
      backends: chooseBackends(slices, port.name, port.protocol),
    });
  }
  if (ports.length === 0) return null;
  return { name: metadata.name, namespace: metadata.namespace, addresses, ports };
}

/** What a user would otherwise take for served. */
function warnOfUnserved(spec: ServiceObject['spec'], warn: (message: string) => void): void {
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') {
    warn(`it is of type ${spec.type}; only its cluster IP is served`);
  }
  if (spec.externalIPs.length > 0) warn('its externalIPs are not served');
  if (spec.sessionAffinity === 'ClientIP') warn('its sessionAffinity ClientIP is not kept');
  if (spec.internalTrafficPolicy === 'Local') {
    warn('its internalTrafficPolicy Local is taken as Cluster');
  }
}

interface Endpoint {
  address: string;
  bytes: Uint8Array;
  port: number;
  ready: boolean;
  serving: boolean;
  terminating: boolean;
}

/**
 * Ready endpoints; where there is none, those that are terminating and still serving, so that the
 * last pods of a rollout are used to the end.
 */
function chooseBackends(
  slices: readonly EndpointSliceObject[],
  name: string,
  protocol: Protocol,
): Backend[] {
  const endpoints = [...mergeEndpoints(slices, name, protocol).values()];
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  const chosen =
    ready.length > 0
      ? ready
      : endpoints.filter((endpoint) => endpoint.serving && endpoint.terminating);
  chosen.sort((a, b) => compareAddresses(a.bytes, b.bytes) || a.port - b.port);
  return chosen.map(({ address, port }) => ({ address, port }));
}

/**
 * An endpoint that moves between slices is in two of them for a while: the one that is not
 * terminating counts.
 */
function mergeEndpoints(
  slices: readonly EndpointSliceObject[],
  name: string,
  protocol: Protocol,
): Map<string, Endpoint> {
  const merged = new Map<string, Endpoint>();
  for (const slice of slices) {
    for (const slicePort of slice.ports) {
      if (slicePort.name !== name || slicePort.protocol !== protocol || !slicePort.port) continue;
      for (const { addresses, conditions } of slice.endpoints) {
        const address = addresses[0] === undefined ? null : canonicalIpv4(addresses[0]);
        if (address === null) continue;
        const key = `${address}:${slicePort.port}`;
        if (merged.has(key) && conditions.terminating) continue;
        const { ready, serving, terminating } = conditions;
        const bytes = parseIpv4(address)!;
        merged.set(key, { address, bytes, port: slicePort.port, ready, serving, terminating });
      }
    }
  }
  return merged;
}

function slicesByService(
  objects: Readonly<KubernetesObjects>,
  warn: (kind: 'EndpointSlice', object: Named, message: string) => void,
): Map<string, EndpointSliceObject[]> {
  const known = new Set(objects.services.map(keyOf));
  const slices = new Map<string, EndpointSliceObject[]>();
  for (const slice of sorted(objects.endpointSlices)) {
    const { labels, namespace } = slice.metadata;
    if (Object.hasOwn(labels, HEADLESS_LABEL)) continue;
    const service = labels[SERVICE_NAME_LABEL];
    if (service === undefined || service === '') {
      warn('EndpointSlice', slice, `it has no label ${SERVICE_NAME_LABEL}, so no service uses it`);
      continue;
    }
    if (!known.has(`${namespace}/${service}`)) {
      warn('EndpointSlice', slice, `there is no Service ${namespace}/${service}`);
      continue;
    }
    if (slice.addressType === 'IPv6') continue;
    if (slice.addressType === 'FQDN') {
      warn('EndpointSlice', slice, 'its addressType is FQDN; only IPv4 endpoints are served');
      continue;
    }
    const key = `${namespace}/${service}`;
    const list = slices.get(key) ?? [];
    list.push(slice);
    slices.set(key, list);
  }
  return slices;
}

function keyOf(object: Named): string {
  return `${object.metadata.namespace}/${object.metadata.name}`;
}

/** By namespace and name in the order of code points, so that locales do not matter. */
function sorted<T extends Named>(objects: readonly T[]): T[] {
  return [...objects].sort((a, b) => {
    const [x, y] = [a.metadata, b.metadata];
    if (x.namespace !== y.namespace) return x.namespace < y.namespace ? -1 : 1;
    return x.name < y.name ? -1 : x.name > y.name ? 1 : 0;
  });
}
