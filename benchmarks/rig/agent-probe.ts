// SPDX-License-Identifier: Apache-2.0
// Asks a proxy, by packets through its `memory` interfaces `clients` and `backends`, where it sends new flows.
import { setImmediate as breathe } from 'node:timers/promises';
import type { ServiceProxy } from '../../lib/index.js';
import { type PacketBuilder, packet, read } from '../../test/support/packets.js';
import type { Sample } from './agent-messages.js';
import { POD_PORT, SERVICE_PORT } from './cluster-objects.js';
import { addressAt, CLIENTS } from './network.js';

const FIRST_CLIENT = '10.16.0.0';
const PORTS = 60_000;
const PATIENCE_MS = 1_000;
/** So many flows miss one of ten backends once in a hundred million times. */
const FLOWS_EACH = 200;
const BURST = 50;

/** Sends the first packets of new flows, and sees where they come out. */
export class Probe {
  readonly #proxy: ServiceProxy;
  #flows = 0;

  constructor(proxy: ServiceProxy) {
    this.#proxy = proxy;
  }

  /** Where a new flow goes; `null`: it is refused. @throws Error if the packet is gone */
  async where(address: string, protocol: Sample['protocol']): Promise<string | null> {
    return (await this.#send(address, protocol, 1))[0] ?? null;
  }

  /** Everything that is wrong with how a service is answered. */
  async check({ address, protocol, backends }: Sample): Promise<string[]> {
    const found = new Set<string | null>();
    for (let sent = 0; sent < FLOWS_EACH; sent += BURST)
      for (const each of await this.#send(address, protocol, BURST)) found.add(each);
    return [
      ...[...found].filter((each) => each === null || !backends.includes(each)),
      ...backends.filter((each) => !found.has(each)).map((each) => `never ${each}`),
    ].map((what) => `${address}: ${what ?? 'refused'}`);
  }

  async #send(address: string, protocol: Sample['protocol'], count: number) {
    const { interfaces } = this.#proxy;
    const frames = Array.from({ length: count }, () => this.#first(address, protocol));
    if (interfaces.send('clients', frames) !== count) throw new Error('a probe was not taken');
    const found: (string | null)[] = [];
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      for (const frame of interfaces.receive('backends')) found.push(backendOf(frame));
      // An answer from the proxy itself: it refuses.
      for (const _ of interfaces.receive('clients')) found.push(null);
      if (found.length >= count) return found;
      if (performance.now() > end) throw new Error(`a probe of ${address} is gone`);
      await breathe();
    }
  }

  #first(address: string, protocol: Sample['protocol']): Uint8Array {
    const flow = this.#flows++;
    const ports = { src: 1_024 + (flow % PORTS), dst: SERVICE_PORT };
    const src = addressAt(FIRST_CLIENT, Math.floor(flow / PORTS));
    const ip: PacketBuilder = packet()
      .eth({ src: CLIENTS.generatorMac, dst: CLIENTS.mac })
      .ipv4({ src, dst: address });
    return (protocol === 'TCP' ? ip.tcp({ ...ports, flags: 'S' }) : ip.udp(ports)).build();
  }
}

function backendOf(frame: Uint8Array): string | null {
  const { ipv4, udp, tcp } = read(frame);
  const port = udp?.dst ?? tcp?.dst;
  if (port !== POD_PORT) throw new Error(`a probe came out to port ${port}`);
  return ipv4?.dst ?? null;
}
