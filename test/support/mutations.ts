// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import type { WatchedKind } from '../../lib/sources/kubernetes/watched.js';

/** Objects of each kind in which everything is said that is read. Their addresses are nobody else's. */
const WHOLE: readonly [kind: WatchedKind, object: object][] = [
  [
    'Service',
    {
      kind: 'Service',
      metadata: {
        name: 'odd',
        namespace: 'shop',
        uid: '1',
        resourceVersion: '1',
        labels: { a: 'b' },
      },
      spec: {
        type: 'LoadBalancer',
        clusterIP: '10.97.0.1',
        clusterIPs: ['10.97.0.1', 'fd97::1'],
        externalIPs: ['192.0.2.97'],
        ports: [
          { name: 'a', protocol: 'TCP', port: 80, nodePort: 30_097 },
          { name: 'b', protocol: 'UDP', port: 81 },
        ],
        loadBalancerSourceRanges: ['10.0.0.0/8'],
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } },
        internalTrafficPolicy: 'Local',
        externalTrafficPolicy: 'Local',
        healthCheckNodePort: 32_097,
      },
      status: { loadBalancer: { ingress: [{ ip: '203.0.113.97', hostname: 'x', ipMode: 'VIP' }] } },
    },
  ],
  [
    'EndpointSlice',
    {
      metadata: {
        name: 'odd-1',
        namespace: 'shop',
        labels: { 'kubernetes.io/service-name': 'odd' },
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z' },
      },
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['10.197.0.1', '10.197.0.2'],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: 'here',
          hints: { forZones: [{ name: 'z' }], forNodes: [{ name: 'here' }] },
        },
      ],
      ports: [{ name: 'a', protocol: 'TCP', port: 8080 }],
    },
  ],
  [
    'Pod',
    {
      metadata: { name: 'odd', namespace: 'shop', labels: { a: 'b' }, deletionTimestamp: 'now' },
      spec: {
        nodeName: 'here',
        hostNetwork: false,
        containers: [{ ports: [{ name: 'a', containerPort: 1, protocol: 'UDP' }] }],
        initContainers: [{ ports: [{ containerPort: 2 }], restartPolicy: 'Always' }],
      },
      status: { phase: 'Running', podIP: '10.197.0.1', podIPs: [{ ip: '10.197.0.1' }] },
    },
  ],
  ['Namespace', { metadata: { name: 'odd', labels: { a: 'b' } } }],
  [
    'Node',
    {
      metadata: {
        name: 'here',
        labels: { a: 'b' },
        annotations: { a: 'b' },
        deletionTimestamp: 'now',
      },
      spec: { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24'], taints: [{ key: 'a' }] },
      status: {
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    },
  ],
  [
    'NetworkPolicy',
    {
      metadata: { name: 'odd', namespace: 'shop' },
      spec: {
        podSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ from: [{ podSelector: {}, namespaceSelector: { matchLabels: { a: 'b' } } }] }],
        egress: [
          {
            to: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }],
            ports: [{ protocol: 'TCP', port: 80, endPort: 90 }, { port: 'web' }],
          },
        ],
      },
    },
  ],
  [
    'ClusterNetworkPolicy',
    {
      metadata: { name: 'odd' },
      spec: {
        tier: 'Admin',
        priority: 7,
        subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { a: 'b' } } } },
        ingress: [{ name: 'x', action: 'Deny', from: [{ namespaces: {} }] }],
        egress: [
          {
            action: 'Accept',
            to: [{ networks: ['10.0.0.0/8'] }, { nodes: {} }],
            protocols: [
              { tcp: { destinationPort: { range: { start: 1, end: 9 } } } },
              { destinationNamedPort: 'web' },
            ],
          },
        ],
      },
    },
  ],
];

const JUNK: readonly unknown[] = [
  ...[undefined, null, 0, -1, 70_000, 1.5, Number.NaN, true, '', 'x', 'A b', [], {}],
  ...[[null], [[]], [7], ['x', 'x'], { a: null }, { a: {} }, '10.0.0.1', '::1', '127.0.0.1'],
  ...[
    '10.0.0.0/33',
    'fd00::/8',
    'x'.repeat(70),
    'x'.repeat(5_000),
    JSON.parse('{"__proto__": {"a": 1}}'),
  ],
];

/** Every object of which one value is something else. */
export function* everyMutation(): Generator<{ kind: WatchedKind; object: unknown }> {
  for (const [kind, whole] of WHOLE) {
    for (const place of placesIn(whole, [])) {
      for (const junk of JUNK) yield { kind, object: at(whole, place, junk) };
    }
  }
}

/** Objects of which one or a few values are something else; of these, some are right all the same. */
export const mutations = fc
  .tuple(
    fc.constantFrom(...WHOLE),
    fc.array(fc.tuple(fc.nat(10_000), fc.constantFrom(...JUNK)), { minLength: 1, maxLength: 3 }),
  )
  .map(([[kind, whole], changes]) => {
    const object = changes.reduce<unknown>(
      (before, [which, junk]) => replaced(before, which, junk),
      structuredClone(whole),
    );
    return { kind, object };
  });

/** A copy in which the value at one of all places is another one. */
function replaced(value: unknown, which: number, by: unknown): unknown {
  const places = placesIn(value, []);
  const place = places[which % places.length]!;
  return at(value, place, by);
}

function placesIn(value: unknown, place: readonly string[]): string[][] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [[...place], ...inner.flatMap(([key, each]) => placesIn(each, [...place, key]))];
}

function at(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
    string,
    unknown
  >;
  copy[key] = at(copy[key], rest, by);
  return copy;
}
