// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { formatBindAddress, parseBindAddress } from '../../lib/agent/bind-address.js';
import { AgentMetrics } from '../../lib/agent/metrics.js';
import { openMetricsServer } from '../../lib/agent/metrics-server.js';
import { parseExposition, sampleValue } from '../support/exposition.js';
import { ask } from '../support/http.js';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

const CONFIGURATION = {
  apiVersion: 'sluice.dev/v1alpha1',
  kind: 'AgentConfiguration',
  clientConnection: {
    kubeconfig: '/etc/kubeconfig',
    tokenFile: '/run/token',
    token: 'ey1',
    auth: [{ username: 'u', password: 'p2' }],
    'client-key-data': 's3',
    clientKeyData: 's3',
  },
  syncPeriod: '30s',
};

function open(metrics: { contentType: string; scrape(): Promise<string> }) {
  return openMetricsServer(LOOPBACK, { metrics, configuration: () => CONFIGURATION });
}

test('pages of the metrics server', async (t) => {
  const metrics = new AgentMetrics({ version: '1.2.3' });
  const server = await open(metrics);
  t.teardown(() => server.close());
  const { port } = server;
  const get = (path: string) => ask({ port, path });
  const text = 'text/plain; charset=utf-8';
  for (const [path, body] of [
    ['/proxyMode', 'sluice'],
    ['/healthz', 'ok'],
  ] as const) {
    const reply = await get(path);
    t.like(reply, { status: 200, body });
    t.is(reply.headers['content-type'], text);
    t.is(reply.headers['x-content-type-options'], 'nosniff');
  }
  const scrape = await get('/metrics');
  t.is(scrape.status, 200);
  t.is(scrape.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  t.is(Number(scrape.headers['content-length']), Buffer.byteLength(scrape.body));
  t.is(sampleValue(parseExposition(scrape.body), 'sluice_build_info', { version: '1.2.3' }), 1);
  for (const path of ['/', '/metrics/', '/livez', '/debug/pprof/', '/toString', '/configz/x'])
    t.like(await get(path), { status: 404, body: '404 page not found\n' });
  await server.close();
  await t.throwsAsync(get('/healthz'), { code: 'ECONNREFUSED' });
});

test('/configz shows the configuration, and no secrets', async (t) => {
  const server = await open(new AgentMetrics({ version: '1.2.3' }));
  t.teardown(() => server.close());
  const { status, headers, body } = await ask({ port: server.port, path: '/configz' });
  t.is(status, 200);
  t.is(headers['content-type'], 'application/json');
  t.deepEqual(JSON.parse(body), {
    'sluice.dev': {
      apiVersion: 'sluice.dev/v1alpha1',
      kind: 'AgentConfiguration',
      clientConnection: {
        kubeconfig: '/etc/kubeconfig',
        tokenFile: '/run/token',
        auth: [{ username: 'u' }],
      },
      syncPeriod: '30s',
    },
  });
});

test('a scrape that fails is an answer of 500, and the next one is a new one', async (t) => {
  let fails = true;
  const server = await open({
    contentType: 'text/plain',
    scrape: async () => {
      if (fails) throw new Error('no figures');
      t.teardown(() => server.close());
      return 'x 1\n';
    },
  });
  const { port } = server;
  t.like(await ask({ port, path: '/metrics' }), { status: 500, body: 'no figures\n' });
  fails = false;
  t.like(await ask({ port, path: '/metrics' }), { status: 200, body: 'x 1\n' });
});

const ADDRESSES: readonly (readonly [text: string, host: string | null, port: number])[] = [
  ['127.0.0.1:10249', '127.0.0.1', 10_249],
  ['127.0.0.1:0', '127.0.0.1', 0],
  ['0.0.0.0:10256', null, 10_256],
  ['[::]:10256', null, 10_256],
  [':10256', null, 10_256],
  ['[::1]:65535', '::1', 65_535],
  ['10.0.0.1', '10.0.0.1', 7],
  ['0.0.0.0', null, 7],
  ['::', null, 7],
  ['::1', '::1', 7],
  ['[fd00::1]', 'fd00::1', 7],
  ['fd00::1:2', 'fd00::1:2', 7],
];

for (const [text, host, port] of ADDRESSES)
  test(`bind address ${text}`, (t) => {
    t.deepEqual(parseBindAddress(text, 7), { host, port });
  });

const MISTAKES = [
  '',
  'none',
  'localhost:10249',
  'localhost',
  '10.0.0.1:',
  '10.0.0.1:http',
  '10.0.0.1:65536',
  '10.0.0.1:-1',
  '10.0.0.256:1',
  '[10.0.0.1]:1',
  '[]:1',
  '[::1',
  '::1]:1',
  '[::1]x:1',
  ':',
  ' 10.0.0.1:1',
  '10.0.0.0/8',
  'http://10.0.0.1:1',
];

for (const text of MISTAKES)
  test(`no bind address: "${text}"`, (t) => {
    t.is(parseBindAddress(text, 7), null);
  });

test('addresses are written as they are read', (t) => {
  for (const text of ['127.0.0.1:10249', '[::1]:1', '0.0.0.0:10256'])
    t.is(formatBindAddress(parseBindAddress(text, 7)!), text);
});

test('all addresses are those of both families', async (t) => {
  const metrics = new AgentMetrics({ version: '1.2.3' });
  const server = await openMetricsServer(
    { host: null, port: 0 },
    { metrics, configuration: () => CONFIGURATION },
  );
  t.teardown(() => server.close());
  for (const host of ['127.0.0.1', '::1'])
    t.is((await ask({ port: server.port, host, path: '/healthz' })).status, 200, host);
});
