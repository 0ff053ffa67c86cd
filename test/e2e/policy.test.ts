// SPDX-License-Identifier: Apache-2.0
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
import { CLIENT, HOST, PODS, type Seat } from './namespaces.js';
import { Node } from './node.js';
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
/** The service's port is another one than the pod's, which policies name. */
const BY_SERVICE = [`${SERVICE.v4}:8080`, `[${SERVICE.v6}]:8080`];
/** Addresses that nobody has. */
const FOREIGN = { v4: '10.244.77.7', v6: 'fd00:244:77::7' };
/** Who may be asked, and ask. */
type Party = Pick<Seat, 'name' | 'v4' | 'v6'>;

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
  const everybody = [WEB, CART, STRANGER, CLIENT];
  await shop.reach(everybody, BY_SERVICE);
  await shop.apply([FROM_WEB]);
  await shop.reach([WEB, CART], BY_SERVICE);
  await shop.doNotReach([STRANGER, CLIENT], BY_SERVICE);
  t.true(shop.drops('policy_denied_ingress') > 0);
  await shop.apply([networkPolicy('shop/web', { app: 'web', egress: [] })]);
  await shop.doNotReach([WEB], BY_SERVICE);
  await shop.reach([CART, STRANGER, CLIENT], BY_SERVICE);
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
      // What the kernel has already is read to its end first.
      let last = -1;
      for (let tries = 0; tries < 10 && last !== size(); tries++) {
        last = size();
        await sleep(1_000);
      }
      t.is(size(), last, 'it stands still');
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
    [FOREIGN.v4, WEB.gateway4, 32, `${CART.v4}:80`],
    [FOREIGN.v6, WEB.gateway6, 128, `[${CART.v6}]:80`],
    [CART.v4, WEB.gateway4, 32, `${STRANGER.v4}:80`],
    [CART.v6, WEB.gateway6, 128, `[${STRANGER.v6}]:80`],
  ] as const) {
    const added = `${foreign}/${length}`;
    ip('-n', at, 'addr', 'add', added, 'dev', 'eth0', ...(length === 128 ? ['nodad'] : []));
    const attempt = ['--interface', foreign];
    // The kernel asks for our MAC in the foreign address' name, and gets no answer.
    ip('-n', at, 'neigh', 'flush', 'dev', 'eth0');
    const asked = shop.drops('source_spoofed');
    await shop.doNotReach([WEB], [target], attempt);
    t.true(shop.drops('source_spoofed') > asked, `${foreign} asks for ${gateway}`);
    t.regex(ip('-n', at, 'neigh', 'show', gateway), /FAILED|INCOMPLETE/);
    // It knows our MAC: its packets are dropped.
    ip('-n', at, 'neigh', 'replace', gateway, 'lladdr', mac, 'dev', 'eth0', 'nud', 'permanent');
    const sent = shop.drops('source_spoofed');
    const received = shop.node.proxy.interfaces.get(WEB.name)!.rxPackets;
    await shop.doNotReach([WEB], [target], attempt);
    t.true(shop.drops('source_spoofed') > sent, `${foreign} sends`);
    t.true(shop.node.proxy.interfaces.get(WEB.name)!.rxPackets > received);
    ip('-n', at, 'addr', 'del', added, 'dev', 'eth0');
    ip('-n', at, 'neigh', 'del', gateway, 'dev', 'eth0');
    await shop.reach([WEB], [target]);
  }
  // Whose address it was has it.
  await shop.reach([STRANGER], atPort80(CART));
  shop.lawHolds();
});

real('a pod that is attached reaches nobody until its Pod is applied', async (t) => {
  const shop = await Shop.open(t);
  const others = [CART, STRANGER, CLIENT, HOST];
  const targets = [...[CART, STRANGER, HOST].flatMap(atPort80), ...BY_SERVICE];
  await shop.apply([], [CART, STRANGER]);
  await shop.doNotReach([WEB], targets);
  await shop.doNotReach(others, atPort80(WEB));
  t.true(shop.drops('policy_pending') > 0);
  await shop.reach(others, atPort80(CART));
  await shop.apply([]);
  await shop.reach([WEB], targets);
  await shop.reach(others, atPort80(WEB));
  shop.lawHolds();
});

real('the node probes a pod that nobody else may reach', async (t) => {
  const shop = await Shop.open(t);
  const pods = PODS.flatMap(atPort80);
  await shop.reach([HOST, CLIENT, WEB], pods);
  const deny = (name: string) => networkPolicy(name, { ingress: [], egress: [] });
  await shop.apply([deny('shop/p'), deny('other/p')]);
  await shop.reach([HOST], pods);
  await shop.reach(PODS, atPort80(HOST));
  await shop.doNotReach([CLIENT], pods);
  await shop.doNotReach([WEB], atPort80(CART));
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
    node.addNamespace(HOST.name);
    await shop.apply([]);
    node.configureHost();
    const script = fileURLToPath(new URL('http-source.mjs', import.meta.url));
    for (const name of [CLIENT.name, ...PODS.map((seat) => seat.name), HOST.name]) {
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
      interfaces: [...[CLIENT, ...PODS].map((seat) => this.#tap(seat)), this.node.hostTap()],
      node: { addresses: [HOST.v4, HOST.v6] },
    });
  }

  /** All of these get a whole answer from all of those targets. */
  async reach(from: readonly Party[], targets: readonly string[]): Promise<void> {
    await this.#ask(from, targets, ['--max-time', '10'], true);
  }

  /** None of these gets an answer from any of those targets. */
  async doNotReach(
    from: readonly Party[],
    targets: readonly string[],
    more: readonly string[] = [],
  ): Promise<void> {
    await this.#ask(from, targets, ['--max-time', '2', ...more], false);
  }

  drops(reason: DropReason): number {
    return this.node.proxy.stats().fates.drops[reason] ?? 0;
  }

  lawHolds(): void {
    const { fates } = this.node.proxy.stats();
    const sum = fates.forwarded + fates.answered + fates.host + fates.dropped + fates.held;
    this.t.is(fates.rx, sum);
  }

  async #ask(
    from: readonly Party[],
    targets: readonly string[],
    more: readonly string[],
    wanted: boolean,
  ): Promise<void> {
    const asks = from.flatMap(({ name }) => targets.map((target) => ({ name, target })));
    await Promise.all(
      asks.map(async ({ name, target }) => {
        const command = ['curl', '-sS', ...more, `http://${target}/5000`];
        const answer = await this.node.exec(name, command).catch(() => '');
        this.t.is(answer.length, wanted ? 5_000 : 0, `${name} to ${target}`);
      }),
    );
  }

  #tap(seat: Seat): InterfaceSpec {
    const name = NAMES.get(seat);
    const tap = this.node.tap(seat);
    return name === undefined ? tap : { ...tap, pod: name, sources: [seat.v4, seat.v6] };
  }
}

function atPort80({ v4, v6 }: Party): string[] {
  return [`${v4}:80`, `[${v6}]:80`];
}

function podOf(seat: Seat): object {
  const name = NAMES.get(seat)!;
  const podIPs = [seat.v4, seat.v6].map((address) => ({ ip: address }));
  return pod(name, {}, { phase: 'Running', podIPs }, { app: name.split('/')[1] });
}
