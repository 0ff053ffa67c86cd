// SPDX-License-Identifier: Apache-2.0
// Both ends of the traffic through the TypeScript engine, on `memory` interfaces.
import { type ProxyOptions, ServiceProxy } from '../../lib/index.js';
import { faults, packet, read } from '../../test/support/packets.js';
import { addressAt, BACKENDS, CLIENTS, ROUTES } from './network.js';

/** Packets of each direction in a step: a burst of the engine. */
export const BURST = 64;

const SERVICE = '10.96.0.10';
const FIRST_CLIENT = '10.16.0.0';
const BACKEND = '172.16.0.1';
const CLIENT_PORT = 10_000;
const PAYLOAD = new Uint8Array(18); // makes the smallest Ethernet frame: 60 bytes without its FCS

const OPTIONS: ProxyOptions = {
  engine: 'software',
  clock: 'manual',
  interfaces: [
    `memory:clients,address=${CLIENTS.addresses[0]},mac=${CLIENTS.mac}`,
    `memory:backends,address=${BACKENDS.addresses[0]},mac=${BACKENDS.mac}`,
  ],
  routes: ROUTES,
};

/** UDP flows through the TypeScript engine, a burst each way at a time. */
export class SoftwareTraffic implements AsyncDisposable {
  readonly #queries: Uint8Array[][];
  readonly #replies: Uint8Array[][];
  #next = 0;
  #now = 1_000;

  private constructor(
    readonly proxy: ServiceProxy,
    readonly flows: number,
  ) {
    this.#queries = bursts(flows, query);
    this.#replies = bursts(flows, reply);
  }

  /** @param flows - a multiple of {@link BURST} */
  static async open(flows: number): Promise<SoftwareTraffic> {
    const proxy = await ServiceProxy.open(OPTIONS);
    const backends = [{ address: BACKEND, port: 5353 }];
    await proxy.apply({
      services: [
        { name: 'dns', addresses: [SERVICE], ports: [{ protocol: 'UDP', port: 53, backends }] },
      ],
    });
    return new SoftwareTraffic(proxy, flows);
  }

  /**
   * The next burst each way; every packet has to come out.
   * @param step - to let the engine work, once
   * @returns what `step` returned
   */
  burst<T>(step: (work: () => void) => T): T {
    return this.#burst(step, false);
  }

  /** Every flow once; looks into every packet that comes out. */
  inspect(): void {
    for (let burst = 0; burst < this.#queries.length; burst++) this.#burst((work) => work(), true);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.proxy.close();
  }

  #burst<T>(step: (work: () => void) => T, inspect: boolean): T {
    const { interfaces } = this.proxy;
    const burst = this.#next;
    this.#next = (burst + 1) % this.#queries.length;
    this.#now += 1;
    expect(interfaces.send('clients', this.#queries[burst]!), BURST, 'queries taken');
    expect(interfaces.send('backends', this.#replies[burst]!), BURST, 'replies taken');
    const result = step(() => this.proxy.step(this.#now));
    const toBackends = interfaces.receive('backends');
    const toClients = interfaces.receive('clients');
    expect(toBackends.length, BURST, 'queries at the backend');
    expect(toClients.length, BURST, 'replies at the client');
    if (!inspect) return result;
    for (let at = 0; at < BURST; at++) {
      const client = clientOf(burst * BURST + at);
      expectPacket(toBackends[at]!, `${client}:${CLIENT_PORT} ${BACKEND}:5353`);
      expectPacket(toClients[at]!, `${SERVICE}:53 ${client}:${CLIENT_PORT}`);
    }
    return result;
  }
}

function bursts(flows: number, make: (flow: number) => Uint8Array): Uint8Array[][] {
  return Array.from({ length: flows / BURST }, (_, burst) =>
    Array.from({ length: BURST }, (_, at) => make(burst * BURST + at)),
  );
}

function clientOf(flow: number): string {
  return addressAt(FIRST_CLIENT, flow);
}

function query(flow: number): Uint8Array {
  return packet()
    .eth({ src: CLIENTS.generatorMac, dst: CLIENTS.mac })
    .ipv4({ src: clientOf(flow), dst: SERVICE })
    .udp({ src: CLIENT_PORT, dst: 53, payload: PAYLOAD })
    .build();
}

function reply(flow: number): Uint8Array {
  return packet()
    .eth({ src: BACKENDS.generatorMac, dst: BACKENDS.mac })
    .ipv4({ src: BACKEND, dst: clientOf(flow) })
    .udp({ src: 5_353, dst: CLIENT_PORT, payload: PAYLOAD })
    .build();
}

function expectPacket(frame: Uint8Array, wanted: string): void {
  const { ipv4, udp } = read(frame);
  expect(`${ipv4?.src}:${udp?.src} ${ipv4?.dst}:${udp?.dst}`, wanted, 'packet');
  expect(faults(frame).join(), '', 'faults');
}

/** @throws Error if they differ */
export function expect<T>(found: T, wanted: T, what: string): void {
  if (found !== wanted) throw new Error(`${what}: expected ${wanted}, found ${found}`);
}
