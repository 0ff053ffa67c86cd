// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { at, named, Scene, service, slice } from '../support/cluster.js';

const PROXY_NAME = 'service.kubernetes.io/service-proxy-name';
const DONE = 'web 10.96.0.10: 80>10.1.0.1:8080';
const web = (spec: object = {}, over: Parameters<typeof service>[2] = {}) =>
  service('web', spec, over);
const webSlice = (...addresses: string[]) =>
  slice(
    'web-1',
    'web',
    addresses.map((address) => at(address)),
  );

test('a service and its slice, in either order, and out again', (t) => {
  const scene = new Scene().put('Service', web()).put('EndpointSlice', webSlice('10.1.0.1'));
  t.deepEqual(scene.services(), [DONE]);
  const other = new Scene().put('EndpointSlice', webSlice('10.1.0.1'));
  t.deepEqual(other.services(), []);
  t.deepEqual(other.model.warnings, [], 'slices may come first');
  t.deepEqual(other.put('Service', web()).services(), [DONE]);
  t.deepEqual(other.remove('Service', web()).services(), []);
  t.deepEqual(other.put('Service', web()).services(), [DONE], 'the slice was still there');
  other.remove('EndpointSlice', webSlice());
  t.deepEqual(other.services(), ['web 10.96.0.10: 80>']);
});

test('what comes and goes before it is taken has never been', (t) => {
  const scene = new Scene().put('Service', web()).remove('Service', web());
  t.true(scene.state.dirty);
  t.deepEqual(named(scene.take()), {});
  t.false(scene.state.dirty);
});

test('what is not read changes nothing', (t) => {
  const scene = new Scene().put('Service', web()).put('EndpointSlice', webSlice('10.1.0.1'));
  scene.services();
  scene.put('Service', web({}, { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } } }));
  scene.put('EndpointSlice', { ...webSlice('10.1.0.1'), generation: 7 });
  scene.list('EndpointSlice', webSlice('010.1.0.1'));
  t.false(scene.state.dirty);
  t.deepEqual(scene.state.pending, { services: 0, endpoints: 0 });
  t.like(scene.take(), { model: {}, services: 0, endpoints: 0, triggers: [] });
});

test('an object of a version that is known is not looked at', (t) => {
  const metadata = { name: 'web', namespace: 'shop', uid: '1', resourceVersion: '7' };
  const scene = new Scene().put('Service', { ...web(), metadata });
  scene.services();
  scene.put('Service', { ...web({ ports: [{ port: 81 }] }), metadata });
  t.false(scene.state.dirty);
  scene.put('Service', { ...web({ ports: [{ port: 81 }] }), metadata: { ...metadata, uid: '2' } });
  t.deepEqual(scene.services(), ['web 10.96.0.10: 81>'], 'it was made anew');
});

/** Specs (and metadata) of a service one after the other, and what is served of it. */
const LIVES: [name: string, steps: [spec: object, metadata: object, rows: string[]][]][] = [
  [
    'the name of another proxy comes and goes',
    [
      [{}, {}, [DONE]],
      [{}, { labels: { [PROXY_NAME]: '' } }, []],
      [{}, { labels: { [PROXY_NAME]: 'x' } }, []],
      [{}, {}, [DONE]],
    ],
  ],
  [
    'to ExternalName with leftovers, and back',
    [
      [{}, {}, [DONE]],
      [{ type: 'ExternalName', externalName: 'a.example' }, {}, []],
      [
        { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] },
        {},
        ['web 10.96.0.10: 80=30080>10.1.0.1:8080'],
      ],
    ],
  ],
  [
    'headless and back',
    [
      [{ clusterIP: 'None', clusterIPs: ['None'] }, {}, []],
      [{}, {}, [DONE]],
      [{ clusterIP: 'None' }, {}, []],
    ],
  ],
  [
    'made anew with another address',
    [
      [{}, { uid: '1' }, [DONE]],
      [
        { clusterIP: '10.96.0.11', clusterIPs: ['10.96.0.11'] },
        { uid: '2' },
        ['web 10.96.0.11: 80>10.1.0.1:8080'],
      ],
    ],
  ],
  [
    'a second family comes and goes',
    [
      [
        { clusterIPs: ['10.96.0.10', 'fd00::a'] },
        {},
        ['web 10.96.0.10 fd00::a: 80>10.1.0.1:8080,fd00:1::1:8080'],
      ],
      [{ clusterIP: 'fd00::a' }, {}, ['web fd00::a: 80>fd00:1::1:8080']],
      [{}, {}, [DONE]],
    ],
  ],
  [
    'ports by another name have nobody',
    [
      [{ ports: [{ name: 'a', port: 80 }] }, {}, ['web 10.96.0.10: 80>']],
      [{ ports: [{ port: 80, protocol: 'UDP' }] }, {}, ['web 10.96.0.10: 80>']],
      [{ ports: [{ port: 81 }] }, {}, ['web 10.96.0.10: 81>10.1.0.1:8080']],
    ],
  ],
];

for (const [name, steps] of LIVES) {
  test(`a service's life: ${name}`, (t) => {
    const six = slice('web-6', 'web', [at('fd00:1::1')], { addressType: 'IPv6' });
    const scene = new Scene().put('EndpointSlice', webSlice('10.1.0.1'), six);
    for (const [spec, metadata, rows] of steps) {
      scene.put('Service', web(spec, { metadata }));
      t.deepEqual(scene.services(), rows);
    }
    t.deepEqual(scene.model.warnings, []);
  });
}

test('services of a proxy name alone where one is given', (t) => {
  const scene = new Scene({ nodeName: null, serviceProxyName: 'sluice' });
  scene.put('Service', web());
  t.deepEqual(scene.services(), []);
  scene.put('Service', web({}, { metadata: { labels: { [PROXY_NAME]: 'sluice' } } }));
  t.deepEqual(scene.services(), ['web 10.96.0.10: 80>']);
});

const GONE = { ready: false, serving: false, terminating: true };

/** Slices that stand side by side, and the backends that come of them. */
const SLICES: [name: string, slices: ReturnType<typeof slice>[], backends: string][] = [
  ['leading zeros', [webSlice('010.001.000.009', '10.1.0.10')], '10.1.0.9:8080,10.1.0.10:8080'],
  ['null for endpoints', [slice('web-1', 'web', null, { ports: null })], ''],
  [
    'a headless one',
    [
      {
        ...webSlice('10.1.0.1'),
        metadata: {
          name: 'x',
          namespace: 'shop',
          uid: '',
          resourceVersion: '',
          labels: { 'kubernetes.io/service-name': 'web', 'service.kubernetes.io/headless': '' },
        },
      },
    ],
    '',
  ],
  ['of another service', [slice('db-1', 'db', [at('10.1.0.1')])], ''],
  [
    'two of them',
    [slice('b', 'web', [at('10.1.0.1')]), slice('a', 'web', [at('10.1.0.2')])],
    '10.1.0.2:8080,10.1.0.1:8080',
  ],
  [
    'other numbers',
    [
      slice('a', 'web', [at('10.1.0.1')]),
      slice('b', 'web', [at('10.1.0.1')], { ports: [{ port: 9090 }] }),
    ],
    '10.1.0.1:8080,10.1.0.1:9090',
  ],
  ['no number', [slice('a', 'web', [at('10.1.0.1')], { ports: [{ name: '' }, { port: 0 }] })], ''],
  [
    'further addresses',
    [slice('a', 'web', [{ addresses: ['10.1.0.1', '10.1.0.2'] }, { addresses: [] }])],
    '10.1.0.1:8080',
  ],
];

for (const [name, slices, backends] of SLICES) {
  test(`slices: ${name}`, (t) => {
    const scene = new Scene().put('Service', web()).put('EndpointSlice', ...slices);
    t.deepEqual(scene.services(), [`web 10.96.0.10: 80>${backends}`]);
  });
}

for (const names of [
  ['a', 'b'],
  ['b', 'a'],
] as const) {
  test(`of an endpoint in two slices the one that is not terminating counts: ${names}`, (t) => {
    const scene = new Scene().put('Service', web());
    scene.put('EndpointSlice', slice(names[0], 'web', [at('10.1.0.1', GONE)]));
    scene.put('EndpointSlice', slice(names[1], 'web', [at('10.1.0.1')]));
    t.deepEqual(scene.services(), [DONE]);
    t.true(scene.model.sections().services[0]?.ports[0]?.backends[0]?.ready);
    scene.remove('EndpointSlice', slice(names[1], 'web', []));
    t.deepEqual(scene.services(), [DONE]);
    t.false(scene.model.sections().services[0]?.ports[0]?.backends[0]?.ready);
  });
}

test('a slice changes hands', (t) => {
  const db = service('db', { clusterIP: '10.96.0.11' });
  const scene = new Scene().put('Service', web(), db).put('EndpointSlice', webSlice('10.1.0.1'));
  t.deepEqual(scene.services(), ['db 10.96.0.11: 80>', DONE]);
  scene.put('EndpointSlice', slice('web-1', 'db', [at('10.1.0.1')]));
  t.deepEqual(scene.state.pending, { services: 0, endpoints: 2 });
  t.deepEqual(scene.services(), ['db 10.96.0.11: 80>10.1.0.1:8080', 'web 10.96.0.10: 80>']);
});

test('what a slice lacks is told once, and once more when it comes back', (t) => {
  const scene = new Scene().put('Service', web());
  const fqdn = () => slice('f', 'web', [{ addresses: ['a.example'] }], { addressType: 'FQDN' });
  scene.put('EndpointSlice', slice('n', '', []), fqdn());
  scene.services();
  const told = [
    'EndpointSlice n: it has no label kubernetes.io/service-name, so no service uses it',
    'EndpointSlice f: its addressType is FQDN; only IP endpoints are served',
  ];
  t.deepEqual(scene.model.warnings, told);
  scene.put('EndpointSlice', slice('n', '', [at('10.1.0.1')]), fqdn());
  scene.services();
  t.deepEqual(scene.model.warnings, told);
  scene.remove('EndpointSlice', fqdn()).put('EndpointSlice', fqdn());
  scene.services();
  t.deepEqual(scene.model.warnings, [...told, told[1]]);
});

/** What two services want, and how that is written where one of them has it. */
const CONTESTED: [name: string, spec: object, ingress: string[], has: string][] = [
  ['cluster IP', { clusterIP: '10.96.0.10' }, [], '10.96.0.10'],
  ['external IP', { externalIPs: ['192.0.2.1'] }, [], '+192.0.2.1'],
  ['load balancer address', {}, ['192.0.2.1'], '+192.0.2.1'],
  ['node port', { ports: [{ port: 80, nodePort: 30_080 }] }, [], '=30080'],
];

for (const [name, spec, ingress, has] of CONTESTED) {
  for (const order of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    test(`a ${name} that two want is the first one's, whoever comes first: ${order}`, (t) => {
      const make = (each: string) =>
        service(
          each,
          { clusterIP: each === 'a' ? '10.96.0.1' : '10.96.0.2', ...spec },
          { ingress },
        );
      const owner = (rows: string[]) =>
        rows.filter((row) => row.includes(has)).map((row) => row[0]);
      const scene = new Scene().put('Service', make(order[0]));
      t.deepEqual(owner(scene.services()), [order[0]]);
      scene.put('Service', make(order[1]));
      t.deepEqual(owner(scene.services()), ['a']);
      t.is(scene.model.warnings.length, 1);
      t.regex(scene.model.warnings[0]!, /^Service b: its .* is not served: .*shop\/a's$/);
      scene.remove('Service', make('a'));
      t.deepEqual(owner(scene.services()), ['b'], 'the other one steps in');
      scene.put('Service', make('a'));
      t.deepEqual(owner(scene.services()), ['a'], 'and back');
      t.is(scene.model.warnings.length, 2);
    });
  }
}

test('a chain of claims: who loses a cluster IP frees what is external', (t) => {
  const scene = new Scene().put(
    'Service',
    service('b', { clusterIP: '10.96.0.1', externalIPs: ['192.0.2.1'] }),
    service('c', { clusterIP: '10.96.0.2', externalIPs: ['192.0.2.1'] }),
  );
  t.deepEqual(scene.services(), ['b 10.96.0.1 +192.0.2.1: 80>', 'c 10.96.0.2: 80>']);
  scene.put('Service', service('a', { clusterIP: '10.96.0.1' }));
  t.deepEqual(scene.services(), ['a 10.96.0.1: 80>', 'c 10.96.0.2 +192.0.2.1: 80>']);
  scene.put('Service', service('a', { clusterIP: '10.96.0.1', ports: [{ port: 81 }] }));
  t.deepEqual(scene.services(), [
    'a 10.96.0.1: 81>',
    'b 10.96.0.1 +192.0.2.1: 80>',
    'c 10.96.0.2: 80>',
  ]);
});

test('a chain of claims of any length, and one destination that everybody wants', (t) => {
  const clusterIP = (i: number) => `10.96.${i >> 8}.${i & 255}`;
  const name = (i: number) => `s${String(i).padStart(5, '0')}`;
  const chain = (i: number) =>
    service(name(i), {
      clusterIP: clusterIP(i),
      externalIPs: ['192.0.2.1'],
      ports: [
        { name: 'a', port: i + 1 },
        { name: 'b', port: i + 2 },
      ],
    });
  const same = (i: number) =>
    service(name(i), { clusterIP: clusterIP(i), externalIPs: ['192.0.2.1'] });
  for (const make of [chain, same]) {
    const scene = new Scene();
    for (let i = 5_000; i-- > 0; ) scene.put('Service', make(i));
    const had = () => scene.services().filter((row) => row.includes('+')).length;
    t.is(had(), make === chain ? 2_500 : 1);
    scene.remove('Service', make(0));
    t.is(had(), make === chain ? 2_500 : 1);
  }
});

test('a limit, and those that have to go together all the same', (t) => {
  const names = ['b', 'c', 'd', 'e'];
  const scene = new Scene().put(
    'Service',
    ...names.map((name, index) =>
      service(name, { clusterIP: `10.96.0.${index + 1}`, externalIPs: ['192.0.2.1'] }),
    ),
  );
  t.deepEqual(scene.state.pending, { services: 4, endpoints: 0 });
  t.like(scene.take(3), { services: 3, more: true });
  t.deepEqual(scene.state.pending, { services: 1, endpoints: 0 });
  t.like(scene.take(3), { services: 1, more: false });
  scene.put('Service', service('a', { clusterIP: '10.96.0.9', externalIPs: ['192.0.2.1'] }));
  t.deepEqual(named(scene.take(1)), { services: ['a', 'b'] }, 'it takes what b had');
});

test('a change that was not made is in the next one, as a whole', (t) => {
  const scene = new Scene().put('Service', web({ externalIPs: ['192.0.2.1'] }));
  scene.services();
  const a = service('a', { clusterIP: '10.96.0.1', externalIPs: ['192.0.2.1'] });
  const trigger = '2026-01-01T00:00:00.5Z';
  const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': trigger };
  const endpoints = webSlice('10.1.0.1');
  scene.put('Service', a).put('EndpointSlice', {
    ...endpoints,
    metadata: { ...endpoints.metadata, annotations },
  });
  const change = scene.state.take();
  t.deepEqual(change.triggers, [Date.parse(trigger)]);
  scene.state.putBack(change);
  t.true(scene.state.dirty);
  t.deepEqual(scene.state.pending, { services: 1, endpoints: 1 });
  scene.put('Service', service('later', { clusterIP: '10.96.0.3' }));
  const next = scene.take(1);
  t.deepEqual(named(next).services?.sort(), ['a', 'web']);
  t.like(next, { services: 1, endpoints: 1, triggers: [Date.parse(trigger)], more: true });
  t.deepEqual(named(scene.take()), { services: ['later'] });
  scene.remove('Service', web());
  scene.state.putBack(scene.state.take());
  t.deepEqual(named(scene.take()), { services: ['-shop/web'] });
});

test('after an outage there are more triggers than a call takes arguments', (t) => {
  const scene = new Scene().put('Service', web()).put('EndpointSlice', webSlice('10.1.0.1'));
  const triggers = Array.from({ length: 300_000 }, (_, index) => index);
  scene.state.putBack({ ...scene.state.take(), triggers });
  t.is(scene.take().triggers.length, 300_000);
});

test('when things happened: of slices alone that changed something, and are readable', (t) => {
  const scene = new Scene().put('Service', web());
  const timed = (time: unknown, ...addresses: string[]) => {
    const object = webSlice(...addresses);
    const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': time };
    return { ...object, metadata: { ...object.metadata, annotations } };
  };
  scene.put('EndpointSlice', timed('2026-01-01T00:00:01Z', '10.1.0.1'));
  scene.put('EndpointSlice', timed('2026-01-01T00:00:02.123456789Z', '10.1.0.2'));
  scene.put('EndpointSlice', timed('2026-01-01T00:00:03Z', '10.1.0.2'));
  t.deepEqual(scene.take().triggers, [
    Date.parse('2026-01-01T00:00:01Z'),
    Date.parse('2026-01-01T00:00:02.123Z'),
  ]);
  scene.put('EndpointSlice', timed('yesterday', '10.1.0.3'));
  scene.put('EndpointSlice', timed(7, '10.1.0.4'));
  scene.remove('EndpointSlice', timed('2026-01-01T00:00:04Z'));
  t.deepEqual(scene.take().triggers, []);
});

test('a list takes the place of what was there', (t) => {
  const scene = new Scene();
  scene.list('Service', web(), service('old', { clusterIP: '10.96.0.1' }));
  scene.services();
  scene.state.beginList('Service');
  scene.put('Service', web());
  scene.state.beginList('Service');
  scene.put('Service', service('new', { clusterIP: '10.96.0.2' }));
  t.deepEqual(named(scene.take()), { services: ['new'] }, 'nothing goes before the list ends');
  scene.state.endList('Service');
  scene.state.endList('Service');
  t.deepEqual(named(scene.take()), { services: ['-shop/web', '-shop/old'] });
});
