// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { at, Scene, service, slice } from '../support/cluster.js';

const BALANCED = {
  type: 'LoadBalancer',
  externalTrafficPolicy: 'Local',
  healthCheckNodePort: 32_000,
};
const web = (spec: object = {}) => service('web', { ...BALANCED, ...spec });
const endpoints = (...list: object[]) => slice('web-1', 'web', list);
const GONE = { ready: false, serving: true, terminating: true };
const health = (scene: Scene) => {
  scene.services();
  return [...scene.model.health.values()].map(({ port, localEndpoints }) => [port, localEndpoints]);
};

const COUNTS: [name: string, spec: object, list: object[], counted: number[][]][] = [
  ['nobody', {}, [], [[32_000, 0]]],
  ['ready and here', {}, [at('10.1.0.1'), at('10.1.0.2')], [[32_000, 2]]],
  [
    'elsewhere, or nobody knows where',
    {},
    [at('10.1.0.1', {}, 'there'), { addresses: ['10.1.0.2'] }],
    [[32_000, 0]],
  ],
  [
    'not ready, and about to go',
    {},
    [at('10.1.0.1', { ready: false }), at('10.1.0.2', GONE)],
    [[32_000, 0]],
  ],
  [
    'an endpoint of two ports is one',
    {
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 81 },
      ],
    },
    [at('10.1.0.1')],
    [[32_000, 1]],
  ],
  ['another policy', { externalTrafficPolicy: 'Cluster' }, [at('10.1.0.1')], []],
  ['another type', { type: 'NodePort' }, [at('10.1.0.1')], []],
  ['no port', { healthCheckNodePort: 0 }, [at('10.1.0.1')], []],
];

for (const [name, spec, list, counted] of COUNTS) {
  test(`local endpoints: ${name}`, (t) => {
    const ports = [{ port: 8080 }, { name: 'a', port: 8080 }, { name: 'b', port: 8081 }];
    const scene = new Scene().put('Service', web(spec));
    scene.put('EndpointSlice', slice('web-1', 'web', list, { ports }));
    t.deepEqual(health(scene), counted);
  });
}

test('local endpoints: a pod of two families is one', (t) => {
  const dual = { clusterIPs: ['10.96.0.10', 'fd00:96::10'], ipFamilies: ['IPv4', 'IPv6'] };
  const scene = new Scene().put('Service', web({ clusterIP: '10.96.0.10', ...dual }));
  const ports = [{ port: 8080 }];
  for (const [addressType, addresses] of [
    ['IPv4', ['10.1.0.1', '10.1.0.2']],
    ['IPv6', ['fd01::1']],
  ] as const) {
    const members = addresses.map((address) => at(address));
    const name = `web-${addressType}`;
    scene.put('EndpointSlice', slice(name.toLowerCase(), 'web', members, { ports, addressType }));
  }
  t.deepEqual(health(scene), [[32_000, 2]]);
});

test('it is told when it changes, and when it ends', (t) => {
  const scene = new Scene().put('Service', web()).put('EndpointSlice', endpoints(at('10.1.0.1')));
  const told = () => [...scene.take().health];
  const is = (port: number, localEndpoints: number) => [
    ['shop/web', { namespace: 'shop', name: 'web', port, localEndpoints }],
  ];
  t.deepEqual(told(), is(32_000, 1) as never);
  scene.put('EndpointSlice', endpoints(at('10.1.0.2')));
  t.deepEqual(told(), [], 'as many as before');
  scene.put('Service', web({ healthCheckNodePort: 32_001 }));
  t.deepEqual(told(), is(32_001, 1) as never);
  scene.put('EndpointSlice', endpoints());
  const change = scene.state.take();
  scene.state.putBack(change);
  t.deepEqual(told(), is(32_001, 0) as never);
  scene.put('Service', web({ externalTrafficPolicy: 'Cluster' }));
  scene.state.putBack(scene.state.take());
  t.deepEqual(told(), [['shop/web', null]]);
  scene.put('Service', web());
  scene.take();
  t.deepEqual([...scene.remove('Service', web()).take().health], [['shop/web', null]]);
});

const LACKING: [name: string, spec: object, list: object[], internal: number, external: number][] =
  [
    ['no endpoints', { internalTrafficPolicy: 'Local' }, [], 0, 0],
    ['all elsewhere, outside alone', {}, [at('10.1.0.1', {}, 'there')], 0, 0],
    [
      'all elsewhere, a node port',
      { ports: [{ port: 80, nodePort: 30_080 }] },
      [at('10.1.0.1', {}, 'there')],
      0,
      1,
    ],
    [
      'all elsewhere, an external IP',
      { externalIPs: ['192.0.2.1'] },
      [at('10.1.0.1', {}, 'there')],
      0,
      1,
    ],
    [
      'all elsewhere, inside',
      { internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Cluster' },
      [at('10.1.0.1', {}, 'there')],
      1,
      0,
    ],
    [
      'one here',
      { internalTrafficPolicy: 'Local' },
      [at('10.1.0.1'), at('10.1.0.2', {}, 'there')],
      0,
      0,
    ],
    ['one here that goes', { internalTrafficPolicy: 'Local' }, [at('10.1.0.1', GONE)], 0, 0],
    [
      'one here that is not ready',
      { internalTrafficPolicy: 'Local' },
      [at('10.1.0.1', { ready: false, serving: false }), at('10.1.0.2', {}, 'there')],
      1,
      0,
    ],
  ];

for (const [name, spec, list, internal, external] of LACKING) {
  test(`services without local endpoints: ${name}`, (t) => {
    const scene = new Scene().put('Service', web(spec)).put('EndpointSlice', endpoints(...list));
    const NONE = { internal: 0, external: 0 };
    t.deepEqual(scene.take().noLocalEndpoints, { IPv4: { internal, external }, IPv6: NONE });
    const after = scene.remove('Service', web()).take().noLocalEndpoints;
    t.deepEqual(after, { IPv4: NONE, IPv6: NONE });
  });
}

test('services without local endpoints: of one family alone', (t) => {
  const scene = new Scene();
  const clusterIPs = ['10.96.0.10', 'fd00:96::10'];
  const spec = { clusterIPs, internalTrafficPolicy: 'Local', externalIPs: ['fd00:e::1'] };
  scene.put('Service', web(spec)).put('EndpointSlice', endpoints(at('10.1.0.1')));
  const six = slice('web-6', 'web', [at('fd00:1::1', {}, 'there')], { addressType: 'IPv6' });
  scene.put('EndpointSlice', six);
  t.deepEqual(scene.take().noLocalEndpoints, {
    IPv4: { internal: 0, external: 0 },
    IPv6: { internal: 1, external: 1 },
  });
  scene.put('EndpointSlice', endpoints(at('10.1.0.1', {}, 'there')));
  scene.put('EndpointSlice', { ...six, endpoints: [], metadata: { ...six.metadata, uid: 'x' } });
  t.deepEqual(scene.take().noLocalEndpoints, {
    IPv4: { internal: 1, external: 0 },
    IPv6: { internal: 0, external: 0 },
  });
});

test('without the name of a node nothing is here, and nobody knows what is not', (t) => {
  const scene = new Scene({ nodeName: null }).put('Service', web());
  scene.put('EndpointSlice', endpoints(at('10.1.0.1')));
  t.deepEqual(health(scene), [[32_000, 0]]);
  t.is(scene.take().noLocalEndpoints, undefined);
});
