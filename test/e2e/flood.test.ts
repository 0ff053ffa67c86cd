// SPDX-License-Identifier: Apache-2.0
import { randomFillSync } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { ServiceProxy } from '../../lib/index.js';
import { packet } from '../support/packets.js';
import { requires } from '../support/requires.js';
import { MemoryHost } from './memory-host.js';

/** SYNs with random sources. `SLUICE_FLOOD=10000000` for the long one. */
const PACKETS = Number(process.env['SLUICE_FLOOD'] ?? 500_000);
const ESTABLISHED = 1_000;
const FLOWS = 65_536;
/** Packets of the flood between two looks at the legitimate connections. */
const ROUND = Math.max(50_000, PACKETS / 40);

const CLIENTS_MAC = '02:00:00:00:0d:01';
const PODS_MAC = '02:00:00:00:0d:11';
const CLIENT = { mac: '02:00:00:00:0d:02', address: '10.8.0.2' };
const POD_MAC = '02:00:00:00:0d:12';
const SERVICE = '10.96.8.1';

requires('the native addon')(
  `a SYN flood of ${PACKETS.toLocaleString('en-US')} packets breaks none of ${ESTABLISHED} connections`,
  async (t) => {
    t.timeout(600_000);
    await using proxy = await ServiceProxy.open({
      engine: 'dpdk',
      flows: FLOWS,
      interfaces: [
        `memory:clients,mac=${CLIENTS_MAC},address=10.8.0.1/24`,
        `memory:pods,mac=${PODS_MAC},address=10.8.1.1/24`,
      ],
      routes: [
        `0.0.0.0/0,via=${CLIENT.address},mac=${CLIENT.mac}`,
        `${CLIENT.address}/32,dev=clients,mac=${CLIENT.mac}`,
        `10.8.1.0/25,dev=pods,mac=${POD_MAC}`,
      ],
    });
    const backends = ['10.8.1.2', '10.8.1.3', '10.8.1.4'].map((address) => ({ address, port: 80 }));
    await proxy.apply({
      services: [
        { name: 'shop', addresses: [SERVICE], ports: [{ protocol: 'TCP', port: 80, backends }] },
      ],
    });
    const world = new World(proxy);
    const opened = await world.open(10_000, ESTABLISHED);
    t.is(opened, ESTABLISHED);

    const flood = new Flood();
    const resident: number[] = [];
    let legitimate = 0;
    let tried = 0;
    let alive = 0;
    let looked = 0;
    for (let sent = 0; sent < PACKETS; sent += ROUND) {
      await flood.send(proxy, Math.min(ROUND, PACKETS - sent));
      // In the middle of it, with the table as full as it gets: some more SYNs, then a look.
      tried += 20;
      legitimate += await world.open(20_000 + tried, 20, flood);
      looked += 50;
      alive += await world.speak(10_000 + (looked % ESTABLISHED), 50);
      resident.push(process.memoryUsage().rss);
    }
    // Of the second half against the first: by then every page of the tables has been touched.
    const half = Math.floor(resident.length / 2);
    const grown = Math.max(...resident.slice(half)) - Math.max(...resident.slice(0, half));
    const { flows, fates } = proxy.stats();
    t.log(
      `${alive} of ${looked} looks at established connections, ${legitimate} of ${tried} new ones opened; ` +
        `${flows.evicted} embryonic flows given up; resident memory ${mebibytes(resident)}; ` +
        `drops ${JSON.stringify(fates.drops)}`,
    );
    t.is(alive, looked, 'established connections go on during the flood');
    t.is(await world.speak(10_000, ESTABLISHED), ESTABLISHED, 'and all of them after it');
    t.is(legitimate, tried, 'new connections succeed');
    t.true(flows.evicted > PACKETS / 2 - FLOWS);
    t.true(proxy.stats().occupancy.flows.used <= FLOWS);
    t.true(grown < 64 * 2 ** 20, 'memory is bounded');
    t.is(fates.rx, fates.forwarded + fates.answered + fates.host + fates.dropped + fates.held);
  },
);

/** Clients that behave, and the pods that they reach. */
class World {
  readonly #clients: MemoryHost;
  readonly #pods: MemoryHost;
  /** By client port: the pod that has the connection. */
  readonly #homes = new Map<number, string>();

  constructor(proxy: ServiceProxy) {
    this.#clients = new MemoryHost(proxy, 'clients');
    this.#pods = new MemoryHost(proxy, 'pods');
  }

  /** Opens connections from ports `first`, `first + 1`, ...; how many were established. */
  async open(first: number, count: number, flood?: Flood): Promise<number> {
    const ports = Array.from({ length: count }, (_, i) => first + i);
    this.#pods.take();
    await this.#clients.send(ports.map((port) => this.#fromClient(port, 'S')));
    const syns = await this.#pods.expect(count, (frame) => frame.ipv4?.src === CLIENT.address);
    await flood?.step();
    for (const { ipv4, tcp } of syns) this.#homes.set(tcp!.src, ipv4!.dst);
    const reached = ports.filter((port) => this.#homes.has(port));
    await this.#pods.send(reached.map((port) => this.#fromPod(port, 'SA')));
    const answers = await this.#clients.expect(
      reached.length,
      (frame) => frame.ipv4?.src === SERVICE && frame.ipv4.dst === CLIENT.address,
    );
    await this.#clients.send(answers.map(({ tcp }) => this.#fromClient(tcp!.dst, 'A')));
    await this.#pods.expect(answers.length, (frame) => frame.ipv4?.src === CLIENT.address);
    return this.speak(first, count);
  }

  /** Data to the pod and back on each of the connections; how many went both ways, at their pod. */
  async speak(first: number, count: number): Promise<number> {
    const ports = Array.from({ length: count }, (_, i) => first + i).filter((port) =>
      this.#homes.has(port),
    );
    let whole = 0;
    for (let at = 0; at < ports.length; at += 256) {
      const some = ports.slice(at, at + 256);
      this.#pods.take();
      await this.#clients.send(some.map((port) => this.#fromClient(port, 'PA')));
      const arrived = await this.#pods.expect(
        some.length,
        ({ ipv4, tcp }) => ipv4?.src === CLIENT.address && this.#homes.get(tcp!.src) === ipv4.dst,
        5_000,
      );
      await this.#pods.send(arrived.map(({ tcp }) => this.#fromPod(tcp!.src, 'PA')));
      const back = await this.#clients.expect(
        arrived.length,
        ({ ipv4, tcp }) => ipv4?.src === SERVICE && tcp?.src === 80,
        5_000,
      );
      whole += back.length;
    }
    return whole;
  }

  #fromClient(port: number, flags: string): Uint8Array {
    return packet()
      .eth({ src: CLIENT.mac, dst: CLIENTS_MAC })
      .ipv4({ src: CLIENT.address, dst: SERVICE })
      .tcp({ src: port, dst: 80, flags, payload: flags.includes('P') ? 'request' : '' })
      .build();
  }

  #fromPod(port: number, flags: string): Uint8Array {
    return packet()
      .eth({ src: POD_MAC, dst: PODS_MAC })
      .ipv4({ src: this.#homes.get(port)!, dst: CLIENT.address })
      .tcp({ src: 80, dst: port, flags, payload: flags.includes('P') ? 'answer' : '' })
      .build();
  }
}

/** SYNs with random source addresses and ports, made by changing the bytes of a few buffers. */
class Flood {
  readonly #frames = Array.from({ length: 512 }, () =>
    packet()
      .eth({ src: CLIENT.mac, dst: CLIENTS_MAC })
      .ipv4({ src: '11.0.0.1', dst: SERVICE })
      .tcp({ src: 1, dst: 80, flags: 'S' })
      .build(),
  );
  readonly #random = new Uint8Array(512 * 6);
  #proxy: ServiceProxy | null = null;

  async send(proxy: ServiceProxy, count: number): Promise<void> {
    this.#proxy = proxy;
    for (let sent = 0; sent < count; ) {
      const frames = this.#frames.slice(0, count - sent);
      randomFillSync(this.#random);
      for (const [i, frame] of frames.entries()) this.#spoof(frame, i * 6);
      for (let taken = 0; taken < frames.length; ) {
        taken += proxy.interfaces.send('clients', taken === 0 ? frames : frames.slice(taken));
        if (taken < frames.length) await turn();
      }
      sent += frames.length;
    }
  }

  /** A little more of it, while somebody waits for an answer. */
  async step(): Promise<void> {
    if (this.#proxy !== null) await this.send(this.#proxy, 2_048);
  }

  #spoof(frame: Uint8Array, at: number): void {
    const random = this.#random;
    frame[26] = 11 + (random[at]! & 63);
    for (let i = 1; i < 4; i++) frame[26 + i] = random[at + i]!;
    frame[34] = random[at + 4]!;
    frame[35] = random[at + 5]!;
    frame[24] = 0;
    frame[25] = 0;
    let sum = 0;
    for (let i = 14; i < 34; i += 2) sum += (frame[i]! << 8) | frame[i + 1]!;
    sum = (sum & 0xffff) + (sum >>> 16);
    sum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
    frame[24] = sum >>> 8;
    frame[25] = sum & 0xff;
  }
}

/** A fifth of them, in order. */
function mebibytes(sizes: readonly number[]): string {
  const step = Math.max(1, Math.floor(sizes.length / 5));
  const some = sizes.filter((_, i) => i % step === 0 || i === sizes.length - 1);
  return `${some.map((size) => (size / 2 ** 20).toFixed(0)).join(', ')} MiB`;
}
