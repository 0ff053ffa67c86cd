// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { InterfaceSpec } from '../../lib/index.js';
import { ip, makeFolder, makeNamespace, type Owner, until } from './rig.js';

const run = promisify(execFile);

/** A place in the network of the tests: a namespace behind a tap, dual stack. */
export interface Seat {
  name: string;
  scope: 'pod' | 'outside';
  v4: string;
  v6: string;
  /** Our side of the tap. */
  gateway4: string;
  gateway6: string;
}

export const seat = (name: string, scope: Seat['scope'], net4: string, net6: string): Seat => ({
  name,
  scope,
  v4: `${net4}.2`,
  v6: `${net6}::2`,
  gateway4: `${net4}.1`,
  gateway6: `${net6}::1`,
});

/** A client outside of the cluster; our side of its link is the node's address. */
export const CLIENT = seat('client', 'outside', '192.0.2', '2001:db8:1');
export const PODS = [1, 2, 3].map((n) => seat(`pod-${n}`, 'pod', `10.244.${n}`, `fd00:244:${n}`));

/** The node's kernel, and our end of the link to it. */
export const HOST = {
  name: 'host',
  v4: '172.16.0.1',
  v6: 'fd16::1',
  ours4: '169.254.10.1',
  ours6: 'fd16:ffff::1',
};

/** Namespaces with real programs in them. */
export class Namespaces {
  readonly folder: string;
  readonly #owner: Owner;
  readonly #namespaces = new Map<string, string>();

  constructor(owner: Owner) {
    this.#owner = owner;
    this.folder = makeFolder(owner);
  }

  namespace(name: string): string {
    return this.#namespaces.get(name)!;
  }

  tap(each: Seat): InterfaceSpec {
    return {
      kind: 'tap',
      name: each.name,
      netns: this.namespace(each.name),
      device: 'eth0',
      scope: each.scope,
      addresses: [`${each.gateway4}/24`, `${each.gateway6}/64`],
    };
  }

  configure(each: Seat): void {
    const at = this.namespace(each.name);
    ip('-n', at, 'addr', 'add', `${each.v4}/24`, 'dev', 'eth0');
    ip('-n', at, '-6', 'addr', 'add', `${each.v6}/64`, 'dev', 'eth0', 'nodad');
    ip('-n', at, 'link', 'set', 'eth0', 'up');
    ip('-n', at, 'route', 'add', 'default', 'via', each.gateway4);
    ip('-n', at, '-6', 'route', 'add', 'default', 'via', each.gateway6);
  }

  /** The tap between the node's kernel and us. */
  hostTap(): InterfaceSpec {
    return {
      kind: 'tap',
      name: HOST.name,
      netns: this.namespace(HOST.name),
      device: 'eth0',
      scope: 'host',
      addresses: [`${HOST.ours4}/32`, `${HOST.ours6}/128`],
    };
  }

  /** The node's kernel has the node's addresses, and goes everywhere by us. */
  configureHost(): void {
    const { name, v4, v6, ours4: gateway4, ours6: gateway6 } = HOST;
    this.connectAlone({ name, v4, v6, gateway4, gateway6 });
  }

  /** Its addresses have no network, and everything goes by us. */
  connectAlone({ name, v4, v6, gateway4, gateway6 }: Omit<Seat, 'scope'>): void {
    const at = this.namespace(name);
    ip('-n', at, 'link', 'set', 'eth0', 'up');
    ip('-n', at, 'addr', 'add', `${v4}/32`, 'dev', 'eth0');
    ip('-n', at, '-6', 'addr', 'add', `${v6}/128`, 'dev', 'eth0', 'nodad');
    ip('-n', at, 'route', 'add', gateway4, 'dev', 'eth0');
    ip('-n', at, 'route', 'add', 'default', 'via', gateway4, 'src', v4);
    ip('-n', at, '-6', 'route', 'add', gateway6, 'dev', 'eth0');
    ip('-n', at, '-6', 'route', 'add', 'default', 'via', gateway6, 'src', v6);
  }

  /** One more namespace, on no tap yet. */
  addNamespace(name: string): string {
    const unique = makeQuietNamespace(this.#owner, name);
    this.#namespaces.set(name, unique);
    return unique;
  }

  /** Runs a program to its end in a namespace; its standard output. */
  async exec(at: string, command: readonly string[], timeout = 30_000): Promise<string> {
    const { stdout } = await run('ip', ['netns', 'exec', this.namespace(at), ...command], {
      timeout,
      killSignal: 'SIGKILL',
      maxBuffer: 64 << 20,
    });
    return stdout;
  }

  /** Starts a program in a namespace; it is ended, by its own pid, when the test ends. */
  start(at: string, command: readonly string[], stdin: 'ignore' | 'pipe' = 'ignore'): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.namespace(at), ...command], {
      stdio: [stdin, 'pipe', 'pipe'],
    });
    child.stderr!.resume();
    this.#owner.teardown(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 3_000);
      await gone;
      clearTimeout(late);
    });
    return child;
  }

  /** Starts nginx in a namespace: port 80 of both families says who answered whom. */
  async startNginx(at: string): Promise<void> {
    const home = join(this.folder, at);
    mkdirSync(home, { recursive: true });
    const file = join(home, 'nginx.conf');
    writeFileSync(file, nginxConfig(at, home));
    this.start(at, ['nginx', '-e', join(home, 'error.log'), '-c', file]);
    await this.listens(at, 80);
  }

  /** Starts the UDP echo server in a namespace, on port 7 of both families. */
  async startEcho(at: string): Promise<void> {
    const script = fileURLToPath(new URL('udp-echo.mjs', import.meta.url));
    const child = this.start(at, [process.execPath, script, at]);
    await once(child.stdout!, 'data');
  }

  async startIperf(at: string): Promise<void> {
    this.start(at, ['iperf3', '-s']);
    await this.listens(at, 5201);
  }

  /** Waits until somebody listens on a TCP port in a namespace. */
  async listens(at: string, port: number): Promise<void> {
    const heard = await until(() => {
      const sockets = execFileSync(
        'ip',
        ['netns', 'exec', this.namespace(at), 'cat', '/proc/net/tcp', '/proc/net/tcp6'],
        { encoding: 'utf8' },
      );
      const hex = port.toString(16).toUpperCase().padStart(4, '0');
      return new RegExp(`:${hex} [0-9A-F:]+ 0A `).test(sockets);
    });
    if (!heard) throw new Error(`nobody listens on port ${port} in ${at}`);
  }

  /** `WHO answers ADDRESS` of a request to `target` (an address, in brackets for IPv6, and a port). */
  async ask(at: string, target: string): Promise<{ who: string; client: string }> {
    const answer = await this.exec(at, ['curl', '-sS', '--max-time', '5', `http://${target}/`]);
    const [who, client] = answer.trim().split(' ');
    return { who: who!, client: client! };
  }
}

function makeQuietNamespace(owner: Owner, name: string): string {
  const unique = makeNamespace(owner, name);
  // Addresses are usable at once, and server sockets do not linger where a client's port comes again.
  execFileSync('ip', [
    ...['netns', 'exec', unique, 'sh', '-c'],
    'echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad; echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad;' +
      'echo 0 >/proc/sys/net/ipv4/tcp_max_tw_buckets',
  ]);
  return unique;
}

function nginxConfig(name: string, home: string): string {
  return `daemon off;
worker_processes 1;
pid ${home}/nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${home}/body;
  proxy_temp_path ${home}/proxy;
  fastcgi_temp_path ${home}/fastcgi;
  uwsgi_temp_path ${home}/uwsgi;
  scgi_temp_path ${home}/scgi;
  client_max_body_size 10m;
  keepalive_requests 1000000;
  server {
    listen 80 backlog=4096;
    listen [::]:80 backlog=4096;
    location / { return 200 "${name} $remote_addr\\n"; }
  }
}
`;
}
