// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { stringify } from 'yaml';
import { SluiceError } from '../../lib/errors.js';
import { ApiConnection, type ConnectionOptions } from '../../lib/sources/apiserver/connection.js';
import { ManualClock } from '../support/manual-clock.js';
import { failure, ScriptedServer, sendJson } from '../support/scripted-server.js';

const SECRET = 'this-is-secret';

/** A folder with files, and a server that takes anybody. */
async function rig(t: ExecutionContext, tls?: { key: Buffer; cert: Buffer; ca?: Buffer }) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kubeconfig-'));
  const server = await new ScriptedServer(
    (_, response) => sendJson(response, {}),
    tls && { ...tls, requestCert: tls.ca !== undefined, rejectUnauthorized: tls.ca !== undefined },
  ).listen();
  t.teardown(async () => {
    await server.kill();
    rmSync(folder, { recursive: true });
  });
  const write = (name: string, content: unknown): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : stringify(content));
    return path;
  };
  return { folder, server, write, clock: new ManualClock() };
}

function kubeconfig(server: string, user: object, cluster: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'one',
    clusters: [{ name: 'c', cluster: { server, ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'one', context: { cluster: 'c', user: 'u' } }],
  };
}

/** What the server gets to see as Authorization for one request. */
async function authorization(server: ScriptedServer, options: ConnectionOptions) {
  const connection = await ApiConnection.open(options);
  await connection.getJson('/version');
  connection.close();
  return server.requests.at(-1)?.headers.authorization;
}

async function refusal(options: ConnectionOptions): Promise<SluiceError> {
  const error = await ApiConnection.open(options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof SluiceError) return error;
  throw error ?? new Error('it was opened');
}

test('tokens, basic and nothing', async (t) => {
  const { server, write } = await rig(t);
  const of = (user: object) =>
    authorization(server, { kubeconfig: write('config', kubeconfig(server.url, user)) });
  t.is(await of({ token: SECRET }), `Bearer ${SECRET}`);
  t.is(
    await of({ username: 'a', password: 'b' }),
    `Basic ${Buffer.from('a:b').toString('base64')}`,
  );
  t.is(await of({}), undefined);
});

test('a token file is read anew when it is a minute old', async (t) => {
  const { server, write, clock } = await rig(t);
  write('secrets/token', 'first\n');
  // Relative to the kubeconfig file.
  const path = write('config', kubeconfig(server.url, { tokenFile: 'secrets/token' }));
  const connection = await ApiConnection.open({ kubeconfig: path, clock });
  const token = async () => {
    await connection.getJson('/version');
    return server.requests.at(-1)?.headers.authorization;
  };
  t.is(await token(), 'Bearer first');
  write('secrets/token', 'second\n');
  clock.advance(59_000);
  t.is(await token(), 'Bearer first');
  clock.advance(1_000);
  t.is(await token(), 'Bearer second');
  // What cannot be read does not take away what there was.
  rmSync(join(dirname(path), 'secrets/token'));
  clock.advance(61_000);
  t.is(await token(), 'Bearer second');
  connection.close();
});

test('a token that is refused is read anew at once, and once only', async (t) => {
  const { server, write, clock } = await rig(t);
  write('token', 'old');
  const path = write('config', kubeconfig(server.url, { tokenFile: 'token' }));
  const connection = await ApiConnection.open({ kubeconfig: path, clock, qps: 0 });
  server.script = ({ headers }, response) => {
    if (headers.authorization === 'Bearer new') sendJson(response, { ok: true });
    else sendJson(response, failure(401, 'Unauthorized'), 401);
  };
  write('token', 'new');
  t.deepEqual(await connection.getJson('/a'), { ok: true });
  t.is(server.requests.length, 2);
  await connection.getJson('/b');
  t.is(server.requests.length, 3);
  write('token', SECRET);
  server.script = (_, response) => sendJson(response, failure(401, 'Unauthorized'), 401);
  const error = await connection.getJson('/c').then(
    () => undefined,
    (reason: Error) => reason,
  );
  t.regex(error?.message ?? '', /401 Unauthorized/);
  t.notRegex(`${error?.stack}${JSON.stringify(error)}`, new RegExp(SECRET));
  t.is(server.requests.length, 5);
  connection.close();
});

test('a plugin is run, and its credentials are kept until they expire', async (t) => {
  const { server, write, folder, clock } = await rig(t);
  const plugin = write(
    'bin/plugin',
    `#!/bin/sh\necho run >> ${folder}/runs\nprintf '%s' '${JSON.stringify({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: SECRET, expirationTimestamp: '2999-01-01T00:00:00Z' },
    })}'\n`,
  );
  chmodSync(plugin, 0o755);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: './bin/plugin' };
  const path = write('config', kubeconfig(server.url, { exec }));
  const connection = await ApiConnection.open({ kubeconfig: path, clock });
  const runs = (): number => readFileSync(join(folder, 'runs'), 'utf8').split('\n').length - 1;
  await connection.getJson('/a');
  t.is(server.requests.at(-1)?.headers.authorization, `Bearer ${SECRET}`);
  clock.advance(120_000);
  await connection.getJson('/b');
  t.is(runs(), 1);
  // Refused: whatever the plugin said, it is asked again.
  server.script = (_, response) => sendJson(response, failure(401, 'Unauthorized'), 401);
  await connection.getJson('/c').catch(() => undefined);
  t.is(runs(), 2);
  connection.close();
});

test('a plugin that fails is an error', async (t) => {
  const { server, write } = await rig(t);
  const exec = { command: '/bin/sh', args: ['-c', 'echo no login >&2; exit 1'] };
  const error = await refusal({ kubeconfig: write('config', kubeconfig(server.url, { exec })) });
  t.is(error.code, 'ERR_APISERVER');
  t.regex(error.message, /no credentials: no login/);
});

test('contexts are chosen; one that is not there is refused', async (t) => {
  const { server, write } = await rig(t);
  const config = {
    ...kubeconfig(server.url, { token: 'one' }),
    users: [
      { name: 'u', user: { token: 'one' } },
      { name: 'v', user: { token: 'two' } },
    ],
    contexts: [
      { name: 'one', context: { cluster: 'c', user: 'u' } },
      { name: 'two', context: { cluster: 'c', user: 'v' } },
    ],
  };
  const path = write('config', config);
  t.is(await authorization(server, { kubeconfig: path, context: 'two' }), 'Bearer two');
  const error = await refusal({ kubeconfig: path, context: 'three' });
  t.is(error.code, 'ERR_OPTIONS');
  t.regex(error.message, /no context three; there are: one, two/);
});

test('master replaces the server, and is enough alone', async (t) => {
  const { server, write } = await rig(t);
  const path = write('config', kubeconfig('https://192.0.2.1:6443', { token: 'x' }));
  t.is(await authorization(server, { kubeconfig: path, master: server.url }), 'Bearer x');
  t.is(await authorization(server, { master: `${server.url}/` }), undefined);
  for (const master of ['10.0.0.1:6443', 'ftp://x', 'https://me:secret@x']) {
    const error = await refusal({ master });
    t.is(error.code, 'ERR_OPTIONS', master);
    t.notRegex(error.message, /secret/);
  }
});

test.serial('the environment counts only where it is asked for', async (t) => {
  const { server, write } = await rig(t);
  const first = write('first', kubeconfig(server.url, { token: 'first' }));
  const second = write('second', {
    ...kubeconfig('https://192.0.2.1', { token: 'second' }),
    'current-context': 'other',
  });
  const before = { ...process.env };
  t.teardown(() => {
    process.env = before;
  });
  process.env['KUBECONFIG'] = ['', `${first}-not`, first, second].join(delimiter);
  t.is(await authorization(server, { environment: true }), 'Bearer first');
  const error = await refusal({});
  t.regex(error.message, /this is no pod/);
});

test.serial('in a pod: the service account, whose token is replaced', async (t) => {
  const { server, write, folder, clock } = await rig(t);
  const account = 'var/run/secrets/kubernetes.io/serviceaccount';
  write(`${account}/token`, 'first\n');
  write(`${account}/ca.crt`, '');
  const before = { ...process.env };
  t.teardown(() => {
    process.env = before;
  });
  process.env['KUBERNETES_SERVICE_HOST'] = 'fd00::1';
  process.env['KUBERNETES_SERVICE_PORT'] = '6443';
  const own = await ApiConnection.open({ root: folder });
  t.is(own.server, 'https://[fd00::1]:6443');
  own.close();
  // The agent serves the address of that Service: it must be able to go past it.
  const connection = await ApiConnection.open({
    inCluster: true,
    root: folder,
    master: server.url,
    clock,
  });
  await connection.getJson('/a');
  t.is(server.requests.at(-1)?.headers.authorization, 'Bearer first');
  write(`${account}/token`, 'second\n');
  clock.advance(60_000);
  await connection.getJson('/b');
  t.is(server.requests.at(-1)?.headers.authorization, 'Bearer second');
  connection.close();
  rmSync(join(folder, account, 'token'));
  const error = await refusal({ inCluster: true, root: folder });
  t.regex(error.message, /serviceaccount\/token: no token/);
});

test('files that are wrong are told without what is in them', async (t) => {
  const { write, folder } = await rig(t);
  const cases: [content: string, message: RegExp][] = [
    [`users: [{token: ${SECRET}\n  - ]`, /not YAML/],
    ['{}', /no current context/],
    [
      'current-context: x\ncontexts: [{name: x, context: {cluster: none, user: u}}]',
      /no current context/,
    ],
    ['clusters: [{name: c}]', /clusters\[0\]\.cluster is missing/],
    [stringify(kubeconfig('10.0.0.1', { token: SECRET })), /must be an address/],
    [stringify(kubeconfig('https://x', { tokenFile: 'none' })), /none: no token/],
    [
      stringify(kubeconfig('https://x', { 'client-certificate': '/none' })),
      /no credentials: ENOENT/,
    ],
  ];
  for (const [content, message] of cases) {
    const error = await refusal({ kubeconfig: write('config', content) });
    t.is(error.code, 'ERR_APISERVER', content);
    t.regex(error.message, message, content);
    t.notRegex(`${error.stack}${(error.cause as Error)?.stack}`, new RegExp(SECRET));
  }
  const none = await refusal({ kubeconfig: join(folder, 'none') });
  t.regex(none.message, /none: there is no such file/);
});

test('TLS: the authority is checked, and certificates are shown', async (t) => {
  const certificates = certificate(t);
  const { server, write } = await rig(t, { ...certificates, ca: certificates.cert });
  const pem = certificates.cert.toString('base64');
  const user = {
    'client-certificate-data': pem,
    'client-key': write('client.key', certificates.key.toString()),
  };
  const open = (cluster: object, who: object = user) =>
    authorization(server, { kubeconfig: write('config', kubeconfig(server.url, who, cluster)) });
  await t.notThrowsAsync(open({ 'certificate-authority-data': pem }));
  await t.notThrowsAsync(open({ 'insecure-skip-tls-verify': true }));
  await t.throwsAsync(open({}), { message: /self-signed certificate/ });
  await t.throwsAsync(open({ 'certificate-authority-data': pem }, { token: 'x' }));
  await t.throwsAsync(open({ 'certificate-authority-data': pem, 'tls-server-name': 'other' }), {
    message: /altnames/,
  });
});

function certificate(t: ExecutionContext): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
  const names = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', [...request.split(' '), '-keyout', key, '-out', cert, ...names], {
    stdio: 'ignore',
  });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}
