// SPDX-License-Identifier: Apache-2.0
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { SluiceError } from '../../lib/errors.js';
import { ApiConnection, type ConnectionOptions } from '../../lib/sources/apiserver/connection.js';
import { statusOf } from '../../lib/sources/apiserver/status.js';
import { ManualClock } from '../support/manual-clock.js';
import {
  failure,
  type Script,
  ScriptedServer,
  sendJson,
  until,
} from '../support/scripted-server.js';

async function rig(t: ExecutionContext, script: Script, options: ConnectionOptions = {}) {
  const server = await new ScriptedServer(script).listen();
  const clock = new ManualClock();
  const connection = await ApiConnection.open({ master: server.url, clock, qps: 0, ...options });
  t.teardown(async () => {
    connection.close();
    await server.kill();
  });
  return { server, clock, connection };
}

async function errorOf(promise: Promise<unknown>): Promise<SluiceError> {
  const error = await promise.then(
    () => new Error('it went well'),
    (reason: unknown) => reason,
  );
  if (error instanceof SluiceError) return error;
  throw error;
}

test('asks for JSON, with query, user agent, and connections that are kept', async (t) => {
  const { server, connection } = await rig(t, (_, response) => sendJson(response, { a: 1 }), {
    userAgent: 'sluice/1.2.3',
  });
  const query = { limit: '5', labelSelector: '!a/b', none: undefined };
  t.deepEqual(await connection.getJson('/api/v1/services', query), { a: 1 });
  t.deepEqual(await connection.getJson('/version'), { a: 1 });
  const [first, second] = server.requests;
  t.is(first?.path, '/api/v1/services');
  t.deepEqual(
    [...first!.query],
    [
      ['limit', '5'],
      ['labelSelector', '!a/b'],
    ],
  );
  t.is(first?.headers['user-agent'], 'sluice/1.2.3');
  t.is(first?.headers.accept, 'application/json');
  t.is(first?.headers.authorization, undefined);
  t.is(second?.connection, first?.connection);
});

test('writes are JSON and merge patches', async (t) => {
  const { server, connection } = await rig(t, (_, response) => sendJson(response, {}, 201));
  await connection.postJson('/a', { x: 'é' });
  await connection.patchJson('/a/b', { y: 2 });
  t.deepEqual(
    server.requests.map(({ method, path, headers, body }) => [
      method,
      path,
      headers['content-type'],
      body,
    ]),
    [
      ['POST', '/a', 'application/json', '{"x":"é"}'],
      ['PATCH', '/a/b', 'application/merge-patch+json', '{"y":2}'],
    ],
  );
});

test('takes gzip, and says what is wrong with it', async (t) => {
  const body = gzipSync(JSON.stringify({ items: Array(10_000).fill('x') }));
  const { server, connection } = await rig(t, (request, response) => {
    t.is(request.headers['accept-encoding'], 'gzip');
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end(request.path === '/whole' ? body : body.subarray(0, body.length / 2));
  });
  const list = (await connection.getJson('/whole')) as { items: unknown[] };
  t.is(list.items.length, 10_000);
  const error = await errorOf(connection.getJson('/half'));
  t.is(error.code, 'ERR_APISERVER');
  t.is(error.path, `${server.url}/half`);
});

test('an error has the status, names server and path, and no token', async (t) => {
  const { server, connection } = await rig(t, (request, response) => {
    if (request.path === '/text') response.writeHead(404).end('404 page not found\n');
    else if (request.path === '/html') response.writeHead(200).end('<html>');
    else sendJson(response, failure(403, 'Forbidden', { message: 'no, you must not' }), 403);
  });
  const forbidden = await errorOf(connection.getJson('/api/v1/pods'));
  t.is(forbidden.code, 'ERR_APISERVER');
  t.is(forbidden.path, `${server.url}/api/v1/pods`);
  t.is(forbidden.message, `${server.url}/api/v1/pods: 403 Forbidden: no, you must not`);
  t.is(statusOf(forbidden)?.reason, 'Forbidden');
  const missing = await errorOf(connection.getJson('/text'));
  t.is(missing.message, `${server.url}/text: 404: 404 page not found`);
  t.is(statusOf(missing)?.reason, undefined);
  const html = await errorOf(connection.getJson('/html'));
  t.regex(html.message, /the answer is not JSON/);
  t.is(statusOf(html), undefined);
});

test('when to come back is in the header or in the status', async (t) => {
  const { connection } = await rig(t, (request, response) => {
    if (request.path === '/header')
      response.writeHead(429, { 'retry-after': '3' }).end('slow down');
    else sendJson(response, failure(504, 'Timeout', { details: { retryAfterSeconds: 2 } }), 504);
  });
  t.is(statusOf(await errorOf(connection.getJson('/header')))?.retryAfterMs, 3000);
  t.is(statusOf(await errorOf(connection.getJson('/status')))?.retryAfterMs, 2000);
});

test('a server that is not there is an error', async (t) => {
  const { server, connection } = await rig(t, () => undefined);
  await server.kill();
  const error = await errorOf(connection.getJson('/version'));
  t.is(error.code, 'ERR_APISERVER');
  t.regex(error.message, /ECONNREFUSED/);
  t.is(statusOf(error), undefined);
  connection.close();
});

test('a server that says nothing, or stops in the middle, has a minute', async (t) => {
  const { clock, server, connection } = await rig(t, (request, response) => {
    if (request.path === '/half') response.writeHead(200).write('{"items":');
  });
  for (const path of ['/silent', '/half']) {
    const asked = errorOf(connection.getJson(path));
    await until(() => server.requests.at(-1)?.path === path);
    clock.advance(59_999);
    clock.advance(1);
    t.regex((await asked).message, /no answer for 60 s/, path);
  }
});

test('a kept connection that the server has closed is not an error', async (t) => {
  const { server, connection } = await rig(t, (request, response) => {
    if (
      server.requests.filter(({ path }) => path === request.path).length > 1 ||
      request.path === '/a'
    ) {
      sendJson(response, {});
    } else {
      // As if it had been closed before the request came.
      request.path === '/b' && response.socket?.resetAndDestroy();
    }
  });
  await connection.getJson('/a');
  t.deepEqual(await connection.getJson('/b'), {});
  t.is(server.requests.length, 3);
});

test('lists and writes are paced; next pages and watches are not', async (t) => {
  const { clock, server, connection } = await rig(
    t,
    (request, response) => {
      if (request.query.has('watch')) response.writeHead(200).write('{}\n');
      else sendJson(response, {});
    },
    { qps: 2, burst: 2 },
  );
  await connection.getJson('/1');
  await connection.postJson('/2', {});
  const third = connection.getJson('/3');
  const fourth = connection.getJson('/4');
  await connection.getJson('/page', {}, { unpaced: true });
  const stop = new AbortController();
  await connection.stream('/watch', { watch: '1' }, stop.signal, 1000);
  const paths = (): string[] => server.requests.map(({ path }) => path);
  t.deepEqual(paths(), ['/1', '/2', '/page', '/watch']);
  clock.advance(499);
  t.deepEqual(clock.waits().slice(0, 2).map(Math.round), [1, 501]);
  clock.advance(1);
  await third;
  clock.advance(500);
  await fourth;
  t.deepEqual(paths().slice(4), ['/3', '/4']);
  stop.abort();
});

test('a stream gives chunks as they come, and is cut when nothing comes', async (t) => {
  let send: (text: string) => void = () => undefined;
  const { clock, connection } = await rig(t, (_, response) => {
    response.writeHead(200).flushHeaders();
    send = (text) => void response.write(text);
  });
  const stream = await connection.stream('/w', {}, new AbortController().signal, 10_000);
  const chunks = stream[Symbol.asyncIterator]();
  for (const text of ['one', 'two']) {
    const next = chunks.next();
    send(text);
    t.is(Buffer.from((await next).value as Uint8Array).toString(), text);
    clock.advance(9_000);
  }
  const last = errorOf(chunks.next());
  clock.advance(1_000);
  t.regex((await last).message, /nothing has come for 10 s/);
});

test('what is under way when it closes fails as closed', async (t) => {
  const { server, connection } = await rig(t, (request, response) => {
    if (request.path === '/w') response.writeHead(200).flushHeaders();
  });
  const stream = await connection.stream('/w', {}, new AbortController().signal, 10_000);
  const read = errorOf(stream[Symbol.asyncIterator]().next());
  const asked = errorOf(connection.getJson('/silent'));
  await until(() => server.requests.length === 2);
  connection.close();
  t.is((await read).code, 'ERR_CLOSED');
  t.is((await asked).code, 'ERR_CLOSED');
  t.is((await errorOf(connection.getJson('/later'))).code, 'ERR_CLOSED');
  await server.kill();
});
