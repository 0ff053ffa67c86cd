// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { SluiceError } from '../../lib/errors.js';
import { parseManifests, readManifests } from '../../lib/sources/files/manifests.js';

const service = (body: string) => `apiVersion: v1\nkind: Service\nmetadata: {name: web}\n${body}`;
const ports = (list: string) => service(`spec: {clusterIP: 10.96.0.10, ports: ${list}}`);
const node = (body: string) => `apiVersion: v1\nkind: Node\nmetadata: {name: a}\n${body}`;
const slice = (body: string) =>
  `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-1}\n${body}`;
const pod = (body: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n${body}`;
const policy = (spec: string) =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: ${spec}`;
const ofCluster = (spec: string) => {
  const head = 'apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy';
  return `${head}\nmetadata: {name: p}\nspec: {tier: Admin, priority: 1, subject: {namespaces: {}}, ${spec}}`;
};
const GOOD = ports('[{port: 80}]');

/** Text of a manifest, path behind the file's name, words that say what would be right. */
const ROWS: [text: string, path: string, fragment: string][] = [
  ['a: {', '#1', 'not YAML'],
  [pod(''), '#1: spec', 'an object with containers, found nothing'],
  [pod('spec: {hostNetwork: 1}'), '#1: spec.hostNetwork', 'expected true or false'],
  [
    pod('spec: {containers: [{ports: [{name: web}]}]}'),
    '#1: spec.containers[0].ports[0].containerPort',
    'a port number from 1 to 65535, found nothing',
  ],
  [pod('spec: {}\nstatus: {podIP: a}'), '#1: status.podIP', 'found "a"'],
  [policy('7'), '#1: spec', 'expected an object, found 7'],
  [policy('{policyTypes: [ingress]}'), '#1: spec.policyTypes[0]', 'did you mean Ingress?'],
  [
    policy('{podSelector: {matchLabels: {a: 1}}}'),
    '#1: spec.podSelector.matchLabels.a',
    'quote numbers and booleans',
  ],
  [
    policy('{podSelector: {matchExpressions: [{key: a, operator: in}]}}'),
    '#1: spec.podSelector.matchExpressions[0].operator',
    'did you mean In?',
  ],
  [
    policy('{podSelector: {matchExpressions: [{key: a, operator: In}]}}'),
    '#1: spec.podSelector.matchExpressions[0].values',
    'at least one value (In)',
  ],
  [
    policy('{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/7]}}]}]}'),
    '#1: spec.ingress[0].from[0].ipBlock.except[0]',
    'a network within "10.0.0.0/8"',
  ],
  [
    policy('{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0}}]}]}'),
    '#1: spec.ingress[0].from[0].ipBlock.cidr',
    'found "10.0.0.0"',
  ],
  [
    policy('{egress: [{ports: [{port: 80, endPort: 79}]}]}'),
    '#1: spec.egress[0].ports[0].endPort',
    'a port from 80 on, found 79',
  ],
  [
    policy('{egress: [{ports: [{port: web, endPort: 79}]}]}'),
    '#1: spec.egress[0].ports[0].endPort',
    'the port is no number',
  ],
  [
    policy('{egress: [{ports: [{port: 0}]}]}'),
    '#1: spec.egress[0].ports[0].port',
    'a port number from 1 to 65535, found 0',
  ],
  [ofCluster('tier: 1').replace('tier: Admin, ', ''), '#1: spec.tier', 'Admin or Baseline'],
  [
    ofCluster('ingress: [{action: Allow, from: [{namespaces: {}}]}]'),
    '#1: spec.ingress[0].action',
    'Accept, Deny or Pass',
  ],
  [
    ofCluster('ingress: [{action: Accept, from: []}]'),
    '#1: spec.ingress[0].from',
    'at least one peer',
  ],
  [
    ofCluster('').replace('subject: {namespaces: {}}', 'subject: {}'),
    '#1: spec.subject',
    'either namespaces or pods',
  ],
  ['a: 1\na: 2', '#1', 'not YAML: Map keys must be unique'],
  [`${GOOD}\n---\nkind: [`, '#2', 'not YAML'],
  ['{"kind": "Service",}}', '#1', 'not YAML'],
  ['just a text', '#1', 'expected an object with apiVersion and kind, found "just a text"'],
  ['[1, 2]', '#1', 'expected an object with apiVersion and kind, found a list'],
  ['apiVersion: v1', '#1: kind', 'such as Service, found nothing'],
  [`${GOOD}\n---\n---\nkind: 3`, '#3: kind', 'found 3'],
  [
    'kind: Service\nmetadata: {name: a}',
    '#1: apiVersion',
    'expected v1 for a Service, found nothing',
  ],
  [
    'kind: EndpointSlice\napiVersion: discovery.k8s.io/v1beta1',
    '#1: apiVersion',
    'expected discovery.k8s.io/v1',
  ],
  ['kind: List\napiVersion: v1', '#1: items', 'expected a list of objects, found nothing'],
  ['kind: ServiceList\napiVersion: v1\nitems: {}', '#1: items', 'expected a list of objects'],
  ['kind: List\nitems: [null]', '#1.items[0]', 'expected an object with apiVersion and kind'],
  [
    'kind: ServiceList\napiVersion: v1\nitems: [{metadata: {name: a}, spec: {ports: [{port: 0}]}}]',
    '#1.items[0]: spec.ports[0].port',
    'a port number from 1 to 65535, found 0',
  ],
  ['kind: Service\napiVersion: v1', '#1: metadata', 'an object with the name, found nothing'],
  ['kind: Service\napiVersion: v1\nmetadata: {}', '#1: metadata.name', 'expected a name'],
  ['kind: Service\napiVersion: v1\nmetadata: {name: A_b}', '#1: metadata.name', 'lower-case'],
  [service('spec: 7'), '#1: spec', 'expected an object with ports, found 7'],
  [service('spec: {clusterIP: 10.96.0.10}'), '#1: spec.ports', 'at least one port, found none'],
  [ports('{}'), '#1: spec.ports', 'expected a list of ports, found an object'],
  [ports('[{}]'), '#1: spec.ports[0].port', 'found nothing'],
  [ports('[{port: "80"}]'), '#1: spec.ports[0].port', 'found "80"'],
  [ports('[{port: 65536}]'), '#1: spec.ports[0].port', 'from 1 to 65535, found 65536'],
  [ports('[{port: 8.5}]'), '#1: spec.ports[0].port', 'found 8.5'],
  [ports('[{port: 80, protocol: http}]'), '#1: spec.ports[0].protocol', 'TCP, UDP or SCTP'],
  [ports('[{port: 80, protocol: tcp}]'), '#1: spec.ports[0].protocol', 'did you mean TCP?'],
  [ports('[{port: 80, name: A B}]'), '#1: spec.ports[0].name', 'lower-case letters'],
  [ports('[{port: 80}, {port: 81, name: b}]'), '#1: spec.ports[0].name', 'of several ports'],
  [
    ports('[{port: 80, name: a}, {port: 80, name: b}]'),
    '#1: spec.ports[1].port',
    'give another port or protocol',
  ],
  [
    ports('[{port: 80, name: a}, {port: 81, name: a}]'),
    '#1: spec.ports[1].name',
    'port names must differ',
  ],
  [
    service('spec: {clusterIP: 10.96.0, ports: [{port: 80}]}'),
    '#1: spec.clusterIP',
    'an IP address',
  ],
  [
    service('spec: {clusterIP: 127.0.0.1, ports: [{port: 80}]}'),
    '#1: spec.clusterIP',
    'a unicast address outside',
  ],
  [
    service('spec: {type: NodeProt, ports: [{port: 80}]}'),
    '#1: spec.type',
    'did you mean NodePort?',
  ],
  [
    'kind: Service\napiVersion: v1\nmetadata: {name: a, labels: {v: 1}}\nspec: {ports: [{port: 1}]}',
    '#1: metadata.labels.v',
    'quote numbers',
  ],
  [ports('[{port: 80, nodePort: 70000}]'), '#1: spec.ports[0].nodePort', 'from 0 to 65535'],
  [
    service('spec: {clusterIP: 10.96.0.1, externalIPs: [192.0.2.1, here], ports: [{port: 80}]}'),
    '#1: spec.externalIPs[1]',
    'an IP address, found "here"',
  ],
  [
    service('spec: {externalIPs: ["fe80::1"], ports: [{port: 80}]}'),
    '#1: spec.externalIPs[0]',
    'a unicast address outside',
  ],
  [
    service('spec: {ports: [{port: 80}], loadBalancerSourceRanges: [10.0.0.0/33]}'),
    '#1: spec.loadBalancerSourceRanges[0]',
    'a network such as',
  ],
  [
    service('spec: {ports: [{port: 80}], sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}}'),
    '#1: spec.sessionAffinityConfig.clientIP.timeoutSeconds',
    'seconds from 1 to 86400',
  ],
  [
    service('spec: {ports: [{port: 80}], externalTrafficPolicy: local}'),
    '#1: spec.externalTrafficPolicy',
    'did you mean Local?',
  ],
  [
    `${GOOD}\nstatus: {loadBalancer: {ingress: [{ip: 203.0.113.1}, {ip: lb}]}}`,
    '#1: status.loadBalancer.ingress[1].ip',
    'an IP address, or nothing',
  ],
  [
    `${GOOD}\nstatus: {loadBalancer: {ingress: [{ip: 203.0.113.1, ipMode: Vip}]}}`,
    '#1: status.loadBalancer.ingress[0].ipMode',
    'did you mean VIP?',
  ],
  [
    slice('addressType: IPv6\nendpoints: [{addresses: [10.1.1.2]}]'),
    '#1: endpoints[0].addresses[0]',
    'expected an IPv6 address',
  ],
  [
    slice('addressType: IPv6\nendpoints: [{addresses: ["::1"]}]'),
    '#1: endpoints[0].addresses[0]',
    'a unicast address outside',
  ],
  [
    slice('addressType: IPv4\nendpoints: [{addresses: [], hints: {forZones: [{name: ""}]}}]'),
    '#1: endpoints[0].hints.forZones[0].name',
    'the name of a zone',
  ],
  [node('spec: {podCIDRs: [10.1.0.0]}'), '#1: spec.podCIDRs[0]', 'a network such as'],
  [node('status: {addresses: [{type: A}]}'), '#1: status.addresses[0].address', 'an address'],
  [node('').replace('v1', 'v2'), '#1: apiVersion', 'expected v1 for a Node'],
  [slice('endpoints: []'), '#1: addressType', 'expected IPv4, IPv6 or FQDN, found nothing'],
  [slice('addressType: IPv5'), '#1: addressType', 'did you mean IPv4?'],
  [slice('addressType: IPv4\nendpoints: {}'), '#1: endpoints', 'expected a list of endpoints'],
  [
    slice('addressType: IPv4\nendpoints: [{addresses: [web-1.local]}]'),
    '#1: endpoints[0].addresses[0]',
    'expected an IPv4 address',
  ],
  [
    slice('addressType: IPv4\nendpoints: [{addresses: [10.1.1.2]}, {addresses: [127.0.0.1]}]'),
    '#1: endpoints[1].addresses[0]',
    'a unicast address outside',
  ],
  [
    slice('addressType: IPv4\nendpoints: [{addresses: [10.1.1.2], conditions: {ready: "yes"}}]'),
    '#1: endpoints[0].conditions.ready',
    'true or false, found "yes"',
  ],
  [slice('addressType: IPv4\nports: [{port: -1}]'), '#1: ports[0].port', 'from 0 to 65535'],
  [`${GOOD}\n---\n${GOOD}`, '#2: metadata.name', 'given already at shop.yaml#1'],
];

for (const [text, path, fragment] of ROWS) {
  test(`${path}: ${fragment} (${text.slice(-40).replaceAll('\n', ' ')})`, (t) => {
    const error = t.throws(() => parseManifests([{ name: 'shop.yaml', text }]), {
      instanceOf: SluiceError,
      code: 'ERR_MANIFEST',
    });
    t.is(error?.path, `shop.yaml${path}`);
    t.true(error?.message.includes(fragment), error?.message);
  });
}

test('aliases that would grow without bound are refused', (t) => {
  const rows = ['a0: &a0 [x,x,x,x,x,x,x,x,x]'];
  for (let i = 1; i < 9; i++) rows.push(`a${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]`);
  t.throws(() => parseManifests([{ name: 'bomb.yaml', text: rows.join('\n') }]), {
    code: 'ERR_MANIFEST',
    message: /bomb\.yaml#1: not YAML/,
  });
});

test('a path that is not there, and a folder without manifests', async (t) => {
  const missing = await t.throwsAsync(readManifests(['no/such']), { code: 'ERR_MANIFEST' });
  t.is(missing?.message, 'no/such: there is no such file or folder');
  await t.throwsAsync(readManifests(['lib/compile']), {
    message: /no \*\.yaml, \*\.yml or \*\.json/,
  });
});
