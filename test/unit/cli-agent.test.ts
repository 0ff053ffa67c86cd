// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, rename, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { command, folderOf, RunningAgent, sluice } from '../support/cli.js';

const MANIFEST = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  clusterIP: 10.96.0.10
  ports: [{port: 80, protocol: TCP, nodePort: 30080}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: "", port: 8080, protocol: TCP}]
endpoints: [{addresses: [10.1.0.2]}]
`;
const INTERFACE = ['--interface', 'memory:pods,address=10.1.0.1/24'];

function withBackend(address: string): string {
  return MANIFEST.replace('10.1.0.2', address);
}

test('an agent serves, shows, reloads, refuses what is bad, and ends', async (t) => {
  const folder = await folderOf(t);
  const file = join(folder, 'shop.yaml');
  await writeFile(file, MANIFEST);
  const control = join(folder, 'control.sock');
  const agent = await RunningAgent.start(t, ['-f', file, ...INTERFACE], control);
  t.is((await stat(control)).mode & 0o777, 0o600);
  t.like(await agent.logged('engine started'), { why: 'SLUICE_ENGINE=software asks for it' });

  const services = await agent.ask('get', 'services');
  t.is(services.code, 0, services.stderr);
  t.regex(
    services.stdout,
    /^NAMESPACE +NAME +KIND +ADDRESS +PORT +PROTOCOL +BACKENDS +CONNECTIONS\n/,
  );
  t.regex(services.stdout, /^shop +web +cluster +10\.96\.0\.10 +80 +TCP +1 +0$/m);
  t.regex(services.stdout, /^shop +web +node-port +\* +30080 +TCP +1 +0$/m);
  const backends = JSON.parse((await agent.ask('get', 'backends', '-o', 'json')).stdout);
  t.like(backends, { length: 1, 0: { service: 'shop/web', address: '10.1.0.2', port: 8080 } });
  t.regex((await agent.ask('get', 'interfaces')).stdout, /^pods +memory +up /m);
  t.regex((await agent.ask('get', 'workers')).stdout, /^ +0 /m);
  t.is((await agent.ask('get', 'drops')).stdout, 'REASON  PACKETS\n');
  const occupancy = (await agent.ask('get', 'occupancy')).stdout;
  t.regex(occupancy, /^TABLE +WORKER +USED +LIMIT\n/);
  t.regex(occupancy, /^backends +- +1 +65536$/m);
  t.regex(occupancy, /^fragments +0 +0 +1024$/m);
  t.deepEqual(
    JSON.parse((await agent.ask('get', 'flows', '-o', 'json', '--limit', '5')).stdout),
    [],
  );

  await writeFile(file, withBackend('10.1.0.3'));
  await agent.logged('reloaded');
  t.regex((await agent.ask('get', 'backends')).stdout, /10\.1\.0\.3:8080/);

  await writeFile(file, withBackend('nowhere'));
  const refused = await agent.logged('reload refused');
  t.is(refused['code'], 'ERR_MANIFEST');
  t.regex(String(refused['path']), /shop\.yaml#2: endpoints\[0\]/);
  t.regex((await agent.ask('get', 'backends')).stdout, /10\.1\.0\.3:8080/);

  t.is(await agent.end('SIGTERM'), 0);
  t.like(agent.log.at(-1), { msg: 'stopped' });
  await t.throwsAsync(stat(control), { code: 'ENOENT' });
});

test('an agent explains what it would do with a packet', async (t) => {
  const folder = await folderOf(t);
  await writeFile(join(folder, 'shop.yaml'), MANIFEST);
  const agent = await RunningAgent.start(
    t,
    ['-f', folder, ...INTERFACE, '--interface', 'memory:up,address=10.0.0.1/24'],
    join(folder, 'c.sock'),
  );
  const asked = ['explain', '--from', '10.0.0.9', '--to', '10.96.0.10'];
  const { code, stdout } = await agent.ask(...asked, '--port', '80');
  t.is(code, 0);
  t.regex(stdout, /^packet +TCP 10\.0\.0\.9:40000 -> 10\.96\.0\.10:80, in by up\n/);
  t.regex(stdout, /^service +shop\/web, its cluster address 10\.96\.0\.10:80\/TCP$/m);
  t.regex(stdout, /^backend +10\.1\.0\.2:8080 of shop\/web$/m);
  const report = JSON.parse(
    (await agent.ask(...asked, '--port', '81', '--protocol', 'UDP', '--from-port', '7', '--json'))
      .stdout,
  );
  t.like(report, { packet: { sourcePort: 7 }, reason: { name: 'service_port_unknown' } });
  t.like(await agent.ask(...asked, '--interface', 'down'), {
    code: 2,
    stderr: 'sluice: name: there is no interface down (ERR_INTERFACE_UNKNOWN)\n',
  });
  t.like(await agent.ask('explain', '--from', 'me', '--to', '10.96.0.10', '--port', '80'), {
    code: 2,
    stderr: 'sluice: from: expected an IP address, found "me" (ERR_OPTIONS)\n',
  });
  t.is(await agent.end('SIGTERM'), 0);
});

test('interfaces are added and removed while the agent runs', async (t) => {
  const folder = await folderOf(t);
  await writeFile(join(folder, 'shop.yaml'), MANIFEST);
  const agent = await RunningAgent.start(t, ['-f', folder], join(folder, 'c.sock'));
  const added = await agent.ask('interface', 'add', 'memory:late,address=10.5.0.1/24');
  t.is(added.stdout, 'interface late added: memory, up\n');
  const again = await agent.ask('interface', 'add', 'memory:late');
  t.like(again, {
    code: 2,
    stderr: 'sluice: interface.name: there is an interface late already (ERR_INTERFACE_EXISTS)\n',
  });
  t.is((await agent.ask('interface', 'add', 'tap:x')).code, 2);
  t.regex(
    (await agent.ask('interface', 'add', 'memory')).stderr,
    /^sluice: SPEC: .*ERR_INTERFACE_SPEC/,
  );
  t.is((await agent.ask('interface', 'remove', 'late')).code, 0);
  t.regex((await agent.ask('interface', 'remove', 'late')).stderr, /\(ERR_INTERFACE_UNKNOWN\)\n$/);
  t.is(await agent.end('SIGINT'), 0);
});

test('configuration: interfaces, routes and manifests follow the file', async (t) => {
  const folder = await folderOf(t);
  await writeFile(join(folder, 'shop.yaml'), MANIFEST);
  const config = join(folder, 'sluice.yaml');
  const write = (interfaces: string): Promise<void> =>
    writeFile(config, `manifests: [shop.yaml]\nengine: software\ninterfaces: [${interfaces}]\n`);
  await write('"memory:a"');
  const agent = await RunningAgent.start(t, ['--config', config, ...INTERFACE], join(folder, 's'));
  const names = async (): Promise<string[]> =>
    (JSON.parse((await agent.ask('get', 'interfaces', '-o', 'json')).stdout) as { name: string }[])
      .map(({ name }) => name)
      .sort();
  t.deepEqual(await names(), ['a', 'pods']);
  await agent.ask('interface', 'add', 'memory:late');
  await write('"memory:b,address=10.6.0.1/24"');
  await agent.logged('reloaded');
  t.deepEqual(await names(), ['b', 'late', 'pods']);
  await writeFile(
    config,
    'manifests: [shop.yaml]\nengine: software\nnode: {addresses: [192.168.0.2]}\n' +
      'interfaces: ["memory:b,address=10.6.0.1/24"]\n',
  );
  await agent.logged('reloaded', 2);
  const hit = ['explain', '--from', '10.6.0.9', '--to', '192.168.0.2', '--port', '30080'];
  t.regex((await agent.ask(...hit)).stdout, /its node port 192\.168\.0\.2:30080\/TCP/);
  await write('"memory:b,mtu=1"');
  t.is((await agent.logged('reload refused'))['code'], 'ERR_INTERFACE_SPEC');
  t.deepEqual(await names(), ['b', 'late', 'pods']);
  t.is(await agent.end('SIGTERM'), 0);
});

test('files that are replaced or linked are followed, SIGHUP asks for a reload', async (t) => {
  const folder = await folderOf(t);
  // As Kubernetes mounts a ConfigMap: links through `..data`, which is replaced as a whole.
  const publish = async (name: string, text: string): Promise<void> => {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'shop.yaml'), text);
    await symlink(name, join(folder, '..next'));
    await rename(join(folder, '..next'), join(folder, '..data'));
  };
  await publish('..1', MANIFEST);
  await symlink('..data/shop.yaml', join(folder, 'shop.yaml'));
  const manifest = join(folder, 'shop.yaml');
  const agent = await RunningAgent.start(t, ['-f', manifest], join(folder, 'c.sock'));
  await publish('..2', withBackend('10.1.0.4'));
  await agent.logged('reloaded');
  t.regex((await agent.ask('get', 'backends')).stdout, /10\.1\.0\.4:8080/);
  await unlink(join(folder, '..data'));
  t.like(await agent.logged('reload refused'), { code: 'ERR_MANIFEST' });
  await symlink('..1', join(folder, '..data'));
  await agent.logged('reloaded', 2);
  t.regex((await agent.ask('get', 'backends')).stdout, /10\.1\.0\.2:8080/);
  agent.kill('SIGHUP');
  t.like(await agent.logged('reloaded', 3), { cause: 'SIGHUP', changed: false });
  t.is(await agent.end('SIGTERM'), 0);
});

test('a folder that is exchanged for another one is followed', async (t) => {
  const parent = await folderOf(t);
  const [current, next] = [join(parent, 'current'), join(parent, 'next')];
  for (const [folder, text] of [
    [current, MANIFEST],
    [next, withBackend('10.1.0.5')],
  ] as const) {
    await mkdir(folder);
    await writeFile(join(folder, 'shop.yaml'), text);
  }
  const agent = await RunningAgent.start(t, ['-f', current], join(parent, 'c.sock'));
  await rename(current, join(parent, 'former'));
  await rename(next, current);
  await agent.logged('reloaded');
  t.regex((await agent.ask('get', 'backends')).stdout, /10\.1\.0\.5:8080/);
  await writeFile(join(current, 'shop.yaml'), withBackend('10.1.0.6'));
  await agent.logged('reloaded', 2);
  t.is(await agent.end('SIGTERM'), 0);
});

test('a live control socket is refused, a stale one replaced, a file left alone', async (t) => {
  const folder = await folderOf(t);
  const file = join(folder, 'shop.yaml');
  await writeFile(file, MANIFEST);
  const control = join(folder, 'control.sock');
  const first = await RunningAgent.start(t, ['-f', file], control);
  const second = await sluice(['run', '-f', file, '--control', control]);
  t.is(second.code, 1);
  t.regex(second.stderr, /control\.sock: an agent listens here already; .* \(ERR_AGENT\)\n$/);
  t.is((await first.ask('get', 'services')).code, 0, 'the first one is not disturbed');

  t.is(await first.end('SIGKILL'), null);
  t.true((await stat(control)).isSocket(), 'a killed agent leaves its socket behind');
  const gone = await first.ask('get', 'services');
  t.is(gone.code, 1);
  t.regex(gone.stderr, /no agent answers here; .* \(ERR_AGENT\)\n$/);
  const third = await RunningAgent.start(t, ['-f', file], control);
  t.is(await third.end('SIGTERM'), 0);

  await writeFile(control, 'precious');
  t.like(await sluice(['run', '-f', file, '--control', control]), { code: 1 });
  t.is(await readFile(control, 'utf8'), 'precious');
  const long = join(folder, 'x'.repeat(120));
  const refused = await sluice(['run', '-f', file, '--control', long]);
  t.is(refused.code, 2);
  t.regex(refused.stderr, /^sluice: --control: .* at most 107 bytes.*\(ERR_OPTIONS\)\n$/);
});

test('manifests from the standard input; whatever fails at the start ends it', async (t) => {
  const folder = await folderOf(t);
  const control = join(folder, 'c.sock');
  const run = (words: string[], stdin = ''): ReturnType<typeof sluice> =>
    sluice(['run', ...words, '--control', control], { stdin });
  const bad = await run(['-f', '-'], withBackend('nowhere'));
  t.is(bad.code, 2);
  t.regex(bad.stderr, /^sluice: stdin#2: endpoints\[0\].* \(ERR_MANIFEST\)$/m);
  t.regex(
    (await run(['-f', '/nowhere.yaml'])).stderr,
    /^sluice: \/nowhere\.yaml: .*\(ERR_MANIFEST\)$/m,
  );
  t.regex((await run([])).stderr, /^sluice: --file: .*\(ERR_OPTIONS\)$/m);
  const spec = await run(['-f', '-', '--interface', 'memory:a', '--interface', 'memory:b,mtu=1']);
  t.is(spec.code, 2);
  t.regex(spec.stderr, /^sluice: --interface\[1\]\.mtu: .*\(ERR_INTERFACE_SPEC\)$/m);
  const route = await run(['-f', '-', '--route', '10.0.0.0/8,dev=gone']);
  t.regex(route.stderr, /^sluice: routes\[0\]\.dev: .*\(ERR_ROUTE_SPEC\)$/m);
  await t.throwsAsync(stat(control), { code: 'ENOENT' });
});

test('get speaks plainly to something that is no agent', async (t) => {
  const folder = await folderOf(t);
  const control = join(folder, 'c.sock');
  const server = createServer((socket) =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi'),
  );
  await new Promise<void>((resolve) => server.listen(control, resolve));
  t.teardown(() => server.close());
  t.regex((await command('get', 'services', '--control', control)).stderr, /does not speak JSON/);
});
