// SPDX-License-Identifier: Apache-2.0
import { checkModel } from '../../lib/model/check.js';
import { type Row, table } from '../support/broken.js';

const service = (over: object = {}) => ({
  name: 'web',
  addresses: ['10.96.0.10'],
  ports: [{ protocol: 'TCP', port: 80, backends: [] }],
  ...over,
});
const port = (over: object) => service({ ports: [{ ...service().ports[0], ...over }] });
const backend = (over: object) => port({ backends: [{ address: '10.1.1.2', port: 1, ...over }] });
const model = (...services: object[]) => ({ services });

const MODELS: Row[] = [
  [
    null,
    undefined,
    'expected an object with services, interfaces, routes, node, namespaces, pods, policies, found nothing',
  ],
  [{ service: [] }, 'service', 'did you mean services?'],
  [{ services: {} }, 'services', 'expected a list of services, found an object'],
  [model(service(), 7 as never), 'services[1]', 'expected an object with name'],
  [model({ ...service(), adresses: [] }), 'services[0].adresses', 'did you mean addresses?'],
  [model(service({ name: 'Web_1' })), 'services[0].name', 'lower-case letters, digits'],
  [model(service({ namespace: 'a/b' })), 'services[0].namespace', 'found "a/b"'],
  [model(service({ addresses: [] })), 'services[0].addresses', 'at least one address'],
  [model(service({ addresses: ['10.96.0.010'] })), 'services[0].addresses[0]', 'no leading zeros'],
  [model(service({ addresses: ['10.96.0'] })), 'services[0].addresses[0]', 'such as 10.96.0.10'],
  [
    model(service({ addresses: ['fe80::1'] })),
    'services[0].addresses[0]',
    'fe80::/10 and ff00::/8',
  ],
  [model(service({ addresses: ['::ffff:10.0.0.1'] })), 'services[0].addresses[0]', 'or fd00::10'],
  [
    model(service({ addresses: ['127.0.0.1'] })),
    'services[0].addresses[0]',
    'unicast address outside',
  ],
  [
    model(service({ addresses: ['10.96.0.1', '10.96.0.1'] })),
    'services[0].addresses[1]',
    'leave one of them out',
  ],
  [model(service({ ports: [] })), 'services[0].ports', 'at least one port'],
  [model(port({ protocol: 'tcp' })), 'services[0].ports[0].protocol', 'did you mean TCP?'],
  [model(port({ port: 0 })), 'services[0].ports[0].port', 'from 1 to 65,535, found 0'],
  [model(port({ port: '80' })), 'services[0].ports[0].port', 'found "80"'],
  [model(port({ backends: undefined })), 'services[0].ports[0].backends', 'a list of backends'],
  [
    model(service({ name: 'a' }), service({ addresses: ['10.96.0.2'] }), {
      ...backend({}),
      name: 'b',
      addresses: ['10.96.0.3'],
      ports: [
        {
          protocol: 'UDP',
          port: 53,
          backends: [
            { address: '10.1.1.2', port: 53 },
            { address: '10.1.2.2', port: 53, weight: 65_536 },
          ],
        },
      ],
    }),
    'services[2].ports[0].backends[1].weight',
    'a weight from 0 to 65,535, found 65536',
  ],
  [
    model(backend({ through: {} })),
    'services[0].ports[0].backends[0].through.via',
    'a next hop needs via=ADDRESS',
  ],
  [
    model(backend({ through: { via: 'fd00::1' } })),
    'services[0].ports[0].backends[0].through.via',
    'its family, IPv4',
  ],
  [
    model(backend({ through: { dev: 'a', weight: 2 } })),
    'services[0].ports[0].backends[0].through.weight',
    'via, dev',
  ],
  [
    model(
      port({
        backends: [
          { address: '10.1.1.2', port: 80, through: { dev: 'a' } },
          { address: '10.1.1.3', port: 80 },
        ],
      }),
    ),
    'services[0].ports[0].backends[1].through',
    'to all backends of a service port as they came, or to none',
  ],
  [
    model(backend({ address: 'web-1' })),
    'services[0].ports[0].backends[0].address',
    'found "web-1"',
  ],
  [
    model(port({ backends: [backendRow('10.1.1.2'), backendRow('10.1.1.2')] })),
    'services[0].ports[0].backends[1]',
    'backends[0] already',
  ],
  [
    model(
      service({
        ports: [
          { name: 'a', protocol: 'TCP', port: 80, backends: [] },
          { name: 'b', protocol: 'TCP', port: 80, backends: [] },
        ],
      }),
    ),
    'services[0].ports[1].port',
    'once per protocol',
  ],
  [
    model(service({ ports: [...service().ports, { protocol: 'UDP', port: 80, backends: [] }] })),
    'services[0].ports[0].name',
    'a service of several ports',
  ],
  [model(service(), service()), 'services[1].name', 'names must differ within a namespace'],
  [
    model(service({ name: 'zoo' }), service({ name: 'ant' })),
    'services[1].addresses[0]',
    'services default/ant and default/zoo both answer on 10.96.0.10:80/TCP',
  ],
];

function balanced(loadBalancer: unknown) {
  return model(service({ loadBalancer }));
}

const icmp = (over: object) => model(port({ protocol: 'ICMP', port: 0, ...over }));

const SERVICES_OF_ALL_TYPES: Row[] = [
  [
    model(service({ addresses: [] })),
    'services[0].addresses',
    'at least one address (there is no other destination)',
  ],
  [model(service({ externalIPs: 'x' })), 'services[0].externalIPs', 'a list of addresses'],
  [
    model(service({ externalIPs: ['192.0.2.1', '192.0.2.1'] })),
    'services[0].externalIPs[1]',
    'given twice',
  ],
  [
    model(service({ externalIPs: ['10.96.0.10'] })),
    'services[0].externalIPs[0]',
    "among the service's own addresses",
  ],
  [balanced([]), 'services[0].loadBalancer', 'expected an object with addresses'],
  [balanced({ address: [] }), 'services[0].loadBalancer.address', 'did you mean addresses?'],
  [balanced({ addresses: ['10.96.0.10'] }), 'services[0].loadBalancer.addresses[0]', 'leave one'],
  [
    balanced({ addresses: [], sourceRanges: ['192.0.2.1'] }),
    'services[0].loadBalancer.sourceRanges[0]',
    'write 192.0.2.1/32',
  ],
  [
    balanced({ addresses: [], sourceRanges: ['10.0.0.0/8', '2001:db8::1/32'] }),
    'services[0].loadBalancer.sourceRanges[1]',
    'write 2001:db8::/32',
  ],
  [
    model(service({ internalTrafficPolicy: 'local' })),
    'services[0].internalTrafficPolicy',
    'did you mean Local?',
  ],
  [
    model(service({ externalTrafficPolicy: 'Node' })),
    'services[0].externalTrafficPolicy',
    'expected Cluster or Local',
  ],
  [model(service({ affinity: 10 })), 'services[0].affinity', 'an object with timeoutSeconds'],
  [
    model(service({ affinity: { timeoutSeconds: 86_401 } })),
    'services[0].affinity.timeoutSeconds',
    'seconds from 1 to 86,400, found 86401',
  ],
  [model(port({ nodePort: 0 })), 'services[0].ports[0].nodePort', 'from 1 to 65,535'],
  [model(port({ protocol: 'DCCP' })), 'services[0].ports[0].protocol', 'TCP, UDP, SCTP or ICMP'],
  [icmp({ port: 8 }), 'services[0].ports[0].port', 'no port, or 0 (the protocol is ICMP)'],
  [icmp({ nodePort: 30_000 }), 'services[0].ports[0].nodePort', 'answers echo requests itself'],
  [
    icmp({ backends: [{ address: '10.1.1.2', port: 80 }] }),
    'services[0].ports[0].backends[0].port',
    'no port, or 0',
  ],
  [
    model(
      service({
        ports: [
          { name: 'a', protocol: 'ICMP', backends: [] },
          { name: 'b', protocol: 'ICMP', backends: [] },
        ],
      }),
    ),
    'services[0].ports[1].port',
    'ICMP is ports[0] already',
  ],
  [
    model(backend({ address: 'fd00::1' })),
    'services[0].ports[0].backends[0].address',
    'fd00::1 is IPv6 and the service has no such address',
  ],
  [model(backend({ flush: 'yes' })), 'services[0].ports[0].backends[0].flush', 'true or false'],
  [model(backend({ ready: 1 })), 'services[0].ports[0].backends[0].ready', 'found 1'],
  [model(backend({ node: '' })), 'services[0].ports[0].backends[0].node', 'the name of a node'],
  [
    model(backend({ hints: { zone: ['a'] } })),
    'services[0].ports[0].backends[0].hints.zone',
    'did you mean zones?',
  ],
  [
    model(backend({ hints: { zones: ['a', 3] } })),
    'services[0].ports[0].backends[0].hints.zones[1]',
    'expected a text, found 3',
  ],
  [
    model(
      service({ name: 'a' }),
      service({ name: 'b', addresses: ['10.96.0.2'], externalIPs: ['10.96.0.10'] }),
    ),
    'services[1].externalIPs[0]',
    'services default/a and default/b both answer on 10.96.0.10:80/TCP',
  ],
  [
    model(
      service({ name: 'a', addresses: ['fd00::a'] }),
      service({ name: 'b', addresses: [], loadBalancer: { addresses: ['fd00::a'] } }),
    ),
    'services[1].loadBalancer.addresses[0]',
    'both answer on [fd00::a]:80/TCP',
  ],
  [
    model(
      { ...port({ nodePort: 30_000 }), name: 'a' },
      { ...port({ nodePort: 30_000 }), name: 'b', addresses: ['10.96.0.2'] },
    ),
    'services[1].ports[0].nodePort',
    'services default/a and default/b both answer on node port 30000/TCP',
  ],
  [
    model(
      service({
        ports: [
          { name: 'a', protocol: 'TCP', port: 80, nodePort: 30_000, backends: [] },
          { name: 'b', protocol: 'TCP', port: 81, nodePort: 30_000, backends: [] },
        ],
      }),
    ),
    'services[0].ports[1].nodePort',
    'two ports of default/web both answer on node port 30000/TCP',
  ],
];

const NODES: Row[] = [
  ['a', 'node', 'expected an object with name, zone'],
  [{ nodeName: 'a' }, 'node.nodeName', 'unknown key "nodeName"'],
  [{ name: '' }, 'node.name', 'the name of a node'],
  [{ zone: 3 }, 'node.zone', 'the name of a zone'],
  [{ addresses: ['10.0.0.1/24'] }, 'node.addresses[0]', 'an IP address such as'],
  [{ addresses: ['::1'] }, 'node.addresses[0]', 'a unicast address outside'],
  [{ nodePortAddresses: ['primary', 'any'] }, 'node.nodePortAddresses[1]', 'or all, or primary'],
  [{ nodePortAddresses: ['10.0.0.1'] }, 'node.nodePortAddresses[0]', 'write 10.0.0.1/32'],
  [{ podNetworks: ['10.1.2.0/16'] }, 'node.podNetworks[0]', 'write 10.1.0.0/16'],
  [{ podNetworks: '10.1.0.0/16' }, 'node.podNetworks', 'a list of networks'],
  [{ serviceNetworks: ['fd00::1/64'] }, 'node.serviceNetworks[0]', 'write fd00::/64'],
  [{ masqueradeAll: 'yes' }, 'node.masqueradeAll', 'true or false, found "yes"'],
];

const pod = (over: object) => ({ pods: [{ name: 'a', addresses: ['10.1.0.1'], ...over }] });

const PODS: Row[] = [
  [{ namespaces: [{}] }, 'namespaces[0].name', 'a name of at most 63'],
  [{ namespaces: [{ name: 'a' }, { name: 'a' }] }, 'namespaces[1].name', 'names must differ'],
  [
    { namespaces: [{ name: 'a', labels: { 'kubernetes.io/metadata.name': 'b' } }] },
    'namespaces[0].labels',
    'is always the name, "a"; found "b"',
  ],
  [
    { namespaces: [{ name: 'a', labels: { tier: 1 } }] },
    'namespaces[0].labels["tier"]',
    'quote numbers',
  ],
  [{ pods: [{ name: 'a' }] }, 'pods[0].addresses', 'a list of addresses, found nothing'],
  [pod({ name: 'A' }), 'pods[0].name', 'lower-case letters'],
  [pod({ label: {} }), 'pods[0].label', 'did you mean labels?'],
  [pod({ labels: [] }), 'pods[0].labels', 'an object of labels'],
  [pod({ addresses: ['127.0.0.1'] }), 'pods[0].addresses[0]', 'a unicast address outside'],
  [pod({ addresses: ['10.1.0.1', '10.1.0.1'] }), 'pods[0].addresses[1]', 'is twice'],
  [pod({ ports: [{ name: 'web', port: 0 }] }), 'pods[0].ports[0].port', 'from 1 to 65,535'],
  [
    pod({ ports: [{ name: 'web', port: 1, protocol: 'ICMP' }] }),
    'pods[0].ports[0].protocol',
    'expected TCP, UDP or SCTP',
  ],
  [pod({ hostNetwork: 1 }), 'pods[0].hostNetwork', 'true or false'],
  [
    { pods: [...pod({}).pods, { name: 'b', addresses: ['10.1.0.1'] }] },
    'pods[1].addresses[0]',
    '10.1.0.1 is the address of pods[0] already; give each pod its own',
  ],
  [
    { pods: [...pod({}).pods, { name: 'a', addresses: [] }] },
    'pods[1].name',
    'default/a is the name of pods[0] already',
  ],
];

const policy = (over: object) => ({
  policies: [{ name: 'p', tier: 'network', subject: {}, ...over }],
});
const rule = (over: object) => policy({ ingress: [{ action: 'accept', ...over }] });

const POLICIES: Row[] = [
  [policy({ tier: 'Admin' }), 'policies[0].tier', 'did you mean admin?'],
  [policy({ subject: undefined }), 'policies[0].subject', 'namespaces, pods, found nothing'],
  [policy({ priority: 1 }), 'policies[0].priority', 'of the tier network has no priority'],
  [
    policy({ tier: 'admin', namespace: 'a' }),
    'policies[0].namespace',
    'of the tier admin has no namespace',
  ],
  [policy({ tier: 'admin', priority: 1001 }), 'policies[0].priority', 'from 0 to 1,000'],
  [
    policy({ subject: { namespaces: {} } }),
    'policies[0].subject.namespaces',
    'for pods of its own namespace',
  ],
  [
    policy({ subject: { pods: { matchLabel: {} } } }),
    'policies[0].subject.pods.matchLabel',
    'did you mean matchLabels?',
  ],
  [
    policy({ subject: { pods: { matchExpressions: [{ key: 'a', operator: 'in' }] } } }),
    'policies[0].subject.pods.matchExpressions[0].operator',
    'did you mean In?',
  ],
  [
    policy({ subject: { pods: { matchExpressions: [{ key: 'a', operator: 'NotIn' }] } } }),
    'policies[0].subject.pods.matchExpressions[0].values',
    'at least one value (NotIn)',
  ],
  [
    policy({
      subject: { pods: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] } },
    }),
    'policies[0].subject.pods.matchExpressions[0].values',
    'expected none (Exists)',
  ],
  [policy({ ingress: {} }), 'policies[0].ingress', 'a list of rules'],
  [rule({ action: 'deny' }), 'policies[0].ingress[0].action', 'network only accept'],
  [rule({ action: 'allow' }), 'policies[0].ingress[0].action', 'accept, deny or pass'],
  [rule({ from: [] }), 'policies[0].ingress[0].from', 'unknown key "from"'],
  [rule({ peers: [{}] }), 'policies[0].ingress[0].peers[0]', 'namespaces, pods or network'],
  [rule({ peers: [{ nodes: {} }] }), 'policies[0].ingress[0].peers[0].nodes', 'unknown key'],
  [
    rule({ peers: [{ network: '10.0.0.1/8' }] }),
    'policies[0].ingress[0].peers[0].network',
    'write 10.0.0.0/8',
  ],
  [
    rule({ peers: [{ network: '10.0.0.0/8', pods: {} }] }),
    'policies[0].ingress[0].peers[0].pods',
    'unknown key "pods"',
  ],
  [
    rule({ peers: [{ network: '10.0.0.0/8', except: ['11.0.0.0/16'] }] }),
    'policies[0].ingress[0].peers[0].except[0]',
    'a network within "10.0.0.0/8"',
  ],
  [
    rule({ ports: [{ port: 0 }] }),
    'policies[0].ingress[0].ports[0].port',
    'by number or name, numbers from 1 to 65,535',
  ],
  [rule({ ports: [{ port: 'A b' }] }), 'policies[0].ingress[0].ports[0].port', 'name of one'],
  [rule({ ports: [{ endPort: 3 }] }), 'policies[0].ingress[0].ports[0].port', 'the first port'],
  [
    rule({ ports: [{ port: 'web', endPort: 3 }] }),
    'policies[0].ingress[0].ports[0].endPort',
    'begins with a number',
  ],
  [
    rule({ ports: [{ port: 4, endPort: 3 }] }),
    'policies[0].ingress[0].ports[0].endPort',
    'not below the first one, from 4 to 65,535',
  ],
  [
    { policies: [...policy({}).policies, ...policy({}).policies] },
    'policies[1].name',
    'default/p is policies[0] already; names must differ within a namespace',
  ],
  [
    {
      policies: [...policy({ tier: 'admin' }).policies, ...policy({ tier: 'baseline' }).policies],
    },
    'policies[1].name',
    'p is policies[0] already; names must differ',
  ],
];

function backendRow(address: string) {
  return { address, port: 80 };
}

table('model', 'ERR_MODEL', MODELS, checkModel);
table('service', 'ERR_MODEL', SERVICES_OF_ALL_TYPES, checkModel);
table('pod', 'ERR_MODEL', PODS, checkModel);
table('policy', 'ERR_MODEL', POLICIES, checkModel);
table('node', 'ERR_MODEL', NODES, (node) => checkModel({ node }));
