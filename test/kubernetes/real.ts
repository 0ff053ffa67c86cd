// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from './client.js';
import type { Launched, LaunchOptions } from './cluster.js';

const assets = (): string => process.env['KUBEBUILDER_ASSETS'] ?? '';

/** Why a real API server cannot be run, or null. */
export function realObstacle(): string | null {
  if (!assets()) return 'needs KUBEBUILDER_ASSETS, a folder with etcd and kube-apiserver';
  const missing = ['etcd', 'kube-apiserver'].filter((name) => !existsSync(join(assets(), name)));
  return missing.length === 0 ? null : `KUBEBUILDER_ASSETS has no ${missing.join(' and no ')}`;
}

const START_MS = 90_000;

/** etcd and kube-apiserver (1.30 and newer), as envtest starts them: no controllers, no kubelet. */
export async function startReal(options: LaunchOptions): Promise<Launched> {
  const { folder, certificates, token, serviceCidrs } = options;
  const at = (name: string): string => join(folder, name);
  const [etcdPort, peerPort, port] = (await freePorts(3)) as [number, number, number];
  const url = `https://127.0.0.1:${port}`;
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  // `token,user,uid,"groups"`
  writeFileSync(at('tokens.csv'), `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  // Signs the tokens of service accounts. Nobody asks for one, but there has to be a key.
  execFileSync('openssl', ['genrsa', '-out', at('accounts.key'), '2048'], { stdio: 'ignore' });

  const etcd = run(folder, 'etcd', [
    `--data-dir=${at('etcd')}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
    // What a test stores need not outlive the machine.
    '--unsafe-no-fsync=true',
  ]);
  const startApi = (): ChildProcess =>
    run(folder, 'kube-apiserver', [
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${port}`,
      `--etcd-servers=${etcdUrl}`,
      `--cert-dir=${at('run')}`,
      `--tls-cert-file=${at('server.crt')}`,
      `--tls-private-key-file=${at('server.key')}`,
      `--client-ca-file=${at('ca.crt')}`,
      `--token-auth-file=${at('tokens.csv')}`,
      '--authorization-mode=RBAC',
      `--service-account-issuer=${url}`,
      `--service-account-key-file=${at('accounts.key')}`,
      `--service-account-signing-key-file=${at('accounts.key')}`,
      `--service-cluster-ip-range=${serviceCidrs.join(',')}`,
      // Nobody makes the default accounts that it asks for.
      '--disable-admission-plugins=ServiceAccount',
      '--allow-privileged=true',
    ]);

  let api = startApi();
  const client = new Client(url, certificates.ca, token);
  try {
    await ready(client, () => api, folder);
  } catch (error) {
    await Promise.all([end(api, 'SIGKILL'), end(etcd, 'SIGKILL')]);
    throw error;
  }
  return {
    url,
    server: null,
    load: null,
    compact: null,
    kill9: () => end(api, 'SIGKILL'),
    restart: async () => {
      api = startApi();
      await ready(client, () => api, folder);
    },
    stop: async () => {
      client.close();
      await end(api, 'SIGTERM');
      await end(etcd, 'SIGTERM');
    },
  };
}

/** What it says is in `<program>.log` of the folder. */
function run(folder: string, program: string, args: string[]): ChildProcess {
  const log = openSync(join(folder, `${program}.log`), 'a');
  const child = spawn(join(assets(), program), args, { stdio: ['ignore', log, log], cwd: folder });
  closeSync(log);
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', kill);
  child.once('exit', () => process.removeListener('exit', kill));
  child.on('error', () => {});
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  // A server that has open watches may take its time to end.
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(timer);
}

async function ready(client: Client, child: () => ChildProcess, folder: string): Promise<void> {
  const end = Date.now() + START_MS;
  for (;;) {
    const isEnded = child().exitCode !== null || child().signalCode !== null;
    if (isEnded || Date.now() > end) {
      const log = readFileSync(join(folder, 'kube-apiserver.log'), 'utf8').slice(-4000);
      throw new Error(`kube-apiserver ${isEnded ? 'ended' : 'is not ready'}:\n${log}`);
    }
    const isReady = await client.ask('GET', '/readyz').then(
      ({ code }) => code === 200,
      () => false,
    );
    // The first Service is there as soon as addresses can be given to others.
    const hasService =
      isReady &&
      (await client.ask('GET', '/api/v1/namespaces/default/services/kubernetes').then(
        ({ code }) => code === 200,
        () => false,
      ));
    if (hasService) return;
    await sleep(100);
  }
}

/** Of the loopback. They are free now, and nobody else is told of them. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    ports.push(typeof address === 'object' && address ? address.port : 0);
  }
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
