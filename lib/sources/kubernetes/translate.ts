// SPDX-License-Identifier: Apache-2.0
import {
  canonicalAddress,
  compareAddresses,
  type Family,
  familyOf,
  parseAddress,
} from '../../model/address.js';
import type { Backend, Service, ServicePort } from '../../model/model.js';
import { type Destinations, destinationsOf } from './destinations.js';
import type { EndpointSliceObject, KubernetesObjects, ServiceObject } from './objects.js';
import { affinitySeconds } from './service-schema.js';

const PROXY_NAME_LABEL = 'service.kubernetes.io/service-proxy-name';
const HEADLESS_LABEL = 'service.kubernetes.io/headless';
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** Something that the objects ask for and that is not served. */
export interface TranslationWarning {
  kind: 'Service' | 'EndpointSlice' | 'Node' | 'Pod' | 'NetworkPolicy' | 'ClusterNetworkPolicy';
  /** Empty where the kind has none. */
  namespace: string;
  name: string;
  message: string;
}

/** `Service shop/cart: MESSAGE`. */
export function warningText({ kind, namespace, name, message }: TranslationWarning): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}: ${message}`;
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
  objects: Readonly<Pick<KubernetesObjects, 'services' | 'endpointSlices'>>,
  options: TranslateOptions = {},
): Translation {
  const warnings: TranslationWarning[] = [];
  const warn = (kind: TranslationWarning['kind'], object: Named, message: string) => {
    const { namespace, name } = object.metadata;
    warnings.push({ kind, namespace, name, message });
  };
  const slices = slicesByService(objects, warn);
  const ours = sorted(objects.services).filter(
    ({ metadata }) => metadata.labels[PROXY_NAME_LABEL] === options.serviceProxyName,
  );
  const warnOfService = (object: ServiceObject, message: string) =>
    warn('Service', object, message);
  const services = destinationsOf(ours, warnOfService).map((destinations) => {
    const { object } = destinations;
    const { healthCheckNodePort } = object.spec;
    if (healthCheckNodePort !== 0) {
      warnOfService(object, `its health check node port ${healthCheckNodePort} is not answered`);
    }
    return translateService(destinations, slices.get(keyOf(object)) ?? []);
  });
  return { services, warnings };
}

type Named = { metadata: { namespace: string; name: string } };

function translateService(
  { object, addresses, externalIPs, loadBalancer, nodePorts }: Destinations,
  slices: readonly EndpointSliceObject[],
): Service {
  const { metadata, spec } = object;
  const families = new Set(addresses.map(familyOf));
  const seconds = affinitySeconds(spec);
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
    ...(seconds > 0 && { affinity: { timeoutSeconds: seconds } }),
    ports,
  };
}

type Endpoint = EndpointSliceObject['endpoints'][number];

/**
 * Every endpoint of the port, chosen or not: which of them get new connections is decided where it
 * is known on which node we are.
 */
function backendsOf(
  slices: readonly EndpointSliceObject[],
  families: ReadonlySet<Family>,
  name: string,
  protocol: ServicePort['protocol'],
): Backend[] {
  const rows = [...mergeEndpoints(slices, name, protocol).values()].filter(({ address }) =>
    families.has(familyOf(address)),
  );
  const bytes = new Map(rows.map((row) => [row, parseAddress(row.address)!]));
  rows.sort((a, b) => compareAddresses(bytes.get(a)!, bytes.get(b)!) || a.port - b.port);
  return rows.map(({ address, port, endpoint }) => {
    const { conditions, nodeName, hints } = endpoint;
    const { ready, serving, terminating } = conditions;
    return {
      address,
      port,
      ready,
      serving,
      terminating,
      ...(nodeName !== undefined && nodeName !== '' && { node: nodeName }),
      ...(hints !== undefined && {
        hints: {
          zones: hints.forZones.map((zone) => zone.name),
          nodes: hints.forNodes.map((node) => node.name),
        },
      }),
    };
  });
}

/**
 * An endpoint that moves between slices is in two of them for a while: the one that is not
 * terminating counts.
 */
function mergeEndpoints(
  slices: readonly EndpointSliceObject[],
  name: string,
  protocol: ServicePort['protocol'],
): Map<string, { address: string; port: number; endpoint: Endpoint }> {
  const merged = new Map<string, { address: string; port: number; endpoint: Endpoint }>();
  for (const slice of slices) {
    for (const slicePort of slice.ports) {
      const { port } = slicePort;
      if (slicePort.name !== name || slicePort.protocol !== protocol || port === 0) continue;
      for (const endpoint of slice.endpoints) {
        const first = endpoint.addresses[0];
        if (first === undefined) continue;
        const address = canonicalAddress(first)!;
        const key = `${address} ${port}`;
        if (merged.has(key) && endpoint.conditions.terminating) continue;
        merged.set(key, { address, port, endpoint });
      }
    }
  }
  return merged;
}

function slicesByService(
  objects: Readonly<Pick<KubernetesObjects, 'services' | 'endpointSlices'>>,
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
    if (slice.addressType === 'FQDN') {
      warn('EndpointSlice', slice, 'its addressType is FQDN; only IP endpoints are served');
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
export function sorted<T extends Named>(objects: readonly T[]): T[] {
  return [...objects].sort((a, b) => {
    const [x, y] = [a.metadata, b.metadata];
    if (x.namespace !== y.namespace) return x.namespace < y.namespace ? -1 : 1;
    return x.name < y.name ? -1 : x.name > y.name ? 1 : 0;
  });
}
