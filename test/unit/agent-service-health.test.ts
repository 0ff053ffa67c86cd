// SPDX-License-Identifier: Apache-2.0
import { connect, createServer, type Server } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import {
  type ServiceHealth,
  type ServiceHealthFailure,
  ServiceHealthServers,
} from '../../lib/agent/service-health.js';
import { ask, type HttpReply } from '../support/http.js';

interface Rig {
  servers: ServiceHealthServers;
  failures: ServiceHealthFailure[];
  proxy: { serving: boolean };
  update(...services: (ServiceHealth | string)[]): Promise<void>;
}

/** `update` takes a service as it is, or the key of one that is no more. */
function rig(t: ExecutionContext, addresses: readonly string[] | null = null): Rig {
  const failures: ServiceHealthFailure[] = [];
  const proxy = { serving: true };
  const servers = new ServiceHealthServers({
    serving: () => proxy.serving,
    failed: (failure) => failures.push(failure),
    addresses,
  });
  t.teardown(() => servers.close());
  return {
    servers,
    failures,
    proxy,
    update: (...services) =>
      servers.update(
        new Map(
          services.map((given) =>
            typeof given === 'string' ? [given, null] : [`${given.namespace}/${given.name}`, given],
          ),
        ),
      ),
  };
}

const web = (port: number, localEndpoints = 1, name = 'web'): ServiceHealth => ({
  namespace: 'shop',
  name,
  port,
  localEndpoints,
});

const given = new Set<number>();

/** A port that nobody has at this moment, and that no test has been given. */
async function freePort(): Promise<number> {
  for (;;) {
    const { server, port } = await taken();
    await closed(server);
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

function taken(port = 0): Promise<{ server: Server; port: number }> {
  return new Promise((resolve) => {
    // A test that fails leaves it behind, and is not to wait for it.
    const server = createServer().unref();
    server.listen({ port }, () => {
      resolve({ server, port: (server.address() as { port: number }).port });
    });
  });
}

const closed = (server: Server): Promise<unknown> =>
  new Promise((resolve) => {
    server.close(resolve);
  });

const refused = (port: number, host?: string): Promise<boolean> =>
  ask({ port, ...(host !== undefined && { host }) }).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
  );

const BODY = (endpoints: number, healthy: boolean, name = 'web'): string => `{
	"service": {
		"namespace": "shop",
		"name": "${name}"
	},
	"localEndpoints": ${endpoints},
	"serviceProxyHealthy": ${healthy}
}`;

test.serial('status, headers and body, to the byte, on any path', async (t) => {
  const { servers, update, proxy, failures } = rig(t);
  const port = await freePort();
  const said = async (
    path = '/',
  ): Promise<Pick<HttpReply, 'status' | 'body'> & { weight: unknown }> => {
    const { status, body, headers } = await ask({ port, path });
    t.is(headers['content-type'], 'application/json');
    t.is(headers['x-content-type-options'], 'nosniff');
    return { status, body, weight: headers['x-load-balancing-endpoint-weight'] };
  };
  await update(web(port, 2));
  for (const path of ['/', '/healthz', '/a/b?c'])
    t.deepEqual(await said(path), { status: 200, body: BODY(2, true), weight: '2' });
  await update(web(port, 0));
  t.deepEqual(await said(), { status: 503, body: BODY(0, true), weight: '0' });
  await update(web(port, 1));
  t.is((await said()).status, 200);
  proxy.serving = false;
  t.deepEqual(await said(), { status: 503, body: BODY(1, false), weight: '1' });
  t.deepEqual(failures, []);
  await servers.close();
  t.true(await refused(port));
});

test.serial('an update may come while another one opens its ports', async (t) => {
  const { update, failures } = rig(t);
  const ports: number[] = [];
  while (ports.length < 20) ports.push(await freePort());
  const [moving, ...others] = ports;
  await update(web(moving!, 1, 'before'));
  const opening = update(...others.map((port, at) => web(port, 1, `other-${at}`)));
  await new Promise((resolve) => process.nextTick(resolve));
  await update(web(moving!, 2, 'after'), 'shop/before');
  await opening;
  t.deepEqual(failures, []);
  t.is((await ask({ port: moving! })).body, BODY(2, true, 'after'));
  for (const port of others) t.is((await ask({ port })).status, 200);
});

test.serial('both families are served', async (t) => {
  const { update } = rig(t);
  const port = await freePort();
  await update(web(port));
  t.is((await ask({ port, host: '127.0.0.1' })).status, 200);
  t.is((await ask({ port, host: '::1' })).status, 200);
});

test.serial(
  'a service that goes closes its port, and one that stays keeps its connection',
  async (t) => {
    const { servers, update } = rig(t);
    const [stays, goes] = [await freePort(), await freePort()];
    await update(web(stays, 1, 'stays'), web(goes, 1, 'goes'));
    const socket = connect(stays, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    await update('shop/goes', 'shop/never-was');
    t.true(await refused(goes));
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const head = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    t.true(head.toString().startsWith('HTTP/1.1 200 '));
    socket.destroy();
    await servers.close();
  },
);

test.serial('a change of the port closes the old one and opens the new one', async (t) => {
  const { update } = rig(t);
  const [before, after] = [await freePort(), await freePort()];
  await update(web(before));
  await update(web(after));
  t.true(await refused(before));
  t.is((await ask({ port: after })).status, 200);
});

test.serial(
  'two services may change ports with each other, and a new one may take that of one that goes',
  async (t) => {
    const { servers, update, failures } = rig(t);
    const [one, two] = [await freePort(), await freePort()];
    await update(web(one, 1, 'a'), web(two, 2, 'b'));
    await update(web(two, 1, 'a'), web(one, 2, 'b'));
    t.is((await ask({ port: one })).body, BODY(2, true, 'b'));
    t.is((await ask({ port: two })).body, BODY(1, true, 'a'));
    // Not awaited: the second update comes while the first is under way.
    const updates = [update(web(await freePort(), 1, 'x')), update(web(one, 3, 'c'), 'shop/b')];
    await Promise.all(updates);
    t.is((await ask({ port: one })).body, BODY(3, true, 'c'));
    t.deepEqual(failures, []);
    await servers.close();
  },
);

test.serial(
  'a port that is taken is told once, tried with each update, and bothers nobody else',
  async (t) => {
    const { servers, update, failures } = rig(t);
    const { server, port } = await taken();
    const other = await freePort();
    await update(web(port), web(other, 1, 'other'));
    t.deepEqual(failures, [
      {
        namespace: 'shop',
        name: 'web',
        port,
        message: `cannot listen on 0.0.0.0:${port}: address already in use`,
      },
    ]);
    t.is((await ask({ port: other })).status, 200);
    await update();
    await update(web(port, 2));
    t.is(failures.length, 1, 'it is the same mistake');
    await closed(server);
    await update();
    t.is((await ask({ port })).body, BODY(2, true));
    await servers.close();
  },
);

test.serial('a port that was lost to somebody else is told again', async (t) => {
  const { update, failures } = rig(t);
  const first = await taken();
  await update(web(first.port));
  await closed(first.server);
  await update();
  await update('shop/web');
  const second = await taken(first.port);
  await update(web(first.port));
  t.is(failures.length, 2);
  await closed(second.server);
});

test.serial('of two services with one port the first is served, and then the other', async (t) => {
  const { update, failures } = rig(t);
  const port = await freePort();
  await update(web(port, 1, 'a'), web(port, 1, 'b'));
  t.like(failures, [{ name: 'b' }]);
  t.is((await ask({ port })).body, BODY(1, true, 'a'));
  await update('shop/a');
  t.is((await ask({ port })).body, BODY(1, true, 'b'));
});

test.serial('with addresses: each of them, and no other', async (t) => {
  const { servers, update } = rig(t, ['127.0.0.1', '127.0.0.2']);
  const port = await freePort();
  await update(web(port));
  t.is((await ask({ port, host: '127.0.0.1' })).status, 200);
  t.is((await ask({ port, host: '127.0.0.2' })).status, 200);
  t.true(await refused(port, '127.0.0.3'));

  await servers.setAddresses(['127.0.0.2', '127.0.0.3']);
  t.true(await refused(port, '127.0.0.1'));
  t.is((await ask({ port, host: '127.0.0.2' })).status, 200);
  t.is((await ask({ port, host: '127.0.0.3' })).status, 200);

  await servers.setAddresses([]);
  t.true(await refused(port, '127.0.0.2'));
  t.deepEqual([...servers.ports], [['shop/web', []]]);

  await servers.setAddresses(null);
  t.is((await ask({ port, host: '127.0.0.1' })).status, 200);
});

test.serial('with an address that cannot be: none of them', async (t) => {
  const { update, failures } = rig(t, ['127.0.0.1', '192.0.2.1']);
  const port = await freePort();
  await update(web(port));
  t.deepEqual(
    failures.map(({ message }) => message),
    [`cannot listen on 192.0.2.1:${port}: no interface has this address`],
  );
  t.true(await refused(port, '127.0.0.1'));
});

test.serial('close closes everything, also what an update is about to open', async (t) => {
  const { servers, update } = rig(t);
  const ports = [await freePort(), await freePort()];
  const updating = update(web(ports[0]!, 1, 'a'), web(ports[1]!, 1, 'b'));
  await servers.close();
  await updating;
  for (const port of ports) t.true(await refused(port));
  await t.notThrowsAsync(servers.close());
});
