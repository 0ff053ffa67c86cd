// SPDX-License-Identifier: Apache-2.0
import { ServiceProxy } from '../../lib/index.js';
import { faults, packet, read } from '../../test/support/packets.js';

const FLOWS = 64;
const SERVICE = '10.96.0.10';
const CLIENT = { mac: '02:00:00:00:00:aa', address: '10.0.0.9' };
const POD = { mac: '02:00:00:00:00:b2', address: '10.1.0.2' };
const UP_MAC = '02:00:00:00:00:01';
const PODS_MAC = '02:00:00:00:00:02';
const PAYLOAD = new Uint8Array(18); // makes the smallest Ethernet frame: 60 bytes without its FCS

/** What one round on one engine came to. */
export interface FlowHitRound {
  packets: number;
  /** Of the whole: copies in, packet path, copies out. */
  packetsPerSecond: number;
  /** TSC clocks of the packet path alone; `null`: the engine has no such clock. */
  cyclesPerPacket: number | null;
}

/** One engine with 64 UDP connections in its flow table. */
export class FlowHit implements AsyncDisposable {
  readonly #proxy: ServiceProxy;
  readonly #queries = Array.from({ length: FLOWS }, (_, flow) => query(flow));
  readonly #replies = Array.from({ length: FLOWS }, (_, flow) => reply(flow));
  #now = 1_000;

  private constructor(proxy: ServiceProxy) {
    this.#proxy = proxy;
  }

  static async open(engine: 'dpdk' | 'software'): Promise<FlowHit> {
    const proxy = await ServiceProxy.open({
      engine,
      clock: 'manual',
      interfaces: [
        `memory:up,address=10.0.0.1/24,mac=${UP_MAC}`,
        `memory:pods,address=10.1.0.1/24,mac=${PODS_MAC}`,
      ],
      routes: [
        `${CLIENT.address}/32,dev=up,mac=${CLIENT.mac}`,
        `${POD.address}/32,dev=pods,mac=${POD.mac}`,
      ],
    });
    const backends = [{ address: POD.address, port: 5353 }];
    await proxy.apply({
      services: [
        { name: 'dns', addresses: [SERVICE], ports: [{ protocol: 'UDP', port: 53, backends }] },
      ],
    });
    const bench = new FlowHit(proxy);
    bench.#burst(true);
    return bench;
  }

  /** Bursts in both directions for so long; every packet has to come out, and no flow is made. */
  run(milliseconds: number): FlowHitRound {
    const before = this.#proxy.stats().workers[0]!;
    this.#burst(true);
    let packets = 2 * FLOWS;
    const begin = performance.now();
    let elapsed = 0;
    while (elapsed < milliseconds) {
      // The clock is asked once in 16 bursts, so that it is not what is measured.
      for (let i = 0; i < 16; i++) this.#burst(false);
      packets += 16 * 2 * FLOWS;
      elapsed = performance.now() - begin;
    }
    const timed = packets - 2 * FLOWS;
    this.#burst(true);
    packets += 2 * FLOWS;
    const after = this.#proxy.stats().workers[0]!;
    expect(after.rx - before.rx, packets, 'packets received');
    expect(after.forwarded - before.forwarded, packets, 'packets forwarded');
    expect(after.dropped, 0, 'packets dropped');
    expect(after.flowsCreated, FLOWS, 'flows created');
    const cycles = after.cycles - before.cycles;
    return {
      packets: timed,
      packetsPerSecond: (timed / elapsed) * 1_000,
      cyclesPerPacket: this.#proxy.engine.kind === 'dpdk' ? cycles / packets : null,
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#proxy.close();
  }

  /** @param inspect - look into every packet, not only count them */
  #burst(inspect: boolean): void {
    const { interfaces } = this.#proxy;
    this.#now += 1;
    expect(interfaces.send('up', this.#queries), FLOWS, 'queries taken');
    this.#proxy.step(this.#now);
    const toPods = interfaces.receive('pods');
    expect(toPods.length, FLOWS, 'queries at the pod');
    expect(interfaces.send('pods', this.#replies), FLOWS, 'replies taken');
    this.#proxy.step(this.#now);
    const toClients = interfaces.receive('up');
    expect(toClients.length, FLOWS, 'replies at the client');
    if (!inspect) return;
    toPods.forEach((frame, flow) => {
      expectPacket(frame, `${CLIENT.address}:${10_000 + flow} ${POD.address}:5353`);
    });
    toClients.forEach((frame, flow) => {
      expectPacket(frame, `${SERVICE}:53 ${CLIENT.address}:${10_000 + flow}`);
    });
  }
}

function query(flow: number): Uint8Array {
  return packet()
    .eth({ src: CLIENT.mac, dst: UP_MAC })
    .ipv4({ src: CLIENT.address, dst: SERVICE, id: flow })
    .udp({ src: 10_000 + flow, dst: 53, payload: PAYLOAD })
    .build();
}

function reply(flow: number): Uint8Array {
  return packet()
    .eth({ src: POD.mac, dst: PODS_MAC })
    .ipv4({ src: POD.address, dst: CLIENT.address, id: flow })
    .udp({ src: 5_353, dst: 10_000 + flow, payload: PAYLOAD })
    .build();
}

function expectPacket(frame: Uint8Array, wanted: string): void {
  const { ipv4, udp } = read(frame);
  expect(`${ipv4?.src}:${udp?.src} ${ipv4?.dst}:${udp?.dst}`, wanted, 'packet');
  expect(faults(frame).join(), '', 'faults');
}

function expect<T>(found: T, wanted: T, what: string): void {
  if (found !== wanted) throw new Error(`${what}: expected ${wanted}, found ${found}`);
}
