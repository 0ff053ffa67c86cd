// SPDX-License-Identifier: Apache-2.0
import type { ServerResponse } from 'node:http';
import test from 'ava';
import { watchedResources } from '../../lib/sources/apiserver/resources.js';
import { until } from '../support/scripted-server.js';
import {
  answerJson,
  answerWatch,
  errorLine,
  event,
  list,
  OPEN,
  object,
  SERVICES,
  WatchRig,
} from '../support/watch-rig.js';

test('lists in pages, then watches from there', async (t) => {
  const resource = { ...SERVICES, fieldSelector: 'spec.clusterIP!=None', labelSelector: '!a/b' };
  const rig = await WatchRig.open(t, [resource], { pageSize: 2 });
  rig.lists = [
    answerJson(list(7, ['a', 'b'], 'two')),
    answerJson(list(7, ['c', 'd'], 'three')),
    answerJson(list(7, ['e'])),
  ];
  rig.watches = [answerWatch(event('ADDED', 'f', 8) + event('DELETED', 'a', 9), true)];
  rig.watch.start();
  await rig.watch.synced;
  const puts = ['a', 'b', 'c', 'd', 'e'].map((name) => `put Service ${name}`);
  t.deepEqual(rig.sink.entries.slice(0, 7), ['begin Service', ...puts, 'end Service']);
  await until(() => rig.sink.entries.length === 9);
  t.deepEqual(rig.sink.entries.slice(7), ['put Service f', 'remove Service a']);
  for (const [index, next] of [null, 'two', 'three'].entries()) {
    const query = rig.queries('list')[index]!;
    t.is(query.get('limit'), '2');
    t.is(query.get('continue'), next);
    t.is(query.get('resourceVersion'), null);
    t.is(query.get('fieldSelector'), 'spec.clusterIP!=None');
    t.is(query.get('labelSelector'), '!a/b');
  }
  const [watch] = rig.queries('watch');
  t.is(watch?.get('resourceVersion'), '7');
  t.is(watch?.get('allowWatchBookmarks'), 'true');
  t.is(watch?.get('timeoutSeconds'), '450');
  t.is(watch?.get('fieldSelector'), 'spec.clusterIP!=None');
  t.is(watch?.get('labelSelector'), '!a/b');
  t.is(watch?.get('limit'), null);
  const [state] = rig.watch.state();
  t.like(state, { kind: 'Service', synced: true, resourceVersion: '9', lists: 1, watches: 1 });
  t.like(state, { errors: 0, lastError: undefined, lastContactMs: rig.clock.now() });
  rig.clock.setDate(rig.clock.now() + 3_600_000);
  t.is(rig.watch.state()[0]?.lastContactMs, rig.clock.date());
  t.true(rig.changes >= 6);
});

test('a watch that ends goes on from where it was; a bookmark moves that', async (t) => {
  const rig = await WatchRig.open(t);
  rig.lists = [answerJson(list(7, ['a']))];
  rig.watches = [
    answerWatch(event('MODIFIED', 'a', 8)),
    answerWatch(event('BOOKMARK', '', 20)),
    OPEN,
  ];
  rig.watch.start();
  await until(() => rig.resumed().length === 3);
  t.deepEqual(rig.resumed(), ['7', '8', '20']);
  t.deepEqual(rig.sink.entries.slice(3), ['put Service a']);
  t.is(rig.queries('list').length, 1);
  t.is(rig.watch.state()[0]?.errors, 0);
});

test('watches that end at once are not asked for in a loop', async (t) => {
  const rig = await WatchRig.open(t);
  rig.lists = [answerJson(list(7, []))];
  rig.watches = [answerWatch('')];
  rig.watch.start();
  for (const wait of [1200, 2400, 4800, 9600, 19_200, 22_500, 22_500]) {
    t.is(await rig.passBackoff(), wait);
  }
  t.is(rig.queries('list').length, 1);
});

for (const [how, answer] of [
  ['in the stream', answerWatch(errorLine(410, 'Expired'))],
  ['as a status', answerJson({ kind: 'Status', code: 410, reason: 'Gone' }, 410)],
] as const) {
  test(`410 ${how}: lists again, and nothing goes before that has ended`, async (t) => {
    const rig = await WatchRig.open(t, [SERVICES], { pageSize: 1 });
    let second: ServerResponse | undefined;
    rig.lists = [
      answerJson(list(7, ['a', 'b'])),
      answerJson(list(99, ['b'], 'more')),
      (_, response) => {
        second = response;
      },
    ];
    rig.watches = [answer, OPEN];
    rig.watch.start();
    await rig.watch.synced;
    await rig.passBackoff(800, 1600);
    await until(() => second !== undefined);
    t.deepEqual(rig.sink.names(), ['Service a', 'Service b']);
    t.false(rig.sink.entries.some((entry) => entry.startsWith('remove')));
    t.true(rig.watch.state()[0]?.synced);
    second?.end(JSON.stringify(list(99, ['c'])));
    await until(() => rig.resumed().length === 2);
    t.deepEqual(rig.sink.names(), ['Service b', 'Service c']);
    t.deepEqual(rig.resumed(), ['7', '99']);
    // It is what happens when a node has been away; nobody need be told.
    t.deepEqual(rig.warnings(), []);
  });
}

test('410 between pages: the list begins anew, and in one piece if that goes on', async (t) => {
  const rig = await WatchRig.open(t, [SERVICES], { pageSize: 1 });
  const expired = answerJson({ kind: 'Status', code: 410, reason: 'Expired' }, 410);
  rig.lists = [
    answerJson(list(7, ['a'], 'two')),
    expired,
    answerJson(list(8, ['a'], 'two')),
    expired,
    answerJson(list(9, ['b', 'c'])),
  ];
  rig.watches = [OPEN];
  rig.watch.start();
  await rig.passBackoff(800, 1600);
  await rig.passBackoff(1600, 3200);
  await rig.watch.synced;
  t.deepEqual(
    rig.queries('list').map((query) => [query.get('limit'), query.get('continue')]),
    [
      ['1', null],
      ['1', 'two'],
      ['1', null],
      ['1', 'two'],
      [null, null],
    ],
  );
  t.deepEqual(rig.sink.entries, [
    ...['begin Service', 'put Service a', 'begin Service', 'put Service a'],
    ...['begin Service', 'put Service b', 'put Service c', 'end Service'],
  ]);
  t.deepEqual(rig.sink.names(), ['Service b', 'Service c']);
});

for (const [what, line] of [
  ['an error of the server', errorLine(500, 'InternalError')],
  ['no JSON', '{"type":"ADDED","object":\n'],
  ['no event', '{"type":"SOMETHING","object":{"metadata":{"resourceVersion":"9"}}}\n'],
  ['no object', '{"type":"ADDED","object":null}\n'],
  ['not even an object', '[]\n'],
  ['a line without an end', '{"type":"ADDED","obj'],
] as const) {
  test(`a watch that says ${what}: goes on after the last good line, then lists`, async (t) => {
    const rig = await WatchRig.open(t);
    rig.lists = [answerJson(list(7, ['a'])), answerJson(list(12, ['a', 'c']))];
    rig.watches = [
      answerWatch(event('ADDED', 'b', 8) + line),
      answerWatch(event('ADDED', 'c', 9) + line),
      answerWatch(line),
      OPEN,
    ];
    rig.watch.start();
    for (let times = 0; times < 2; times++) await rig.passBackoff(800, 1600);
    t.is(rig.queries('list').length, 1);
    await rig.passBackoff();
    await until(() => rig.resumed().length === 4);
    t.deepEqual(rig.resumed(), ['7', '8', '9', '12']);
    t.is(rig.queries('list').length, 2);
    t.deepEqual(rig.sink.names(), ['Service a', 'Service c']);
    t.is(rig.watch.state()[0]?.errors, 3);
  });
}

test('chunks end anywhere, and lines are as long as they like', async (t) => {
  const rig = await WatchRig.open(t);
  rig.lists = [answerJson(list(7, []))];
  const note = 'größer als 3 MB: '.repeat(200_000);
  const long = { type: 'ADDED', object: { ...object('long', 9), note } };
  rig.watches = [
    (_, response) => {
      response.writeHead(200);
      const bytes = Buffer.from(event('ADDED', 'zwölf-🦭', 8));
      const bursts = [...bytes].map((byte) => Buffer.of(byte));
      const next = (): void => {
        const burst = bursts.shift();
        if (burst) response.write(burst, () => setImmediate(next));
        else response.write(`\n\r\n${JSON.stringify(long)}\n`);
      };
      next();
    },
  ];
  rig.watch.start();
  await until(() => rig.sink.entries.length === 4);
  t.deepEqual(rig.sink.names(), ['Service long', 'Service zwölf-🦭']);
  t.is((rig.sink.objects()[1] as { note: string }).note, note);
});

test('an hour without a server changes nothing, and then it goes on from where it was', async (t) => {
  const rig = await WatchRig.open(t);
  rig.lists = [answerJson(list(7, ['a']))];
  rig.watches = [answerWatch(event('ADDED', 'b', 8), true)];
  rig.watch.start();
  await until(() => rig.sink.names().length === 2);
  const began = rig.clock.now();
  const [changes, entries] = [rig.changes, rig.sink.entries.length];
  await rig.server.kill();
  const waits: number[] = [];
  while (rig.clock.now() - began < 3_600_000) waits.push(await rig.passBackoff());
  t.deepEqual(waits.slice(0, 5), [1200, 2400, 4800, 9600, 19_200]);
  t.true(waits.every((wait) => wait <= 30_000));
  t.is(rig.changes, changes);
  t.is(rig.sink.entries.length, entries);
  t.like(rig.watch.state()[0], { synced: true, resourceVersion: '8', lastContactMs: began });
  t.true(rig.warnings().length <= 2, 'an outage is told once');
  rig.watches = [answerWatch(event('DELETED', 'a', 12), true)];
  await rig.backoff();
  await rig.server.listen();
  await rig.passBackoff();
  await until(() => rig.sink.names().length === 1);
  t.deepEqual(rig.resumed(), ['7', '8']);
  t.is(rig.queries('list').length, 1);
});

test('the first kind that finds the server again tells the others', async (t) => {
  const pods = { kind: 'Pod', path: '/api/v1/pods' } as const;
  const chances = [0.5, 0.5, 0.1, 0.9];
  const random = (): number => chances.shift() ?? 0.5;
  const rig = await WatchRig.open(t, [SERVICES, pods], { random });
  rig.lists = [answerJson(list(7, ['a']))];
  rig.watches = [OPEN];
  rig.watch.start();
  const asleep = (): number[] => rig.clock.waits().filter((wait) => wait < 30_000);
  await until(() => rig.resumed().length === 2);
  await rig.server.kill();
  await until(() => asleep().length === 2);
  await rig.server.listen();
  const [first = 0, second = 0] = asleep();
  t.true(second - first > 500, 'one of them has to wait longer');
  rig.clock.advance(first);
  await until(() => rig.resumed().length === 4);
  t.deepEqual(asleep(), []);
});

test('an API that is not installed is an empty list, until it is', async (t) => {
  const [resource] = watchedResources({ nodeName: null }).filter(({ optional }) => optional);
  t.is(resource?.kind, 'ClusterNetworkPolicy');
  const rig = await WatchRig.open(t, [resource!]);
  rig.lists = [(_, response) => response.writeHead(404).end('404 page not found\n')];
  rig.watch.start();
  await rig.watch.synced;
  t.like(rig.watch.state()[0], { synced: true, absent: true, errors: 0 });
  for (let times = 0; times < 3; times++) t.is(await rig.passBackoff(24_000, 36_000), 30_000);
  t.deepEqual(rig.sink.entries, ['begin ClusterNetworkPolicy', 'end ClusterNetworkPolicy']);
  t.is(rig.logged.length, 1);
  await rig.backoff(24_000, 36_000);
  rig.lists = [answerJson(list(7, ['a']))];
  rig.watches = [OPEN];
  await rig.passBackoff(24_000, 36_000);
  await until(() => rig.resumed().length === 1);
  t.deepEqual(rig.sink.names(), ['ClusterNetworkPolicy a']);
  t.false(rig.watch.state()[0]?.absent);
  // It is taken away: the watch ends, and there is nothing any more to go on with.
  rig.lists = [(_, response) => response.writeHead(404).end('404 page not found\n')];
  rig.watches = rig.lists;
  rig.server.cut();
  await rig.passBackoff(800, 1600);
  await rig.passBackoff(800, 3200);
  await until(() => rig.sink.names().length === 0);
  t.true(rig.watch.state()[0]?.absent);
});

test('404 for what every API server has is a mistake, and empties nothing', async (t) => {
  const rig = await WatchRig.open(t);
  rig.lists = [answerJson({ kind: 'Status', code: 404, reason: 'NotFound' }, 404)];
  rig.watch.start();
  await rig.passBackoff(800, 1600);
  await until(() => rig.queries('list').length === 2);
  t.deepEqual(rig.sink.entries, []);
  t.false(rig.watch.state()[0]?.synced);
});

test('403 is told once, with the rule that is missing', async (t) => {
  const slices = watchedResources({ nodeName: null }).find(({ kind }) => kind === 'EndpointSlice')!;
  const rig = await WatchRig.open(t, [slices]);
  const forbidden = { kind: 'Status', code: 403, reason: 'Forbidden', message: 'no' };
  rig.lists = [answerJson(forbidden, 403)];
  rig.watch.start();
  for (let times = 0; times < 5; times++) await rig.passBackoff();
  t.is(rig.warnings().length, 1);
  t.regex(
    rig.warnings()[0] ?? '',
    /apiGroups \["discovery.k8s.io"\], resources \["endpointslices"\], verbs \["list", "watch"\]/,
  );
  t.false(rig.watch.state()[0]?.synced);
  await rig.backoff();
  rig.lists = [answerJson(list(7, ['a']))];
  rig.watches = [OPEN];
  await rig.passBackoff();
  await rig.watch.synced;
  t.deepEqual(rig.sink.names(), ['EndpointSlice a']);
});

test('a server that is busy is asked again when it says so', async (t) => {
  const rig = await WatchRig.open(t);
  rig.lists = [
    (_, response) => response.writeHead(429, { 'retry-after': '17' }).end(),
    answerJson(list(7, ['a'])),
  ];
  rig.watches = [
    (_, response) => response.writeHead(503, { 'retry-after': '9' }).end(),
    (_, response) => response.writeHead(502).end('bad gateway'),
    OPEN,
  ];
  rig.watch.start();
  t.is(await rig.passBackoff(), 17_000);
  t.is(await rig.passBackoff(), 9_000);
  await rig.passBackoff();
  await until(() => rig.resumed().length === 3);
  t.deepEqual(rig.resumed(), ['7', '7', '7']);
  t.is(rig.queries('list').length, 2);
});

test('a resourceVersion that the server has not got to: it lists', async (t) => {
  const rig = await WatchRig.open(t);
  rig.lists = [answerJson(list(700, ['a'])), answerJson(list(9, ['b']))];
  const cause = { reason: 'ResourceVersionTooLarge' };
  const late = { kind: 'Status', code: 504, reason: 'Timeout', details: { causes: [cause] } };
  rig.watches = [answerJson(late, 504), OPEN];
  rig.watch.start();
  await rig.passBackoff(800, 1600);
  await until(() => rig.resumed().length === 2);
  t.deepEqual(rig.resumed(), ['700', '9']);
  t.deepEqual(rig.sink.names(), ['Service b']);
});

test('a bookmark from before where we are: the server was set back, and is listed', async (t) => {
  const rig = await WatchRig.open(t);
  rig.lists = [answerJson(list(1000, ['a'])), answerJson(list(999, ['b']))];
  rig.watches = [answerWatch(event('BOOKMARK', '', 999), true), OPEN];
  rig.watch.start();
  await until(() => rig.resumed().length === 2);
  t.deepEqual(rig.sink.names(), ['Service b']);
  t.deepEqual(rig.resumed(), ['1000', '999']);
});

test('a watch that says nothing for minutes is replaced, and that is no error', async (t) => {
  const rig = await WatchRig.open(t);
  rig.lists = [answerJson(list(7, ['a']))];
  let answers = 0;
  rig.watches = [
    (_, response) => {
      response.writeHead(200).flushHeaders();
      answers += 1;
    },
  ];
  rig.watch.start();
  await until(() => answers === 1 && rig.clock.waits()[0] === 240_000);
  rig.clock.advance(240_000);
  await until(() => answers === 2 && rig.clock.waits()[0] === 240_000);
  t.deepEqual(rig.resumed(), ['7', '7']);
  t.like(rig.watch.state()[0], { errors: 0, watches: 2, lists: 1 });
});

test('the event loop has its turns in a list and in a burst of events', async (t) => {
  let [puts, inTurn, most] = [0, 0, 0];
  const burn = (): void => {
    const end = performance.now() + 1;
    while (performance.now() < end);
    puts += 1;
    inTurn += 1;
    most = Math.max(most, inTurn);
  };
  const sink = { beginList() {}, put: burn, remove: burn, endList() {} };
  const rig = await WatchRig.open(t, [SERVICES], { sink });
  const names = Array.from({ length: 50 }, (_, index) => `s${index}`);
  rig.lists = [answerJson(list(7, names))];
  rig.watches = [answerWatch(names.map((name, at) => event('ADDED', name, 8 + at)).join(''), true)];
  const turn = (): void => {
    inTurn = 0;
    if (puts < 100) setImmediate(turn);
  };
  turn();
  rig.watch.start();
  await until(() => puts === 100);
  t.true(most <= 10, `${most} objects of 1 ms in one turn`);
});

test('nothing comes into the sink after it has been closed', async (t) => {
  const rig = await WatchRig.open(t, [SERVICES], { pageSize: 1 });
  let page: ServerResponse | undefined;
  rig.lists = [
    answerJson(list(7, ['a'], 'more')),
    (_, response) => {
      page = response;
    },
  ];
  rig.watch.start();
  await until(() => page !== undefined);
  const entries = rig.sink.entries.length;
  const closed = rig.watch.close();
  page?.end(JSON.stringify(list(7, ['b'])));
  await closed;
  t.is(rig.sink.entries.length, entries);
  await t.throwsAsync(rig.watch.synced, { code: 'ERR_CLOSED' });
});

test('what is watched, and with which selectors', (t) => {
  const all = watchedResources({ nodeName: 'node-1' });
  t.deepEqual(
    all.map(({ kind, path, fieldSelector = '', labelSelector = '' }) =>
      [kind, path, fieldSelector, labelSelector].join(' ').trim(),
    ),
    [
      'Service /api/v1/services spec.clusterIP!=None !service.kubernetes.io/service-proxy-name',
      'EndpointSlice /apis/discovery.k8s.io/v1/endpointslices  !service.kubernetes.io/headless',
      'Node /api/v1/nodes metadata.name=node-1',
      'Namespace /api/v1/namespaces',
      'Pod /api/v1/pods',
      'NetworkPolicy /apis/networking.k8s.io/v1/networkpolicies',
      'ClusterNetworkPolicy /apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies',
    ],
  );
  const [service, slice, ...others] = watchedResources({
    nodeName: null,
    serviceProxyName: 'mine',
    policy: false,
  });
  t.is(service?.labelSelector, 'service.kubernetes.io/service-proxy-name=mine');
  t.is(slice?.labelSelector, '!service.kubernetes.io/headless');
  t.deepEqual(others, []);
});
