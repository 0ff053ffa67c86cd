// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { readEndpointSlice, readService } from '../../lib/sources/kubernetes/objects.js';
import { type TranslateOptions, translate } from '../../lib/sources/kubernetes/translate.js';

const NAME_LABEL = 'kubernetes.io/service-name';

interface Endpoint {
  addresses: string[];
  conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean };
}

const service = (spec: object = {}, metadata: object = {}) =>
  readService({
    metadata: { name: 'web', ...metadata },
    spec: { clusterIP: '10.96.0.10', ports: [{ port: 80 }], ...spec },
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

/** `ADDRESS:PORT/PROTOCOL -> BACKEND ...`, one row for each frontend. */
function frontends(services: Services, slices: Slices, options?: TranslateOptions): string[] {
  return translate({ services, endpointSlices: slices }, options).services.flatMap((row) =>
    row.addresses.flatMap((address) =>
      row.ports.map((port) => {
        const backends = port.backends.map((backend) => `${backend.address}:${backend.port}`);
        return `${address}:${port.port}/${port.protocol} -> ${backends.join(' ')}`.trim();
      }),
    ),
  );
}

const NONE = '10.96.0.10:80/TCP ->';
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
    'every IPv4 cluster IP is served, in canonical form',
    [service({ clusterIP: '010.96.0.10', clusterIPs: ['10.96.0.10', 'fd00::a', '10.96.0.11'] })],
    [],
    [NONE, '10.96.0.11:80/TCP ->'],
  ],
  [
    'SCTP ports are passed over, the others served',
    [
      service({
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 81, protocol: 'SCTP' },
        ],
      }),
    ],
    [],
    [NONE],
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

const WARNINGS: [name: string, services: Services, slices: Slices, fragment: string][] = [
  ['IPv6', [service({ clusterIPs: ['10.96.0.10', 'fd00::a'] })], [], 'fd00::a is not served'],
  ['SCTP', [service({ ports: [{ port: 81, protocol: 'SCTP' }] })], [], '81/SCTP is not served'],
  ['no address', [service({ clusterIP: undefined })], [], 'no clusterIP'],
  ['node port', [service({ type: 'NodePort' })], [], 'only its cluster IP is served'],
  ['external', [service({ externalIPs: ['192.0.2.1'] })], [], 'externalIPs are not served'],
  ['affinity', [service({ sessionAffinity: 'ClientIP' })], [], 'sessionAffinity'],
  ['local', [service({ internalTrafficPolicy: 'Local' })], [], 'taken as Cluster'],
  ['unlabelled', [service()], [slice([], { metadata: { name: 'x' } })], 'no label'],
  ['orphan', [], [slice([])], 'there is no Service default/web'],
  ['FQDN', [service()], [slice([], { addressType: 'FQDN' })], 'only IPv4 endpoints'],
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
