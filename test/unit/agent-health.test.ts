// SPDX-License-Identifier: Apache-2.0
import { Agent } from 'node:http';
import { createServer } from 'node:net';
import test from 'ava';
import { openHealthServer } from '../../lib/agent/health-server.js';
import { KeptListener } from '../../lib/agent/kept-listener.js';
import { ProxyHealth, rfc3339 } from '../../lib/agent/proxy-health.js';
import { ask } from '../support/http.js';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
const START = Date.UTC(2026, 10, 28, 12, 0, 0, 500);

class Clock {
  nowMs = START;
  readonly read = (): number => this.nowMs;
}

function rig(): { clock: Clock; health: ProxyHealth } {
  const clock = new Clock();
  return { clock, health: new ProxyHealth(60_000, clock.read, clock.read) };
}

test('a clock that is set says nothing about what waits', (t) => {
  const clock = new Clock();
  let elapsedMs = 0;
  const health = new ProxyHealth(60_000, clock.read, () => elapsedMs);
  health.queued();
  clock.nowMs += 24 * 3_600_000;
  t.true(health.healthy, 'a day forward');
  elapsedMs += 60_000;
  clock.nowMs -= 48 * 3_600_000;
  t.false(health.healthy, 'and two days back');
  health.synced(true);
  t.true(health.healthy);
  elapsedMs += 60_000;
  t.false(health.healthy);
});

test('times are what Go makes of them', (t) => {
  t.is(rfc3339(START), '2026-11-28T12:00:00.5Z');
  t.is(rfc3339(START + 500), '2026-11-28T12:00:01Z');
  t.is(rfc3339(START + 520), '2026-11-28T12:00:01.02Z');
  t.is(rfc3339(START + 501), '2026-11-28T12:00:01.001Z');
  t.is(rfc3339(START + 10 * 60_000 - 500), '2026-11-28T12:10:00Z');
});

test('the bodies of /healthz and /livez, to the byte', async (t) => {
  const { clock, health } = rig();
  const server = await openHealthServer(LOOPBACK, health);
  t.teardown(() => server.close());
  const get = async (path: string): Promise<[number, string]> => {
    const { status, body } = await ask({ port: server.port, path });
    return [status, body];
  };
  t.deepEqual(
    await get('/healthz'),
    [
      503,
      '{"lastUpdated":"0001-01-01T00:00:00Z","currentTime":"2026-11-28T12:00:00.5Z","nodeEligible":true,"healthy":true}',
    ],
    'nothing is served yet',
  );
  t.deepEqual(await get('/livez'), [
    200,
    '{"lastUpdated":"2026-11-28T12:00:00.5Z","currentTime":"2026-11-28T12:00:00.5Z","healthy":true}',
  ]);

  health.synced();
  clock.nowMs += 7_000;
  t.deepEqual(
    await get('/livez'),
    [
      200,
      '{"lastUpdated":"2026-11-28T12:00:07.5Z","currentTime":"2026-11-28T12:00:07.5Z","healthy":true,"status":' +
        '{"IPv4":{"lastUpdated":"2026-11-28T12:00:00.5Z","healthy":true},"IPv6":{"lastUpdated":"2026-11-28T12:00:00.5Z","healthy":true}}}',
    ],
    'lastUpdated is now while all is well',
  );

  health.queued();
  clock.nowMs += 60_000;
  const late =
    '"healthy":false,"status":{"IPv4":{"lastUpdated":"2026-11-28T12:00:00.5Z","healthy":false},"IPv6":{"lastUpdated":"2026-11-28T12:00:00.5Z","healthy":false}}}';
  t.deepEqual(await get('/healthz'), [
    503,
    `{"lastUpdated":"2026-11-28T12:00:00.5Z","currentTime":"2026-11-28T12:01:07.5Z","nodeEligible":true,${late}`,
  ]);
  t.deepEqual(await get('/livez'), [
    503,
    `{"lastUpdated":"2026-11-28T12:00:00.5Z","currentTime":"2026-11-28T12:01:07.5Z",${late}`,
  ]);
});

test('headers, other paths, and every method', async (t) => {
  const { health } = rig();
  health.synced();
  const server = await openHealthServer(LOOPBACK, health);
  t.teardown(() => server.close());
  const { port } = server;
  for (const path of ['/healthz', '/livez', '/healthz?verbose']) {
    const { status, headers } = await ask({ port, path });
    t.is(status, 200, path);
    t.is(headers['content-type'], 'application/json');
    t.is(headers['x-content-type-options'], 'nosniff');
    t.is(headers['x-load-balancing-endpoint-weight'], undefined);
  }
  for (const path of ['/', '/healthz/', '/metrics', '/constructor', '/healthzz'])
    t.like(await ask({ port, path }), { status: 404, body: '404 page not found\n' });
  t.like(await ask({ port, path: '/healthz', method: 'HEAD' }), { status: 200, body: '' });
  const big = 'x'.repeat(1_000_000);
  t.is((await ask({ port, path: '/livez', method: 'POST', body: big })).status, 200);
});

test('answers are counted by path and code', async (t) => {
  const { clock, health } = rig();
  const seen: string[] = [];
  const server = await openHealthServer(LOOPBACK, health, (path, status) =>
    seen.push(`${path} ${status}`),
  );
  t.teardown(() => server.close());
  const { port } = server;
  health.synced();
  await ask({ port, path: '/healthz' });
  await ask({ port, path: '/nothing' });
  health.setNode(null);
  await ask({ port, path: '/healthz' });
  await ask({ port, path: '/livez' });
  health.queued();
  clock.nowMs += 100_000;
  await ask({ port, path: '/livez' });
  t.deepEqual(seen, ['healthz 200', 'healthz 503', 'livez 200', 'livez 503']);
});

test('unhealthy is who leaves the oldest change unprogrammed for the timeout', (t) => {
  const { clock, health } = rig();
  clock.nowMs += 1_000_000;
  t.true(health.healthy, 'there is nothing to do');
  health.queued();
  clock.nowMs += 59_999;
  health.queued();
  t.true(health.healthy);
  clock.nowMs += 1;
  t.false(health.healthy, 'later changes do not put it off');
  health.failed();
  t.false(health.healthy);
  health.synced();
  t.true(health.healthy);
  clock.nowMs += 1_000_000;
  t.true(health.healthy);
});

test('a failed sync counts although nothing was queued', (t) => {
  const { clock, health } = rig();
  health.failed();
  clock.nowMs += 60_000;
  t.false(health.healthy);
  t.deepEqual(health.livez().report.status?.['IPv6'], {
    lastUpdated: '0001-01-01T00:00:00Z',
    healthy: false,
  });
});

test('what came during a sync waits from its end on', (t) => {
  const { clock, health } = rig();
  health.queued();
  clock.nowMs += 50_000;
  health.synced(true);
  clock.nowMs += 59_999;
  t.true(health.healthy);
  clock.nowMs += 1;
  t.false(health.healthy);
});

const node = (taints: string[], deletionTimestamp?: string) => ({
  metadata: { deletionTimestamp },
  spec: { taints: taints.map((key) => ({ key })) },
});

test('a node is eligible unless it is gone, going, or about to be deleted by the autoscaler', (t) => {
  const { health } = rig();
  const after = (given: Parameters<ProxyHealth['setNode']>[0]): boolean => {
    health.setNode(given);
    return health.nodeEligible;
  };
  t.true(health.nodeEligible, 'nobody knows yet');
  t.true(after(node([])));
  t.true(after({ metadata: {} }));
  t.true(after(node(['node.kubernetes.io/unschedulable', 'x'])));
  t.false(after(node(['x', 'ToBeDeletedByClusterAutoscaler'])));
  t.true(after(node([])));
  t.false(after(node([], '2026-11-28T12:00:00Z')));
  t.true(after(node([])), 'it was made again');
  t.false(after(null));
  const { ok, report } = health.healthz();
  t.false(ok);
  t.like(report, { nodeEligible: false, healthy: true }, 'the proxy itself is well');
  t.true(health.healthy, 'what the health checks of services ask for');
  t.true(health.livez().ok);
});

test('who drains tells balancers, and not the kubelet', (t) => {
  const { health } = rig();
  health.setNode(node([]));
  health.synced();
  t.false(health.draining);
  health.drain();
  t.true(health.draining);
  t.true(health.healthy, 'the proxy goes on working');
  t.like(health.healthz(), { ok: false });
  t.like(health.healthz().report, { nodeEligible: false, healthy: true });
  t.like(health.livez(), { ok: true });
  health.setNode(node([]));
  t.false(health.healthz().ok, 'a change of the node does not undo that');
});

test('close ends connections that are kept, and answers that are under way are given', async (t) => {
  const { health } = rig();
  const server = await openHealthServer(LOOPBACK, health);
  t.teardown(() => server.close());
  const { port } = server;
  const agent = new Agent({ keepAlive: true });
  await ask({ port, path: '/livez', agent });
  const begin = performance.now();
  await server.close();
  t.true(performance.now() - begin < 900, 'nobody waited for the idle connection');
  await t.throwsAsync(ask({ port, path: '/livez' }), { code: 'ECONNREFUSED' });
  agent.destroy();
});

test('an address that is taken is an error that says so, or is tried until it is free', async (t) => {
  const { health } = rig();
  const other = createServer();
  const port = await new Promise<number>((resolve) => {
    other.listen({ host: '127.0.0.1', port: 0 }, () => {
      resolve((other.address() as { port: number }).port);
    });
  });
  const address = { host: '127.0.0.1', port };
  await t.throwsAsync(openHealthServer(address, health), {
    code: 'ERR_LISTEN',
    message: `cannot listen on 127.0.0.1:${port}: address already in use`,
  });

  const failures: unknown[] = [];
  const kept = new KeptListener(
    () => openHealthServer(address, health),
    (error) => failures.push(error),
    20,
  );
  while (failures.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  t.is(kept.port, null);
  await new Promise((resolve) => other.close(resolve));
  while (kept.port === null) await new Promise((resolve) => setTimeout(resolve, 5));
  t.is((await ask({ port, path: '/livez' })).status, 200);
  await kept.close();
  await t.throwsAsync(ask({ port, path: '/livez' }), { code: 'ECONNREFUSED' });
});

test('a listener that is closed is not opened any more', async (t) => {
  const { health } = rig();
  const failures: unknown[] = [];
  const kept = new KeptListener(
    () => openHealthServer({ host: '192.0.2.1', port: 1 }, health),
    (error) => failures.push(error),
    1,
  );
  await kept.close();
  const before = failures.length;
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.is(failures.length, before);
});
