// SPDX-License-Identifier: Apache-2.0
import type { ExecutionContext } from 'ava';
import { ServiceProxy } from '../../lib/index.js';
import { ENGINES } from '../contract/engines.js';
import { packet } from '../support/packets.js';
import { MemoryHost } from './memory-host.js';

/** Flows to one endpoint that are there at the same time. */
const FLOWS = 50_000;
const CLIENTS_MAC = '02:00:00:00:0e:01';
const PODS_MAC = '02:00:00:00:0e:11';
const CLIENT_MAC = '02:00:00:00:0e:02';
const POD = { mac: '02:00:00:00:0e:12', address: '10.7.1.2' };
const OURS = '10.7.1.1';
const SERVICE = '10.96.7.1';
const CLIENT_PORT = 5_353;

for (const engine of ENGINES) {
  engine.test(
    `${FLOWS.toLocaleString('en-US')} masqueraded flows to one endpoint: no collision, nothing lost; then the ports end`,
    (t) => manyFlows(t, engine.name),
  );
}

async function manyFlows(t: ExecutionContext, engine: 'dpdk' | 'software'): Promise<void> {
  t.timeout(300_000);
  await using proxy = await ServiceProxy.open({
    engine,
    interfaces: [
      `memory:clients,mac=${CLIENTS_MAC},address=10.7.0.1/24`,
      `memory:pods,mac=${PODS_MAC},scope=pod,address=${OURS}/24`,
    ],
    routes: [
      `12.0.0.0/8,dev=clients,mac=${CLIENT_MAC}`,
      `${POD.address}/32,dev=pods,mac=${POD.mac}`,
    ],
  });
  await proxy.apply({
    services: [
      {
        name: 'dns',
        addresses: [SERVICE],
        ports: [{ protocol: 'UDP', port: 53, backends: [{ address: POD.address, port: 53 }] }],
      },
    ],
  });
  const world = new World(proxy);
  // Everybody has the same source port, so that all but the first one need another.
  const first = await world.ask(0, FLOWS);
  t.is(first.arrived, FLOWS, 'nothing is lost');
  t.is(world.ports.size, FLOWS, 'no two clients share a port');
  t.is(first.answered, FLOWS, 'every answer finds its client');
  t.deepEqual(proxy.stats().fates.drops, {});

  const more = await world.ask(FLOWS, 20_000);
  const { drops } = proxy.stats().fates;
  const refused = drops.snat_ports_exhausted ?? 0;
  t.deepEqual(Object.keys(drops), ['snat_ports_exhausted']);
  t.is(more.arrived + refused, 20_000, 'every further packet arrives or is counted');
  t.is(world.ports.size, FLOWS + more.arrived, 'still no two clients share a port');
  t.is(more.answered, more.arrived);
  // 64,512 ports, of which 512 are tried for each flow.
  t.true(world.ports.size > 63_500 && world.ports.size <= 64_512, `${world.ports.size} ports`);
  t.log(`${world.ports.size} of 64,512 ports in use, then ${refused} refused`);
}

/** Clients 12.x.y.z by number, and the pod that answers them. */
class World {
  /** Source ports that the pod has seen. */
  readonly ports = new Set<number>();
  readonly #clients: MemoryHost;
  readonly #pods: MemoryHost;

  constructor(proxy: ServiceProxy) {
    this.#clients = new MemoryHost(proxy, 'clients');
    this.#pods = new MemoryHost(proxy, 'pods');
  }

  /** One packet of each of `count` clients from `start` on, and the pod's answers. */
  async ask(start: number, count: number): Promise<{ arrived: number; answered: number }> {
    let arrived = 0;
    let answered = 0;
    for (let at = start; at < start + count; at += 512) {
      const some = Array.from({ length: Math.min(512, start + count - at) }, (_, i) => at + i);
      await this.#clients.send(some.map(request));
      const seen = await this.#pods.expect(some.length, ({ ipv4 }) => ipv4?.src === OURS, 1_000);
      arrived += seen.length;
      for (const { udp } of seen) this.ports.add(udp!.src);
      await this.#pods.send(seen.map(({ udp }) => answer(udp!.src, udp!.payload)));
      const back = await this.#clients.expect(
        seen.length,
        ({ ipv4 }) => ipv4?.src === SERVICE,
        5_000,
      );
      answered += back.filter(
        ({ ipv4, udp }) =>
          udp!.dst === CLIENT_PORT && new TextDecoder().decode(udp!.payload) === ipv4!.dst,
      ).length;
    }
    return { arrived, answered };
  }
}

function addressOf(client: number): string {
  return `12.${client >>> 16}.${(client >>> 8) & 255}.${client & 255}`;
}

function request(client: number): Uint8Array {
  const address = addressOf(client);
  return packet()
    .eth({ src: CLIENT_MAC, dst: CLIENTS_MAC })
    .ipv4({ src: address, dst: SERVICE })
    .udp({ src: CLIENT_PORT, dst: 53, payload: address })
    .build();
}

function answer(port: number, payload: Uint8Array): Uint8Array {
  return packet()
    .eth({ src: POD.mac, dst: PODS_MAC })
    .ipv4({ src: POD.address, dst: OURS })
    .udp({ src: 53, dst: port, payload })
    .build();
}
