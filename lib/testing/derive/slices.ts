// SPDX-License-Identifier: Apache-2.0
import { familyOf } from '../../model/address.js';
import type { GivenSlice } from './inventory.js';
import type { ClusterPod } from './pods.js';
import { hasLabels } from './selector.js';
import type { ClusterService, ClusterServicePort } from './services.js';

/** Somebody who answers for a service, and on which port. */
export interface ClusterEndpoint {
  readonly address: string;
  /** Of the service. */
  readonly portName: string;
  readonly protocol: string;
  /** Of the endpoint. */
  readonly port: number;
  readonly ready: boolean;
}

type Warn = (message: string) => void;

/**
 * EndpointSlices as their controller would write them: one for each family and each set of port
 * numbers, since a named port may be another number in another pod.
 */
export function sliceObjects(
  service: ClusterService,
  pods: readonly ClusterPod[],
  warn: Warn,
): object[] {
  const { namespace, name, selector, headless, addresses } = service;
  if (selector === null || service.type === 'ExternalName') return [];
  const selected = pods.filter(
    (pod) => pod.namespace === namespace && hasLabels(pod.labels, selector),
  );
  if (selected.length === 0) {
    warn(`Service ${namespace}/${name}: no pod has the labels of its selector`);
  }
  warnOfNames(service, selected, warn);
  const families = headless
    ? new Set(selected.flatMap((pod) => pod.addresses.map(familyOf)))
    : new Set(addresses.map(familyOf));
  return [...families].flatMap((family) => {
    const groups = new Map<string, { ports: object[]; endpoints: object[] }>();
    for (const pod of selected) {
      const address = pod.addresses.find((each) => familyOf(each) === family);
      if (address === undefined) continue;
      const ports = portsOf(service, pod);
      const key = JSON.stringify(ports);
      const group = groups.get(key) ?? { ports, endpoints: [] };
      group.endpoints.push(endpointOf(service, pod, address));
      groups.set(key, group);
    }
    return [...groups.values()].map((group, index) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: `${name}-ipv${family}-${index + 1}`,
        namespace,
        labels: {
          'kubernetes.io/service-name': name,
          ...(headless && { 'service.kubernetes.io/headless': '' }),
        },
      },
      addressType: `IPv${family}`,
      ...group,
    }));
  });
}

function endpointOf(service: ClusterService, pod: ClusterPod, address: string): object {
  const ready = (pod.ready && !pod.terminating) || service.publishNotReady;
  return {
    addresses: [address],
    conditions: { ready, serving: pod.ready, terminating: pod.terminating },
    nodeName: pod.node,
    targetRef: { kind: 'Pod', namespace: pod.namespace, name: pod.name },
  };
}

function portsOf({ ports }: ClusterService, pod: ClusterPod): object[] {
  return ports.flatMap((each) => {
    const port = targetOf(each, pod);
    return port === null ? [] : [{ name: each.name, protocol: each.protocol, port }];
  });
}

/** Number of the pod's port, or `null` where the pod has none of that name and protocol. */
function targetOf({ targetPort, protocol }: ClusterServicePort, pod: ClusterPod): number | null {
  if (typeof targetPort === 'number') return targetPort;
  const found = pod.ports.find((port) => port.name === targetPort && port.protocol === protocol);
  return found?.containerPort ?? null;
}

function warnOfNames(service: ClusterService, pods: readonly ClusterPod[], warn: Warn): void {
  for (const port of service.ports) {
    if (pods.length === 0 || pods.some((pod) => targetOf(port, pod) !== null)) continue;
    const which = `${port.targetPort}/${port.protocol}`;
    warn(`Service ${service.namespace}/${service.name}: none of its pods has the port ${which}`);
  }
}

/** Endpoints of slices, given or as {@link sliceObjects} writes them. */
export function endpointsIn(slices: readonly GivenSlice['object'][]): ClusterEndpoint[] {
  return slices.flatMap(({ endpoints, ports }) =>
    ports.flatMap(({ name, protocol, port }) =>
      endpoints
        .filter(({ address }) => address !== '')
        .map(({ address, ready }) => ({ address, portName: name, protocol, port, ready })),
    ),
  );
}
