// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import type { WatchedKind } from '../../lib/sources/kubernetes/watched.js';

/**
 * Objects of a cluster so small that most of them want what another one has: whatever may be contested
 * is, sooner or later.
 */

export interface Named {
  metadata: { name: string; namespace?: string };
}

const namespace = fc.constantFrom('a', 'b');
const few = <T>(...values: T[]) => fc.uniqueArray(fc.constantFrom(...values), { maxLength: 2 });
const maybe = <T>(value: T) => fc.constantFrom(undefined, undefined, undefined, value);

const port = fc.constantFrom(
  { name: 'x', port: 80 },
  { name: 'x', port: 80, nodePort: 30_001 },
  { name: 'y', port: 81, nodePort: 30_001 },
  { name: 'y', port: 81 },
  { name: 'z', port: 80, protocol: 'UDP', nodePort: 30_001 },
  { name: 'w', port: 82, nodePort: 30_002 },
);
const ports = fc.uniqueArray(port, { minLength: 1, maxLength: 3, selector: ({ name }) => name });

export const service = fc.record({
  metadata: fc.record({
    name: fc.constantFrom('s', 't', 'u', 'constructor'),
    namespace,
    labels: fc.record({
      'service.kubernetes.io/service-proxy-name': maybe(''),
      app: few('x', 'y').map(String),
    }),
  }),
  spec: fc.record({
    type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer', 'LoadBalancer', 'ExternalName'),
    clusterIP: fc.constantFrom('10.96.0.1', '10.96.0.2', '10.96.0.3', 'fd00::1', 'None', ''),
    clusterIPs: few('fd00::1', 'fd00::2', '10.96.0.3'),
    externalIPs: few('10.96.0.1', '192.0.2.1', '192.0.2.2', '2001:db8::1'),
    externalTrafficPolicy: fc.constantFrom('Cluster', 'Local', 'Local'),
    internalTrafficPolicy: fc.constantFrom('Cluster', 'Local'),
    healthCheckNodePort: fc.constantFrom(0, 32_000, 32_001),
    sessionAffinity: fc.constantFrom('None', 'ClientIP'),
    ports,
  }),
  status: fc.record({
    loadBalancer: fc.record({
      ingress: few({ ip: '192.0.2.1' }, { ip: '192.0.2.3' }, { ip: '192.0.2.4', ipMode: 'Proxy' }),
    }),
  }),
});

const condition = fc.constantFrom(
  ...[undefined, { ready: true }, { ready: false, serving: true, terminating: true }],
  ...[
    { ready: false, serving: false },
    { ready: false, serving: false, terminating: true },
  ],
);
const endpointOf = (...addresses: string[]) =>
  fc.record({
    addresses: fc.constantFrom(...addresses).map((each) => [each]),
    conditions: condition,
    nodeName: fc.constantFrom(undefined, 'here', 'there'),
  });
const slicePort = fc.constantFrom(
  ...[
    { name: 'x', port: 8080 },
    { name: 'y', port: 8081 },
    { name: 'x', port: 8081 },
  ],
  ...[{ name: 'z', port: 53, protocol: 'UDP' }, { name: 'w' }],
);

export const slice = fc
  .record({
    metadata: fc.record({
      name: fc.constantFrom('e', 'f', 'g', 'h'),
      namespace,
      labels: fc.record({
        'kubernetes.io/service-name': fc.constantFrom('s', 's', 't', 'u', ''),
        'service.kubernetes.io/headless': maybe(''),
      }),
    }),
    addressType: fc.constantFrom('IPv4', 'IPv4', 'IPv4', 'IPv6', 'FQDN'),
    ports: fc.uniqueArray(slicePort, { maxLength: 3 }),
    four: fc.array(endpointOf('10.1.0.1', '10.1.0.2', '10.01.0.2', '9.0.0.1'), { maxLength: 4 }),
    six: fc.array(endpointOf('fd00:1::1', 'FD00:1::2'), { maxLength: 2 }),
  })
  .map(({ four, six, ...rest }) => ({
    ...rest,
    endpoints: rest.addressType === 'IPv6' ? six : four,
  }));

export const pod = fc.record({
  metadata: fc.record({
    name: fc.constantFrom('p', 'q', 'r'),
    namespace,
    labels: fc.record({ app: few('x', 'y').map(String) }),
    deletionTimestamp: maybe('2026-01-01T00:00:00Z'),
  }),
  spec: fc.record({ hostNetwork: maybe(true), containers: fc.constant([]) }),
  status: fc.record({
    phase: fc.constantFrom('Running', 'Running', 'Pending', 'Failed'),
    podIPs: few({ ip: '10.1.0.1' }, { ip: '10.1.0.2' }, { ip: 'fd00:1::1' }),
    restarts: fc.nat(3),
  }),
});

export const namespaceObject = fc.record({
  metadata: fc.record({ name: namespace, labels: fc.record({ team: few('x', 'y').map(String) }) }),
});

export const networkPolicy = fc.record({
  metadata: fc.record({ name: fc.constantFrom('p', 'q'), namespace }),
  spec: fc.record({ egress: few({}, { to: [{ podSelector: {} }] }, { to: [{ moon: {} }] }) }),
});

export const clusterNetworkPolicy = fc.record({
  metadata: fc.record({ name: fc.constantFrom('p', 'q') }),
  spec: fc.record({
    tier: fc.constantFrom('Admin', 'Baseline'),
    priority: fc.nat(2),
    subject: fc.constant({ namespaces: {} }),
    egress: few({ action: 'Deny', to: [{ nodes: {} }] }, { action: 'Pass', to: [{ pods: {} }] }),
  }),
});

export const OBJECTS: Readonly<Record<Exclude<WatchedKind, 'Node'>, fc.Arbitrary<Named>>> = {
  Service: service as fc.Arbitrary<Named>,
  EndpointSlice: slice as fc.Arbitrary<Named>,
  Pod: pod as fc.Arbitrary<Named>,
  Namespace: namespaceObject,
  NetworkPolicy: networkPolicy as fc.Arbitrary<Named>,
  ClusterNetworkPolicy: clusterNetworkPolicy as fc.Arbitrary<Named>,
};
