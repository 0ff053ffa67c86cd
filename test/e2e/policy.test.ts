// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { DropReason } from '../../lib/engine/reasons.js';
import type { InterfaceSpec } from '../../lib/index.js';
import { networkPolicy, pod, service, slice } from '../support/network.js';
import { requires } from '../support/requires.js';
import { CLIENT, Node, PODS, type Seat } from './node.js';
import { ip, until } from './rig.js';

/** Pods with real kernels, manifests that say who may talk to whom, and curl to try it. */
const real = requires('the native addon', 'root', '/dev/net/tun', 'ip', 'curl');

const [WEB, CART, STRANGER] = PODS as [Seat, Seat, Seat];
const NAMES = new Map([
  [WEB, 'shop/web'],
  [CART, 'shop/cart'],
  [STRANGER, 'other/stranger'],
]);
const SERVICE = { v4: '10.96.0.20', v6: 'fd00:96::20' };
/** A pod that nobody has. */
const FOREIGN = { v4: '10.244.77.7', v6: 'fd00:244:77::7' };
/** The node, and our end of the link to its kernel. */
const HOST = { v4: '172.16.0.1', v6: 'fd16::1', ours4: '169.254.10.1', ours6: 'fd16:ffff::1' };

const FROM_WEB = networkPolicy('shop/cart', {
  app: 'cart',
  ingress: [
    {
      from: [{ podSelector: { matchLabels: { app: 'web' } } }],
      ports: [{ protocol: 'TCP', port: 80 }],
    },
  ],
});
const NOBODY = networkPolicy('shop/cart', { app: 'cart', ingress: [] });

real('curl through a ClusterIP where a NetworkPolicy lets it', async (t) => {
  const shop = await Shop.open(t);
  await shop.apply([FROM_WEB]);
  for (const target of [SERVICE.v4, `[${SERVICE.v6}]`]) {
    // The service's port is another one than the pod's, which the policy names.
    t.true(await shop.reaches(WEB, target, 8080), `web to ${target}`);
    t.false(await shop.reaches(STRANGER, target, 8080), `a stranger to ${target}`);
    t.false(await shop.reaches(CLIENT, target, 8080), `a client to ${target}`);
    t.true(await shop.reaches(CART, target, 8080), `cart to itself by ${target}`);
  }
  t.true(shop.drops('policy_denied_ingress') > 0);
  await shop.apply([networkPolicy('shop/web', { app: 'web', egress: [] })]);
  for (const target of [SERVICE.v4, `[${SERVICE.v6}]`]) {
    t.false(await shop.reaches(WEB, target, 8080), `web out to ${target}`);
    t.true(await shop.reaches(STRANGER, target, 8080), `a stranger to ${target}`);
  }
  t.true(shop.drops('policy_denied_egress') > 0);
  shop.lawHolds();
});

for (const [family, target] of [
  ['IPv4', SERVICE.v4],
  ['IPv6', `[${SERVICE.v6}]`],
] as const) {
  real(
    `a policy cuts a download under way, and without it the download goes on, ${family}`,
    async (t) => {
      const shop = await Shop.open(t);
      const bytes = 3_000_000;
      const file = join(shop.node.folder, 'download');
      writeFileSync(file, '');
      const size = () => statSync(file).size;
      const curl = shop.node.start(WEB.name, [
        ...['curl', '-sS', '--limit-rate', '500k', '-o', file],
        `http://${target}:8080/${bytes}`,
      ]);
      t.true(await until(() => size() > 100_000), 'it has begun');
      await shop.apply([NOBODY]);
      // What the kernels have already is read to its end.
      await sleep(500);
      let last = size();
      t.true(
        await until(() => {
          const same = size() === last;
          last = size();
          execFileSync('sleep', ['0.5']);
          return same;
        }),
        'it stands still',
      );
      await sleep(1_000);
      t.is(size(), last);
      t.true(last < bytes, `${last} bytes before the end`);
      t.true(shop.drops('policy_denied_ingress') > 0);
      t.is(curl.exitCode, null, 'nobody is told');
      await shop.apply([]);
      if (curl.exitCode === null) await once(curl, 'exit');
      t.is(curl.exitCode, 0);
      t.is(size(), bytes);
      shop.lawHolds();
    },
  );
}

real('a pod that takes a foreign address gets nowhere with it, nor a neighbour', async (t) => {
  const shop = await Shop.open(t);
  const at = shop.node.namespace(WEB.name);
  const { mac } = shop.node.proxy.interfaces.get(WEB.name)!;
  for (const [foreign, gateway, length, target] of [
    [FOREIGN.v4, WEB.gateway4, 32, CART.v4],
    [FOREIGN.v6, WEB.gateway6, 128, `[${CART.v6}]`],
    [CART.v4, WEB.gateway4, 32, STRANGER.v4],
    [CART.v6, WEB.gateway6, 128, `[${STRANGER.v6}]`],
  ] as const) {
    const added = `${foreign}/${length}`;
    ip('-n', at, 'addr', 'add', added, 'dev', 'eth0', ...(length === 128 ? ['nodad'] : []));
    const attempt = ['--interface', foreign.replace(/[[\]]/g, '')];
    // The kernel asks for our MAC in the foreign address' name, and gets no answer.
    ip('-n', at, 'neigh', 'flush', 'dev', 'eth0');
    const asked = shop.drops('source_spoofed');
    t.false(await shop.reaches(WEB, target, 80, attempt));
    t.true(shop.drops('source_spoofed') > asked, `${foreign} asks for ${gateway}`);
    t.regex(ip('-n', at, 'neigh', 'show', gateway), /FAILED|INCOMPLETE/);
    // It knows our MAC: its packets are dropped.
    ip('-n', at, 'neigh', 'replace', gateway, 'lladdr', mac, 'dev', 'eth0', 'nud', 'permanent');
    const sent = shop.drops('source_spoofed');
    const received = shop.node.proxy.interfaces.get(WEB.name)!.rxPackets;
    t.false(await shop.reaches(WEB, target, 80, attempt));
    t.true(shop.drops('source_spoofed') > sent, `${foreign} sends`);
    t.true(shop.node.proxy.interfaces.get(WEB.name)!.rxPackets > received);
    ip('-n', at, 'addr', 'del', added, 'dev', 'eth0');
    ip('-n', at, 'neigh', 'del', gateway, 'dev', 'eth0');
    t.true(await shop.reaches(WEB, target, 80), 'by its own address it does');
  }
  for (const target of [CART.v4, `[${CART.v6}]`]) {
    t.true(await shop.reaches(STRANGER, target, 80), 'and whose address it was has it');
  }
  shop.lawHolds();
});

real('a pod that is attached reaches nobody until its Pod is applied', async (t) => {
  const shop = await Shop.open(t);
  await shop.apply([], [CART, STRANGER]);
  const others: [Seat, string][] = [CART, STRANGER, CLIENT].flatMap((seat): [Seat, string][] => [
    [seat, WEB.v4],
    [seat, `[${WEB.v6}]`],
  ]);
  for (const target of [CART.v4, `[${CART.v6}]`, HOST.v4, `[${HOST.v6}]`]) {
    t.false(await shop.reaches(WEB, target, 80), `to ${target}`);
  }
  t.false(await shop.reaches(WEB, SERVICE.v4, 8080), 'by way of a service');
  for (const [seat, target] of others) t.false(await shop.reaches(seat, target, 80), seat.name);
  t.false(await shop.hostReaches(WEB.v4), 'the node');
  t.true(shop.drops('policy_pending') > 0);
  await shop.apply([]);
  for (const target of [CART.v4, `[${CART.v6}]`, HOST.v4, `[${HOST.v6}]`]) {
    t.true(await shop.reaches(WEB, target, 80), `to ${target}`);
  }
  t.true(await shop.reaches(WEB, SERVICE.v4, 8080), 'by way of a service');
  for (const [seat, target] of others) t.true(await shop.reaches(seat, target, 80), seat.name);
  shop.lawHolds();
});

real('the node probes a pod that nobody else may reach', async (t) => {
  const shop = await Shop.open(t);
  const deny = (name: string) => networkPolicy(name, { ingress: [], egress: [] });
  await shop.apply([deny('shop/p'), deny('other/p')]);
  for (const seat of [WEB, CART, STRANGER]) {
    for (const target of [seat.v4, `[${seat.v6}]`]) {
      t.true(await shop.hostReaches(target), `the node to ${target}`);
      t.false(await shop.reaches(CLIENT, target, 80), `a client to ${target}`);
    }
    t.true(await shop.reaches(seat, HOST.v4, 80), `${seat.name} to the node`);
  }
  t.false(await shop.reaches(WEB, CART.v4, 80), 'one pod to another');
  shop.lawHolds();
});

/** Three pods, a client outside and the node's kernel, all of which serve port 80; cart has a service. */
class Shop {
  readonly #file: string;

  private constructor(
    readonly t: ExecutionContext,
    readonly node: Node,
  ) {
    this.#file = join(node.folder, 'shop.json');
  }

  static async open(t: ExecutionContext): Promise<Shop> {
    t.timeout(180_000);
    const node = await Node.open(t, [CLIENT, ...PODS]);
    const shop = new Shop(t, node);
    const host = node.addNamespace('host');
    await shop.apply([]);
    connectKernel(host);
    const script = fileURLToPath(new URL('http-source.mjs', import.meta.url));
    for (const name of [CLIENT.name, ...PODS.map((seat) => seat.name), 'host']) {
      await once(node.start(name, [process.execPath, script]).stdout!, 'data');
    }
    return shop;
  }

  /** Puts policies in force, and the pods of some seats. */
  async apply(policies: readonly object[], seats: readonly Seat[] = PODS): Promise<void> {
    const items = [
      ...[...policies, ...seats.map(podOf)],
      service('shop/cart', [{ port: 8080, targetPort: 80 }], {
        clusterIP: SERVICE.v4,
        clusterIPs: [SERVICE.v4, SERVICE.v6],
      }),
      ...(['v4', 'v6'] as const).map((family) =>
        slice(`shop/cart-${family}`, 'cart', {
          addressType: family === 'v4' ? 'IPv4' : 'IPv6',
          ports: [{ name: '', protocol: 'TCP', port: 80 }],
          endpoints: [{ addresses: [CART[family]], conditions: { ready: true } }],
        }),
      ),
    ];
    writeFileSync(this.#file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    await this.node.proxy.apply({
      manifests: this.#file,
      interfaces: [
        ...[CLIENT, ...PODS].map((seat) => this.#tap(seat)),
        {
          kind: 'tap',
          name: 'host',
          netns: this.node.namespace('host'),
          device: 'eth0',
          scope: 'host',
          addresses: [`${HOST.ours4}/32`, `${HOST.ours6}/128`],
        },
      ],
      node: { addresses: [HOST.v4, HOST.v6] },
    });
  }

  /** Whether a whole answer comes within two seconds. */
  async reaches(seat: Seat, target: string, port: number, more: string[] = []): Promise<boolean> {
    return this.#curl(seat.name, `${target}:${port}`, more);
  }

  async hostReaches(target: string): Promise<boolean> {
    return this.#curl('host', `${target}:80`, []);
  }

  drops(reason: DropReason): number {
    return this.node.proxy.stats().fates.drops[reason] ?? 0;
  }

  lawHolds(): void {
    const { fates } = this.node.proxy.stats();
    const sum = fates.forwarded + fates.answered + fates.host + fates.dropped + fates.held;
    this.t.is(fates.rx, sum);
  }

  async #curl(at: string, target: string, more: readonly string[]): Promise<boolean> {
    const command = ['curl', '-sS', '--max-time', '2', ...more, `http://${target}/5000`];
    try {
      return (await this.node.exec(at, command)).length === 5_000;
    } catch {
      return false;
    }
  }

  #tap(seat: Seat): InterfaceSpec {
    const name = NAMES.get(seat);
    const tap = this.node.tap(seat);
    return name === undefined ? tap : { ...tap, pod: name, sources: [seat.v4, seat.v6] };
  }
}

function podOf(seat: Seat): object {
  const name = NAMES.get(seat)!;
  const podIPs = [seat.v4, seat.v6].map((address) => ({ ip: address }));
  return pod(name, {}, { phase: 'Running', podIPs }, { app: name.split('/')[1] });
}

/** The node's kernel has the node's addresses, and goes everywhere by us. */
function connectKernel(at: string): void {
  ip('-n', at, 'link', 'set', 'eth0', 'up');
  ip('-n', at, 'addr', 'add', `${HOST.v4}/32`, 'dev', 'eth0');
  ip('-n', at, '-6', 'addr', 'add', `${HOST.v6}/128`, 'dev', 'eth0', 'nodad');
  ip('-n', at, 'route', 'add', HOST.ours4, 'dev', 'eth0');
  ip('-n', at, 'route', 'add', 'default', 'via', HOST.ours4, 'src', HOST.v4);
  ip('-n', at, '-6', 'route', 'add', HOST.ours6, 'dev', 'eth0');
  ip('-n', at, '-6', 'route', 'add', 'default', 'via', HOST.ours6, 'src', HOST.v6);
}
