// SPDX-License-Identifier: Apache-2.0
import { setImmediate as turn } from 'node:timers/promises';
import type { ProxyOptions, Service, ServiceProxy } from '../../lib/index.js';
import { packet, read } from '../support/packets.js';

const CLIENT = { mac: '02:00:00:00:08:02', address: '10.8.0.2' };
const POD_MAC = '02:00:00:00:08:12';
const SERVICE = '10.96.8.8';

/** The two memory interfaces that a stream runs over, and the routes to its ends. */
export const STREAM_OPTIONS = {
  interfaces: [
    'memory:clients,address=10.8.0.1/24,mac=02:00:00:00:08:01',
    'memory:pods,address=10.8.1.1/24,mac=02:00:00:00:08:11',
  ],
  routes: [`10.8.0.2/32,dev=clients,mac=${CLIENT.mac}`, `10.8.1.0/25,dev=pods,mac=${POD_MAC}`],
} satisfies ProxyOptions;

/** The service that a stream goes through: three backends. */
export const STREAM_SERVICE: Service = {
  name: 'stream',
  addresses: [SERVICE],
  ports: [
    {
      protocol: 'UDP',
      port: 7,
      backends: ['10.8.1.2', '10.8.1.3', '10.8.1.4'].map((address) => ({ address, port: 7 })),
    },
  ],
};

const FLOWS = 32;

/**
 * UDP flows through {@link STREAM_SERVICE}: every packet is numbered, every pod answers, and both
 * ways are checked: nothing lost, nothing twice or out of its flow's order, nothing at another backend
 * than its flow's first.
 */
export class Stream {
  sent = 0;
  delivered = 0;
  answered = 0;
  readonly wrong: string[] = [];
  readonly #proxy: ServiceProxy;
  readonly #backends = new Map<number, string>();
  /** Number of the last packet of a flow at either end. */
  readonly #last = new Map<string, number>();

  constructor(proxy: ServiceProxy) {
    this.#proxy = proxy;
  }

  /** Sends `count` packets more and takes what has arrived. */
  push(count: number): void {
    this.sent += this.#proxy.interfaces.send('clients', numbered(this.sent, count));
    this.take();
  }

  /** Sends `count` packets as fast as the ring takes them, and looks at nothing. */
  flood(count: number): void {
    const frames = numbered(0, 256);
    for (let sent = 0; sent < count; sent += frames.length) {
      this.sent += this.#proxy.interfaces.send('clients', frames);
    }
  }

  take(): void {
    const { interfaces } = this.#proxy;
    const answers = interfaces.receive('pods').map((frame) => {
      const { ipv4, udp } = read(frame);
      this.delivered += 1;
      const first = this.#backends.get(udp!.src) ?? ipv4!.dst;
      this.#backends.set(udp!.src, first);
      this.#checkOrder(`flow ${udp!.src}`, udp!.payload);
      if (ipv4!.dst !== first) this.wrong.push(`flow ${udp!.src}: ${first}, then ${ipv4!.dst}`);
      return packet()
        .eth({ src: POD_MAC, dst: '02:00:00:00:08:11' })
        .ipv4({ src: ipv4!.dst, dst: ipv4!.src })
        .udp({ src: udp!.dst, dst: udp!.src, payload: udp!.payload })
        .build();
    });
    interfaces.send('pods', answers);
    for (const frame of interfaces.receive('clients')) {
      const { ipv4, udp } = read(frame);
      if (ipv4?.src === SERVICE) this.answered += 1;
      else this.wrong.push(`an answer from ${ipv4?.src}`);
      this.#checkOrder(`answers to ${udp?.dst}`, udp?.payload);
    }
  }

  #checkOrder(flow: string, payload: Uint8Array | undefined): void {
    const number = Number(
      Buffer.from(payload ?? [])
        .toString()
        .split(' ')[1],
    );
    const last = this.#last.get(flow) ?? -1;
    if (!(number > last)) this.wrong.push(`${flow}: packet ${number} behind ${last}`);
    this.#last.set(flow, number);
  }

  /**
   * Waits until at most `most` packets are under way, or ten seconds have passed: on a busy machine a
   * worker may not run for a while, and rings that run over would be no fault of what is tested.
   */
  async settle(most: number): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (this.sent - this.answered > most && Date.now() < deadline) {
      this.take();
      await turn();
    }
  }

  get backends(): number {
    return new Set(this.#backends.values()).size;
  }
}

/** UDP packets to {@link STREAM_SERVICE}, of all flows in turn. */
export function numbered(first: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const number = first + i;
    return packet()
      .eth({ src: CLIENT.mac, dst: '02:00:00:00:08:01' })
      .ipv4({ src: CLIENT.address, dst: SERVICE })
      .udp({ src: 10_000 + (number % FLOWS), dst: 7, payload: `packet ${number}` })
      .build();
  });
}
