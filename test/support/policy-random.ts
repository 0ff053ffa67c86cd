// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import type { Cluster, Packet, PodManifest, PolicyManifest, Selector } from './policy-oracle.js';
import {
  addressesOf,
  clusterPolicy,
  NAMESPACE_NAMES,
  networkPolicy,
  PARTIES,
  POD_NAMES,
} from './policy-world.js';

/** Clusters so small that labels, ports and networks meet again and again. */
const value = fc.constantFrom('a', 'b');
const key = fc.constantFrom('pod', 'ns', 'tier');
const labels = fc.dictionary(key, value, { maxKeys: 2 });

const expression = fc.oneof(
  fc.record({
    key,
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.uniqueArray(value, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
);

const selector: fc.Arbitrary<Selector> = fc.record(
  {
    matchLabels: fc.dictionary(key, value, { maxKeys: 1 }),
    matchExpressions: fc.array(expression, { maxLength: 1 }),
  },
  { requiredKeys: [] },
);

const BLOCKS = [
  { cidr: '0.0.0.0/0' },
  { cidr: '10.1.0.0/16', except: ['10.1.2.0/24'] },
  { cidr: '10.1.2.0/24', except: ['10.1.2.2/32', '10.1.2.1/32'] },
  { cidr: '10.1.2.2/32' },
  { cidr: '10.0.0.0/8', except: ['10.1.0.0/16', '10.1.2.2/32'] },
  { cidr: '::/0', except: ['fd00:1:3::/48'] },
  { cidr: 'fd00:1:3::2/127' },
] as const;
const block = fc.constantFrom(...BLOCKS).map(
  (each) =>
    structuredClone(each) as {
      cidr: string;
      except?: string[];
    },
);

const peer = fc.oneof(
  fc
    .record({ podSelector: selector, namespaceSelector: selector }, { requiredKeys: [] })
    .map((each) => (Object.keys(each).length === 0 ? { podSelector: {} } : each)),
  block.map((ipBlock) => ({ ipBlock })),
);

const protocol = fc.constantFrom('TCP', 'UDP', 'SCTP');
const port = fc.oneof(
  fc.record({ protocol, port: fc.constantFrom(80, 81) }, { requiredKeys: [] }),
  fc.record({ protocol, port: fc.constantFrom('web', 'dns') }),
  fc.record({ protocol, port: fc.constant(80), endPort: fc.constantFrom(80, 81) }),
);

const peersAndPorts = { ports: fc.array(port, { maxLength: 2 }) };
const network: fc.Arbitrary<PolicyManifest> = fc
  .record({
    namespace: fc.constantFrom(...NAMESPACE_NAMES),
    name: fc.constantFrom('p', 'q'),
    spec: fc.record(
      {
        podSelector: selector,
        policyTypes: fc.subarray(['Ingress', 'Egress']),
        ingress: fc.array(fc.record({ from: fc.array(peer, { maxLength: 2 }), ...peersAndPorts }), {
          maxLength: 2,
        }),
        egress: fc.array(fc.record({ to: fc.array(peer, { maxLength: 2 }), ...peersAndPorts }), {
          maxLength: 2,
        }),
      },
      { requiredKeys: ['podSelector'] },
    ),
  })
  .map(({ namespace, name, spec }) => networkPolicy(namespace, name, spec));

const podsPeer = fc
  .record({ namespaceSelector: selector, podSelector: selector })
  .map((pods) => ({ pods }));
const namespacesPeer = selector.map((namespaces) => ({ namespaces }));
const networksPeer = fc
  .uniqueArray(block, { minLength: 1, maxLength: 2, selector: ({ cidr }) => cidr })
  .map((blocks) => ({ networks: blocks.map(({ cidr }) => cidr) }));
const unknownPeer = fc.constant({ moons: {} });

const destinationPort = fc.oneof(
  fc.record({ number: fc.constantFrom(80, 81) }),
  fc.constant({ range: { start: 80, end: 81 } }),
);
const clusterProtocol = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('tcp', 'udp', 'sctp'),
      fc.record({ destinationPort }, { requiredKeys: [] }),
    )
    .map(([name, transport]) => ({ [name]: transport })),
  fc.constantFrom('web', 'dns').map((destinationNamedPort) => ({ destinationNamedPort })),
);
const clusterRule = {
  action: fc.constantFrom('Accept', 'Deny', 'Pass'),
  protocols: fc.array(clusterProtocol, { maxLength: 2 }),
};
const ingressPeer = fc.oneof(
  { weight: 5, arbitrary: podsPeer },
  { weight: 5, arbitrary: namespacesPeer },
  { weight: 1, arbitrary: unknownPeer },
);
const egressPeer = fc.oneof(
  { weight: 5, arbitrary: ingressPeer },
  { weight: 3, arbitrary: networksPeer },
);

const ofCluster: fc.Arbitrary<PolicyManifest> = fc
  .record({
    name: fc.constantFrom('p', 'q', 'r'),
    tier: fc.constantFrom('Admin' as const, 'Baseline' as const),
    priority: fc.constantFrom(0, 1),
    subject: fc.oneof(namespacesPeer, podsPeer),
    ingress: fc.array(
      fc.record({ from: fc.array(ingressPeer, { minLength: 1, maxLength: 2 }), ...clusterRule }),
      { maxLength: 3 },
    ),
    egress: fc.array(
      fc.record({ to: fc.array(egressPeer, { minLength: 1, maxLength: 2 }), ...clusterRule }),
      { maxLength: 3 },
    ),
  })
  .map(({ name, tier, priority, ...spec }) => clusterPolicy(tier, priority, name, spec));

const containerPorts = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('web', 'dns'),
    containerPort: fc.constantFrom(80, 81),
    protocol,
  }),
  { maxLength: 3, selector: ({ name, protocol: of }) => `${name} ${of}` },
);

const pods = fc
  .subarray(NAMESPACE_NAMES.flatMap((namespace) => POD_NAMES.map((name) => [namespace, name])))
  .chain((names) =>
    fc.tuple(
      ...names.map(([namespace = '', name = '']) =>
        fc
          .record({
            labels,
            ports: containerPorts,
            hostNetwork: fc.constantFrom(false, false, false, false, true),
            phase: fc.constantFrom('Running', 'Running', 'Running', 'Pending', 'Failed'),
          })
          .map(({ labels: own, ports, hostNetwork, phase }): PodManifest => {
            const podIPs = addressesOf(namespace, name).map((ip) => ({ ip }));
            return {
              metadata: { namespace, name, labels: own },
              spec: { hostNetwork, containers: [{ ports }] },
              status: { phase, podIPs },
            };
          }),
      ),
    ),
  );

const namespaces = fc
  .subarray([...NAMESPACE_NAMES])
  .chain((names) =>
    fc.tuple(...names.map((name) => labels.map((own) => ({ metadata: { name, labels: own } })))),
  );

const policies = fc.uniqueArray(
  fc.oneof({ weight: 3, arbitrary: network }, { weight: 2, arbitrary: ofCluster }),
  {
    maxLength: 6,
    selector: ({ metadata }) => JSON.stringify(metadata),
  },
);

export const cluster: fc.Arbitrary<Cluster> = fc.record({ namespaces, pods, policies });

const packet: fc.Arbitrary<Packet> = fc.constantFrom(...PARTIES).chain((parties) =>
  fc.record({
    source: fc.constantFrom(...parties),
    destination: fc.constantFrom(...parties),
    protocol: fc.constantFrom('TCP' as const, 'UDP' as const, 'SCTP' as const),
    port: fc.constantFrom(80, 81),
    byService: fc.boolean(),
  }),
);

export const packets = fc.array(packet, { minLength: 40, maxLength: 80 });
