// SPDX-License-Identifier: Apache-2.0
import type { Service } from '../../model/model.js';
import { claimantOf, DestinationClaims } from './destinations.js';
import { keyOf, type Names, sorted } from './names.js';
import type { EndpointSliceObject, KubernetesObjects } from './objects.js';
import { FQDN_WARNING, isOurs, serviceNameOf, translateService } from './translate-service.js';
import type { TranslationWarning } from './warnings.js';

export { type TranslationWarning, warningText } from './warnings.js';

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
  const warnOf = (kind: TranslationWarning['kind'], { namespace, name }: Names) => {
    return (message: string) => void warnings.push({ kind, namespace, name, message });
  };
  const slices = slicesByService(objects, warnOf);
  const claims = new DestinationClaims();
  const claimants = sorted(objects.services)
    .filter((object) => isOurs(object, options.serviceProxyName))
    .flatMap((object) => {
      const warn = warnOf('Service', object.metadata);
      const claimant = claimantOf(object, warn);
      if (claimant === null) return [];
      claims.add(claimant);
      return [{ claimant, warn }];
    });
  claims.settle();
  const services = claimants
    .map((each) => ({ ...each, addresses: claims.clusterIPs(each.claimant, each.warn) }))
    .filter(({ addresses }) => addresses.length > 0)
    .map(({ claimant, addresses, warn }) => ({
      destinations: claims.destinations(claimant, addresses, warn),
      warn,
    }))
    .map(({ destinations, warn }) => {
      const { object } = destinations;
      const { healthCheckNodePort } = object.spec;
      if (healthCheckNodePort !== 0) {
        warn(`its health check node port ${healthCheckNodePort} is not answered`);
      }
      return translateService(destinations, slices.get(keyOf(object)) ?? []);
    });
  return { services, warnings };
}

function slicesByService(
  objects: Readonly<Pick<KubernetesObjects, 'services' | 'endpointSlices'>>,
  warnOf: (kind: 'EndpointSlice', names: Names) => (message: string) => void,
): Map<string, EndpointSliceObject[]> {
  const known = new Set(objects.services.map(keyOf));
  const slices = new Map<string, EndpointSliceObject[]>();
  for (const slice of sorted(objects.endpointSlices)) {
    const warn = warnOf('EndpointSlice', slice.metadata);
    const service = serviceNameOf(slice, warn);
    if (service === null) continue;
    const key = `${slice.metadata.namespace}/${service}`;
    if (!known.has(key)) warn(`there is no Service ${key}`);
    else if (slice.addressType === 'FQDN') warn(FQDN_WARNING);
    else {
      const list = slices.get(key) ?? [];
      list.push(slice);
      slices.set(key, list);
    }
  }
  return slices;
}
