// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { chooseCluster } from '../../lib/compile/endpoints.js';
import { familyOf, formatEndpoint } from '../../lib/model/address.js';
import { checkModel } from '../../lib/model/check.js';
import { readEndpointSlice, readService } from '../../lib/sources/kubernetes/objects.js';
import { type TranslateOptions, translate } from '../../lib/sources/kubernetes/translate.js';

const NAME_LABEL = 'kubernetes.io/service-name';

interface Endpoint {
  addresses: string[];
  conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean };
  nodeName?: string;
  hints?: { forZones?: { name: string }[]; forNodes?: { name: string }[] };
}

const service = (spec: object = {}, metadata: object = {}, status: object = {}) =>
  readService({
    metadata: { name: 'web', ...metadata },
    spec: { clusterIP: '10.96.0.10', ports: [{ port: 80 }], ...spec },
    status,
  });

let sliceNumber = 0;
const slice = (endpoints: Endpoint[], over: object = {}) =>
  readEndpointSlice({
    metadata: { name: `web-${sliceNumber++}`, labels: { [NAME_LABEL]: 'web' } },
    addressType: 'IPv4',
    ports: [{ port: 8080 }],
    endpoints,
    ...over,
  });
const at = (address: string, conditions?: Endpoint['conditions']): Endpoint => ({
  addresses: [address],
  ...(conditions && { conditions }),
});

type Services = ReturnType<typeof service>[];
type Slices = ReturnType<typeof slice>[];

/**
 * `ADDRESS:PORT/PROTOCOL -> BACKEND ...`, one row for each frontend. Backends are those that new
 * connections go to, wherever they are.
 */
function frontends(services: Services, slices: Slices, options?: TranslateOptions): string[] {
  const translated = translate({ services, endpointSlices: slices }, options).services;
  return checkModel({ services: translated }).services!.flatMap((row) =>
    row.addresses.flatMap((address) =>
      row.ports.map((port) => {
        const ofFamily = port.backends.filter(({ family }) => family === familyOf(address));
        const backends = chooseCluster(ofFamily, { node: null, zone: null });
        const texts = backends.map((backend) => formatEndpoint(backend.address, backend.port));
        return `${formatEndpoint(address, port.port)}/${port.protocol} -> ${texts.join(' ')}`.trim();
      }),
    ),
  );
}

const NONE = '10.96.0.10:80/TCP ->';
const NONE6 = '[fd00::a]:80/TCP ->';
const TERMINATING = { ready: false, serving: true, terminating: true };
const GONE = { ready: false, serving: false, terminating: true };
const UNREADY = { ready: false, serving: false, terminating: false };

const CASES: [name: string, services: Services, slices: Slices, rows: string[]][] = [
  ['a service without slices answers without backends', [service()], [], [NONE]],
  [
    'backends come in the order of address bytes',
    [service()],
    [slice([at('10.1.10.2'), at('10.1.9.2'), at('9.0.0.1')])],
    [`${NONE} 9.0.0.1:8080 10.1.9.2:8080 10.1.10.2:8080`],
  ],
  [
    'slices are merged; ports of one name may differ in number',
    [service()],
    [slice([at('10.1.1.2')]), slice([at('10.1.2.2')], { ports: [{ port: 9090 }] })],
    [`${NONE} 10.1.1.2:8080 10.1.2.2:9090`],
  ],
  [
    'only the first address of an endpoint counts, and an endpoint may have none',
    [service()],
    [slice([{ addresses: ['10.1.1.2', '10.1.1.3'] }, { addresses: [] }])],
    [`${NONE} 10.1.1.2:8080`],
  ],
  [
    'ports are matched by name and protocol',
    [
      service({
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        ],
      }),
    ],
    [
      slice([at('10.1.1.2')], {
        ports: [
          { name: 'dns', port: 5353, protocol: 'UDP' },
          { name: 'dns-tcp', port: 5354, protocol: 'TCP' },
          { name: 'dns', port: 1, protocol: 'TCP' },
          { name: 'other', port: 2 },
          { name: 'dns' },
        ],
      }),
    ],
    ['10.96.0.10:53/UDP -> 10.1.1.2:5353', '10.96.0.10:53/TCP -> 10.1.1.2:5354'],
  ],
  [
    'a missing condition means ready',
    [service()],
    [slice([at('10.1.1.2', {}), at('10.1.2.2', { ready: true, serving: false })])],
    [`${NONE} 10.1.1.2:8080 10.1.2.2:8080`],
  ],
  [
    'endpoints that are not ready get nothing',
    [service()],
    [slice([at('10.1.1.2', UNREADY), at('10.1.2.2')])],
    [`${NONE} 10.1.2.2:8080`],
  ],
  [
    'terminating endpoints get nothing while others are ready',
    [service()],
    [slice([at('10.1.1.2', TERMINATING), at('10.1.2.2')])],
    [`${NONE} 10.1.2.2:8080`],
  ],
  [
    'with no ready endpoint, those that terminate and still serve are used',
    [service()],
    [slice([at('10.1.1.2', TERMINATING), at('10.1.2.2', GONE), at('10.1.3.2', UNREADY)])],
    [`${NONE} 10.1.1.2:8080`],
  ],
  [
    'an endpoint that is terminating and not serving is not even the last resort',
    [service()],
    [slice([at('10.1.1.2', GONE)])],
    [NONE],
  ],
  [
    'of an endpoint in two slices the one that is not terminating counts',
    [service()],
    [slice([at('10.1.1.2')]), slice([at('10.1.1.2', GONE)])],
    [`${NONE} 10.1.1.2:8080`],
  ],
  [
    'and in the other order too',
    [service()],
    [slice([at('10.1.1.2', GONE)]), slice([at('10.1.1.2')])],
    [`${NONE} 10.1.1.2:8080`],
  ],
  [
    'slices of another namespace, another service, no service and headless ones are nothing to it',
    [service()],
    [
      slice([at('10.1.1.2')], {
        metadata: { name: 'a', namespace: 'b', labels: { [NAME_LABEL]: 'web' } },
      }),
      slice([at('10.1.2.2')], { metadata: { name: 'b', labels: { [NAME_LABEL]: 'db' } } }),
      slice([at('10.1.3.2')], { metadata: { name: 'c', labels: { [NAME_LABEL]: '' } } }),
      slice([at('10.1.4.2')], {
        metadata: {
          name: 'd',
          labels: { [NAME_LABEL]: 'web', 'service.kubernetes.io/headless': '' },
        },
      }),
    ],
    [NONE],
  ],
  [
    'slices of other address types are nothing to it',
    [service()],
    [
      slice([at('fd00::1')], { addressType: 'IPv6' }),
      slice([at('web.example')], { addressType: 'FQDN' }),
    ],
    [NONE],
  ],
  ['headless services have no frontends', [service({ clusterIP: 'None' })], [], []],
  [
    'ExternalName has none even with a stale address',
    [service({ type: 'ExternalName', externalName: 'x.example' })],
    [],
    [],
  ],
  ['services without an address have none', [service({ clusterIP: '' })], [], []],
  [
    'another proxy has claimed it, be the name empty',
    [service({}, { labels: { 'service.kubernetes.io/service-proxy-name': '' } })],
    [],
    [],
  ],
  [
    'every cluster IP is served, in canonical form',
    [service({ clusterIP: '010.96.0.10', clusterIPs: ['10.96.0.10', 'FD00:0::A'] })],
    [],
    [NONE, NONE6],
  ],
  [
    'dual stack: each family has the endpoints of its slices',
    [service({ clusterIPs: ['10.96.0.10', 'fd00::a'] })],
    [slice([at('10.1.1.2')]), slice([at('fd00:1::2')], { addressType: 'IPv6' })],
    [`${NONE} 10.1.1.2:8080`, `${NONE6} [fd00:1::2]:8080`],
  ],
  [
    'a service of one family has nothing of the slices of the other',
    [service({ clusterIP: 'fd00::a' })],
    [slice([at('10.1.1.2')]), slice([at('fd00:1::2')], { addressType: 'IPv6' })],
    [`${NONE6} [fd00:1::2]:8080`],
  ],
  [
    'all three protocols are served',
    [
      service({
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 80, protocol: 'SCTP' },
          { name: 'c', port: 80, protocol: 'UDP' },
        ],
      }),
    ],
    [],
    [NONE, '10.96.0.10:80/SCTP ->', '10.96.0.10:80/UDP ->'],
  ],
  [
    'services come in the order of namespace and name',
    [
      service({ clusterIP: '10.96.0.3' }, { name: 'b', namespace: 'x' }),
      service({ clusterIP: '10.96.0.2' }, { name: 'a', namespace: 'x' }),
      service({ clusterIP: '10.96.0.1' }, { name: 'c', namespace: 'w' }),
    ],
    [],
    ['10.96.0.1:80/TCP ->', '10.96.0.2:80/TCP ->', '10.96.0.3:80/TCP ->'],
  ],
];

for (const [name, services, slices, rows] of CASES) {
  test(name, (t) => t.deepEqual(frontends(services, slices), rows));
}

test('serves the services of a proxy name alone where one is given', (t) => {
  const label = (value: string) => ({
    labels: { 'service.kubernetes.io/service-proxy-name': value },
  });
  const services = [
    service({ clusterIP: '10.96.0.1' }, { name: 'a', ...label('sluice') }),
    service({ clusterIP: '10.96.0.2' }, { name: 'b', ...label('other') }),
    service({ clusterIP: '10.96.0.3' }, { name: 'c' }),
  ];
  t.deepEqual(frontends(services, [], { serviceProxyName: 'sluice' }), ['10.96.0.1:80/TCP ->']);
});

/** The translation of one service, without what every one has. */
function translated(spec: object, status: object = {}, slices: Slices = []) {
  const services = [service(spec, {}, status)];
  const { services: rows, warnings } = translate({ services, endpointSlices: slices });
  return { service: rows[0]!, warnings: warnings.map(({ message }) => message) };
}

const ingress = (...points: object[]) => ({ loadBalancer: { ingress: points } });
const DUAL = { clusterIPs: ['10.96.0.10', 'fd00::a'] };

test('node ports, whatever the type says', (t) => {
  const ports = [{ port: 80, nodePort: 30_080 }];
  t.is(translated({ type: 'NodePort', ports }).service.ports[0]!.nodePort, 30_080);
  t.is(translated({ type: 'LoadBalancer', ports }).service.ports[0]!.nodePort, 30_080);
  const none = { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false };
  t.false('nodePort' in translated(none).service.ports[0]!);
  t.false('nodePort' in translated({ ports: [{ port: 80, nodePort: 0 }] }).service.ports[0]!);
});

test('external IPs of the families that the service has', (t) => {
  const externalIPs = ['192.0.2.1', '2001:db8::1', '192.000.002.001'];
  const dual = translated({ ...DUAL, externalIPs });
  t.deepEqual(dual.service.externalIPs, ['192.0.2.1', '2001:db8::1']);
  t.deepEqual(dual.warnings, []);
  const single = translated({ externalIPs });
  t.deepEqual(single.service.externalIPs, ['192.0.2.1']);
  t.deepEqual(single.warnings, [
    'its external IP 2001:db8::1 is not served: it has no IPv6 cluster IP',
  ]);
});

test('load balancer addresses: VIP or nothing said; no host names, no proxies', (t) => {
  const status = ingress(
    { ip: '203.0.113.1' },
    { ip: '203.0.113.2', ipMode: 'VIP' },
    { ip: '203.0.113.3', ipMode: 'Proxy' },
    { hostname: 'lb.example' },
    { ip: '2001:db8::1' },
  );
  const { service, warnings } = translated({ type: 'LoadBalancer' }, status);
  t.deepEqual(service.loadBalancer, {
    addresses: ['203.0.113.1', '203.0.113.2'],
    sourceRanges: [],
  });
  t.is(warnings.length, 1);
  t.false('loadBalancer' in translated({ type: 'LoadBalancer' }, ingress()).service);
  t.false('loadBalancer' in translated({ type: 'LoadBalancer' }, {}).service);
});

test('source ranges may have spaces and host bits', (t) => {
  const loadBalancerSourceRanges = [' 192.0.2.0/24', '10.1.2.3/8 ', '2001:db8::1/32'];
  const { service } = translated(
    { type: 'LoadBalancer', loadBalancerSourceRanges },
    ingress({ ip: '203.0.113.1' }),
  );
  t.deepEqual(service.loadBalancer?.sourceRanges, ['192.0.2.0/24', '10.0.0.0/8', '2001:db8::/32']);
});

test('traffic policies and affinity', (t) => {
  t.like(translated({}).service, {
    internalTrafficPolicy: 'Cluster',
    externalTrafficPolicy: 'Cluster',
  });
  t.like(translated({ internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' }).service, {
    internalTrafficPolicy: 'Local',
    externalTrafficPolicy: 'Local',
  });
  const config = (timeoutSeconds?: number) => ({ clientIP: { timeoutSeconds } });
  const seconds = (spec: object) => translated(spec).service.affinity?.timeoutSeconds;
  t.is(seconds({ sessionAffinity: 'None', sessionAffinityConfig: config(5) }), undefined);
  t.is(seconds({ sessionAffinity: 'ClientIP' }), 10_800);
  t.is(seconds({ sessionAffinity: 'ClientIP', sessionAffinityConfig: {} }), 10_800);
  t.is(seconds({ sessionAffinity: 'ClientIP', sessionAffinityConfig: config() }), 10_800);
  t.is(seconds({ sessionAffinity: 'ClientIP', sessionAffinityConfig: config(5) }), 5);
});

test('conditions, nodes and hints of endpoints', (t) => {
  const { service } = translated({}, {}, [
    slice([
      {
        ...at('10.1.1.2', { ready: false, terminating: true }),
        nodeName: 'a',
        hints: { forZones: [{ name: 'y' }, { name: 'z' }], forNodes: [{ name: 'a' }] },
      },
      { ...at('10.1.1.3'), hints: {} },
    ]),
  ]);
  t.deepEqual(service.ports[0]!.backends, [
    {
      ...{ address: '10.1.1.2', port: 8080, ready: false, serving: true, terminating: true },
      ...{ node: 'a', hints: { zones: ['y', 'z'], nodes: ['a'] } },
    },
    {
      ...{ address: '10.1.1.3', port: 8080, ready: true, serving: true, terminating: false },
      hints: { zones: [], nodes: [] },
    },
  ]);
});

/** Two services that want the same; the first by namespace and name has it, whoever comes first. */
const CLAIMS: [name: string, a: Services[number], b: Services[number], loser: string][] = [
  [
    'cluster IP',
    service({}, { name: 'a' }),
    service({}, { name: 'b' }),
    "its cluster IP 10.96.0.10 is not served: 10.96.0.10:80/TCP is default/a's",
  ],
  [
    'external IP',
    service({ externalIPs: ['192.0.2.1'] }, { name: 'a' }),
    service({ clusterIP: '10.96.0.11', externalIPs: ['192.0.2.1'] }, { name: 'b' }),
    "its external IP 192.0.2.1 is not served: 192.0.2.1:80/TCP is default/a's",
  ],
  [
    'external IP that is a cluster IP',
    service({ clusterIP: '10.96.0.11' }, { name: 'b', namespace: 'x' }),
    service({ externalIPs: ['10.96.0.11'] }, { name: 'a' }),
    "its external IP 10.96.0.11 is not served: 10.96.0.11:80/TCP is x/b's",
  ],
  [
    'load balancer address',
    service({}, { name: 'a' }, ingress({ ip: '203.0.113.1' })),
    service({ clusterIP: '10.96.0.11', externalIPs: ['203.0.113.1'] }, { name: 'b' }),
    "its external IP 203.0.113.1 is not served: 203.0.113.1:80/TCP is default/a's",
  ],
  [
    'node port',
    service({ ports: [{ port: 80, nodePort: 30_080 }] }, { name: 'a' }),
    service({ clusterIP: '10.96.0.11', ports: [{ port: 81, nodePort: 30_080 }] }, { name: 'b' }),
    "its node port 30080/TCP is not served: it is default/a's",
  ],
];

for (const [name, a, b, message] of CLAIMS) {
  test(`one service alone has a ${name}`, (t) => {
    const first = translate({ services: [a, b], endpointSlices: [] });
    t.deepEqual(
      first.warnings.map((warning) => warning.message),
      [message],
    );
    t.deepEqual(translate({ services: [b, a], endpointSlices: [] }), first);
    t.notThrows(() => checkModel({ services: first.services }));
  });
}

test('a dual-stack service that loses an address loses that family', (t) => {
  const services = [
    service({ clusterIP: 'fd00::a' }, { name: 'a' }),
    service({ clusterIPs: ['10.96.0.10', 'fd00::a'] }, { name: 'web' }),
  ];
  const endpointSlices = [slice([at('fd00:1::2')], { addressType: 'IPv6' })];
  const { services: rows } = translate({ services, endpointSlices });
  t.deepEqual(rows[1]?.addresses, ['10.96.0.10']);
  t.notThrows(() => checkModel({ services: rows }));
});

test('an address may be shared as long as the ports differ, and be external and balanced', (t) => {
  const shared = ingress({ ip: '203.0.113.1' });
  const services = [
    service({ externalIPs: ['203.0.113.1', '10.96.0.10'] }, { name: 'a' }, shared),
    service({ clusterIP: '10.96.0.11', ports: [{ port: 81 }] }, { name: 'b' }, shared),
  ];
  const { services: rows, warnings } = translate({ services, endpointSlices: [] });
  t.deepEqual(warnings, []);
  t.deepEqual(rows[0]?.externalIPs, ['203.0.113.1'], 'a cluster IP is none besides');
  t.notThrows(() => checkModel({ services: rows }));
});

const WARNINGS: [name: string, services: Services, slices: Slices, fragment: string][] = [
  ['no address', [service({ clusterIP: undefined })], [], 'no clusterIP'],
  ['health check', [service({ healthCheckNodePort: 32_000 })], [], '32000 is not answered'],
  ['unlabelled', [service()], [slice([], { metadata: { name: 'x' } })], 'no label'],
  ['orphan', [], [slice([])], 'there is no Service default/web'],
  ['FQDN', [service()], [slice([], { addressType: 'FQDN' })], 'only IP endpoints'],
];

for (const [name, services, slices, fragment] of WARNINGS) {
  test(`warns of what is not served: ${name}`, (t) => {
    const { warnings } = translate({ services, endpointSlices: slices });
    t.is(warnings.length, 1);
    t.true(warnings[0]?.message.includes(fragment), warnings[0]?.message);
  });
}

test('says nothing about what is served in full', (t) => {
  const { warnings } = translate({
    services: [service()],
    endpointSlices: [slice([at('10.1.1.2')])],
  });
  t.deepEqual(warnings, []);
});
