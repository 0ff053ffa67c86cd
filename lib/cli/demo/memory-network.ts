// SPDX-License-Identifier: Apache-2.0
import { MemoryHost } from './memory-host.js';
import type { Seat } from './shop.js';

/** Where frames go in and out, by name of the interface. */
export interface Wire {
  /** @returns how many frames found room */
  send(name: string, frames: readonly Uint8Array[]): number;
  receive(name: string): Uint8Array[];
}

interface Cable {
  host: MemoryHost;
  /** Frames that the host has sent and the wire has not taken yet. */
  outgoing: Uint8Array[];
}

const IDLE_MS = 2;

/** Carries frames between hosts in this process and the interfaces that they sit behind. */
export class MemoryNetwork {
  readonly #wire: Wire;
  readonly #cables = new Map<string, Cable>();
  #cancel: () => void = () => undefined;
  #running = true;

  constructor(wire: Wire) {
    this.#wire = wire;
    this.#schedule(false);
  }

  /** Puts a host behind the interface of its name. */
  attach(seat: Seat, mac: string): MemoryHost {
    const outgoing: Uint8Array[] = [];
    const host = new MemoryHost(seat, mac, (frame) => outgoing.push(frame));
    this.#cables.set(seat.name, { host, outgoing });
    return host;
  }

  /** Frames that reached a host and made no sense there. */
  get faults(): number {
    let faults = 0;
    for (const { host } of this.#cables.values()) faults += host.faults;
    return faults;
  }

  stop(): void {
    this.#running = false;
    this.#cancel();
  }

  #carry(): void {
    let moved = false;
    for (const [name, { host, outgoing }] of this.#cables) {
      const incoming = this.#wire.receive(name);
      for (const frame of incoming) host.receive(frame);
      const taken = outgoing.length > 0 ? this.#wire.send(name, outgoing) : 0;
      outgoing.splice(0, taken);
      moved ||= incoming.length > 0 || taken > 0;
    }
    this.#schedule(moved);
  }

  /** As long as something moves the next look comes at once, in turn with the engine's own. */
  #schedule(atOnce: boolean): void {
    if (!this.#running) return;
    if (atOnce) {
      const immediate = setImmediate(() => this.#carry());
      this.#cancel = () => clearImmediate(immediate);
    } else {
      const timer = setTimeout(() => this.#carry(), IDLE_MS);
      this.#cancel = () => clearTimeout(timer);
    }
  }
}
