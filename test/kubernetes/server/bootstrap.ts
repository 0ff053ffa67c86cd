// SPDX-License-Identifier: Apache-2.0
import type { Registry } from './registry.js';

const MANAGER = { manager: 'kube-apiserver' };
/** Endpoints may not be loopback addresses: an address of documentation (RFC 5737). */
const ADVERTISED = '192.0.2.1';

/** What a cluster has before anybody makes anything. Nothing, if it is there already. */
export function firstObjects(registry: Registry, port: number): void {
  const { store } = registry;
  const resource = (plural: string, group = '') => registry.find(group, 'v1', plural)!;
  if (store.collection('namespaces').objects.size > 0) return;
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system']) {
    const body = { kind: 'Namespace', apiVersion: 'v1', metadata: { name } };
    registry.create(resource('namespaces'), null, body, MANAGER);
  }
  const labels = { component: 'apiserver', provider: 'kubernetes' };
  const family = registry.allocations.families[0]!;
  const service = {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: { name: 'kubernetes', labels },
    spec: {
      clusterIP: registry.allocations.firstAddress(family),
      ports: [{ name: 'https', port: 443, targetPort: port }],
    },
  };
  registry.create(resource('services'), 'default', service, MANAGER);
  const endpoints = {
    kind: 'Endpoints',
    apiVersion: 'v1',
    metadata: {
      name: 'kubernetes',
      labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
    },
    subsets: [
      { addresses: [{ ip: ADVERTISED }], ports: [{ name: 'https', port, protocol: 'TCP' }] },
    ],
  };
  registry.create(resource('endpoints'), 'default', endpoints, MANAGER);
  const slice = {
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    metadata: { name: 'kubernetes', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [ADVERTISED], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  };
  registry.create(resource('endpointslices', 'discovery.k8s.io'), 'default', slice, MANAGER);
}
