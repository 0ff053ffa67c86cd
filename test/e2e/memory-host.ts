// SPDX-License-Identifier: Apache-2.0
import { setImmediate as turn } from 'node:timers/promises';
import type { ServiceProxy } from '../../lib/index.js';
import { type ReadPacket, read } from '../support/packets.js';

/** A memory interface of a proxy as a test sees it: what is sent is taken, what comes out is awaited. */
export class MemoryHost {
  readonly #proxy: ServiceProxy;
  readonly #name: string;

  constructor(proxy: ServiceProxy, name: string) {
    this.#proxy = proxy;
    this.#name = name;
  }

  /** Sends all frames, however often the ring is full. */
  async send(frames: readonly Uint8Array[]): Promise<void> {
    for (let sent = 0; sent < frames.length; ) {
      const taken = this.#proxy.interfaces.send(this.#name, frames.slice(sent, sent + 512));
      sent += taken;
      if (taken < 512) await turn();
    }
  }

  take(): ReadPacket[] {
    return this.#proxy.interfaces.receive(this.#name).map((frame) => read(frame));
  }

  /** Waits until `wanted` frames that `is` accepts have come, or `ms` have passed. */
  async expect(
    wanted: number,
    is: (frame: ReadPacket) => boolean,
    ms = 10_000,
  ): Promise<ReadPacket[]> {
    const found: ReadPacket[] = [];
    const deadline = Date.now() + ms;
    while (found.length < wanted && Date.now() < deadline) {
      found.push(...this.take().filter(is));
      await turn();
    }
    return found;
  }
}
