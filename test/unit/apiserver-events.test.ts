// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { ApiConnection } from '../../lib/sources/apiserver/connection.js';
import { EventRecorder, type RecordedEvent } from '../../lib/sources/apiserver/event-recorder.js';
import { ManualClock } from '../support/manual-clock.js';
import {
  failure,
  type Script,
  ScriptedServer,
  sendJson,
  until,
} from '../support/scripted-server.js';

const accept: Script = (_, response) => sendJson(response, {}, 201);

async function rig(t: ExecutionContext, script: Script = accept) {
  const server = await new ScriptedServer(script).listen();
  const clock = new ManualClock();
  const connection = await ApiConnection.open({ master: server.url, clock, qps: 0 });
  const warnings: string[] = [];
  const warn = (_: object, message: string) => void warnings.push(message);
  const log = { warn, info() {}, debug() {} };
  const recorder = new EventRecorder(connection, {
    nodeName: 'node-1',
    log,
    clock,
    random: () => 0,
  });
  t.teardown(async () => {
    recorder.close();
    connection.close();
    await server.kill();
  });
  const bodies = () => server.requests.map(({ body }) => JSON.parse(body) as never);
  return { server, clock, recorder, warnings, bodies };
}

const NODE = { apiVersion: 'v1', kind: 'Node', name: 'node-1' };
const started: RecordedEvent = { object: NODE, type: 'Normal', reason: 'Starting', message: 'x' };

test('an event as the API wants it', async (t) => {
  const { server, recorder, bodies } = await rig(t);
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    namespace: 'shop',
    name: 'cart',
    uid: 'u-1',
  };
  const message = 'é'.repeat(1000);
  recorder.record({ object: service, type: 'Warning', reason: 'WrongFamily', message });
  recorder.record(started);
  await until(() => server.requests.length === 2);
  const [first, second] = server.requests;
  t.is(first?.method, 'POST');
  t.is(first?.path, '/apis/events.k8s.io/v1/namespaces/shop/events');
  const [body] = bodies() as { metadata: { name: string } }[];
  t.like(body, {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'sluice.dev/agent',
    reportingInstance: 'node-1',
    action: 'Sync',
    reason: 'WrongFamily',
    regarding: service,
    note: 'é'.repeat(512),
    type: 'Warning',
    series: undefined,
  });
  t.like(body?.metadata, { namespace: 'shop' });
  t.regex(body?.metadata.name ?? '', /^cart\.[0-9a-f]{16}$/);
  t.is(second?.path, '/apis/events.k8s.io/v1/namespaces/default/events');
});

test('what is repeated is counted, and told once a minute', async (t) => {
  const { server, clock, recorder, bodies } = await rig(t);
  recorder.record(started);
  await until(() => server.requests.length === 1);
  const { name } = (bodies()[0] as { metadata: { name: string } }).metadata;
  clock.advance(1_000);
  await new Promise((resolve) => setImmediate(resolve));
  recorder.record(started);
  await until(() => server.requests.length === 2);
  t.is(server.requests[1]?.method, 'PATCH');
  t.is(server.requests[1]?.path, `/apis/events.k8s.io/v1/namespaces/default/events/${name}`);
  t.deepEqual(bodies()[1], {
    series: { count: 2, lastObservedTime: '2026-01-01T00:00:01.000000Z' },
  });
  await until(() => clock.waits().length === 0);
  for (let times = 0; times < 10; times++) {
    clock.advance(1_000);
    recorder.record(started);
  }
  t.is(server.requests.length, 2);
  clock.advance(50_000);
  await until(() => server.requests.length === 3);
  t.deepEqual(bodies()[2], {
    series: { count: 12, lastObservedTime: '2026-01-01T00:00:11.000000Z' },
  });
  await until(() => clock.waits().length === 0);
  // After ten minutes it is news again.
  clock.advance(600_001);
  recorder.record(started);
  await until(() => server.requests.length === 4);
  t.is(server.requests[3]?.method, 'POST');
  t.is(recorder.dropped, 0);
});

test('a date that is set after the start is the date', async (t) => {
  const { server, clock, recorder, bodies } = await rig(t);
  clock.setDate(Date.UTC(2030, 0, 1));
  recorder.record(started);
  await until(() => server.requests.length === 1);
  t.like(bodies()[0], { eventTime: '2030-01-01T00:00:00.000000Z' });
});

test('what waits to be told is not, once the API is left alone', async (t) => {
  let isForbidden = false;
  const { server, clock, recorder, warnings } = await rig(t, (_, response) => {
    if (isForbidden) sendJson(response, failure(403, 'Forbidden'), 403);
    else sendJson(response, {}, 201);
  });
  for (let times = 1; times <= 2; times++) {
    recorder.record(started);
    await until(() => server.requests.length === times && clock.waits().length === 0);
  }
  recorder.record(started);
  isForbidden = true;
  recorder.record({ ...started, reason: 'Other' });
  await until(() => recorder.dropped === 1);
  clock.advance(60_000);
  t.is(recorder.dropped, 2);
  t.is(server.requests.length, 3);
  t.is(warnings.length, 1);
});

test('a series that the server has forgotten begins anew', async (t) => {
  const { server, clock, recorder } = await rig(t, ({ method }, response) => {
    if (method === 'PATCH') sendJson(response, failure(404, 'NotFound'), 404);
    else sendJson(response, {}, 201);
  });
  recorder.record(started);
  await until(() => server.requests.length === 1 && clock.waits().length === 0);
  recorder.record(started);
  await until(() => recorder.dropped === 1);
  recorder.record(started);
  await until(() => server.requests.length === 3);
  t.deepEqual(
    server.requests.map(({ method }) => method),
    ['POST', 'PATCH', 'POST'],
  );
});

for (const [what, script] of [
  ['is not installed', (_, response) => response.writeHead(404).end('404 page not found')],
  ['is forbidden', (_, response) => sendJson(response, failure(403, 'Forbidden'), 403)],
] as [string, Script][]) {
  test(`an API that ${what} is told once, and left alone`, async (t) => {
    const { server, recorder, warnings } = await rig(t, script);
    recorder.record(started);
    await until(() => recorder.dropped === 1);
    for (let times = 0; times < 5; times++) recorder.record({ ...started, reason: `R${times}` });
    t.is(recorder.dropped, 6);
    t.is(server.requests.length, 1);
    t.is(warnings.length, 1);
  });
}

test('a namespace that ends costs its own events only', async (t) => {
  const ending = { details: { causes: [{ reason: 'NamespaceTerminating' }] } };
  const { server, recorder, warnings } = await rig(t, ({ path }, response) => {
    if (path.includes('/gone/')) sendJson(response, failure(403, 'Forbidden', ending), 403);
    else sendJson(response, {}, 201);
  });
  recorder.record({ ...started, object: { ...NODE, namespace: 'gone' } });
  recorder.record(started);
  await until(() => server.requests.length === 2);
  t.deepEqual(warnings, []);
  t.is(recorder.dropped, 1);
});

test('a server that is away: the queue is bounded, and what is dropped is counted', async (t) => {
  const { server, clock, recorder } = await rig(t);
  await server.kill();
  for (let times = 0; times < 150; times++) recorder.record({ ...started, reason: `R${times}` });
  t.true(recorder.dropped >= 49 && recorder.dropped <= 51, `${recorder.dropped}`);
  const before = recorder.dropped;
  await until(() => recorder.dropped === before + 1 && clock.waits().length > 0);
  await server.listen();
  clock.advance(30_000);
  await until(() => server.requests.length >= 20);
  recorder.close();
  recorder.record(started);
  t.true(recorder.dropped > before + 1);
});

test('it is paced', async (t) => {
  const { server, clock, recorder } = await rig(t);
  for (let times = 0; times < 30; times++) recorder.record({ ...started, reason: `R${times}` });
  await until(() => server.requests.length === 25 && clock.waits().length === 1);
  for (let second = 1; second <= 5; second++) {
    clock.advance(1000);
    await until(() => server.requests.length === 25 + second);
  }
  t.is(recorder.dropped, 0);
});

test('a process does not stay for its events', async (t) => {
  const { server } = await rig(t, () => undefined);
  const source = `
    import { ApiConnection } from './lib/sources/apiserver/connection.js';
    import { EventRecorder } from './lib/sources/apiserver/event-recorder.js';
    const connection = await ApiConnection.open({ master: '${server.url}' });
    const log = { warn() {}, info() {}, debug() {} };
    const recorder = new EventRecorder(connection, { nodeName: 'n', log });
    const object = { apiVersion: 'v1', kind: 'Node', name: 'n' };
    recorder.record({ object, type: 'Normal', reason: 'Starting', message: 'x' });
    const began = performance.now();
    setTimeout(() => {}, 1000);
    process.on('exit', () => console.log(Math.round(performance.now() - began)));`;
  const child = spawn(process.execPath, ['--import=tsx', '--input-type=module', '-e', source], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [stayed] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  t.is(server.requests.length, 1);
  t.is(child.exitCode, 0);
  // It did not wait for the answer, which has 10 s.
  t.true(Number(stayed) > 900 && Number(stayed) < 8_000, `${stayed} ms`);
});
