// SPDX-License-Identifier: Apache-2.0
import { type Burst, MAX_BURST } from '../packet/burst.js';
import type { SoftwareInterface } from './interface.js';

/** Frames that wait at most, each way. */
const CAPACITY = 1_024;

/** An interface whose peer is this process: `Engine.send` and `Engine.receive`. */
export class MemoryInterface implements SoftwareInterface {
  up = true;
  readonly #rx = new FrameQueue(CAPACITY);
  readonly #tx = new FrameQueue(CAPACITY);

  constructor(
    readonly mac: Uint8Array,
    readonly mtu: number,
    readonly unfinishedChecksums: boolean,
  ) {}

  get hasInput(): boolean {
    return this.#rx.size > 0;
  }

  receive(burst: Burst): number {
    let count = 0;
    for (; count < MAX_BURST && this.#rx.size > 0; count++) {
      burst.frame[count] = this.#rx.shift() as Uint8Array;
    }
    return count;
  }

  transmit(frame: Uint8Array): boolean {
    return this.#tx.push(frame);
  }

  /** Copies frames in: the path rewrites them in place. @returns how many found room */
  put(frames: readonly Uint8Array[]): number {
    let count = 0;
    while (count < frames.length && this.#rx.size < CAPACITY) {
      this.#rx.push(new Uint8Array(frames[count++]));
    }
    return count;
  }

  /** Takes up to `max` frames that were sent. */
  take(max: number): Uint8Array[] {
    const frames: Uint8Array[] = [];
    while (frames.length < max && this.#tx.size > 0) frames.push(this.#tx.shift() as Uint8Array);
    return frames;
  }

  close(): void {}
}

/** A bounded first-in first-out queue that does not allocate. */
class FrameQueue {
  readonly #frames: (Uint8Array | undefined)[];
  #first = 0;
  size = 0;

  constructor(capacity: number) {
    this.#frames = new Array<Uint8Array | undefined>(capacity).fill(undefined);
  }

  push(frame: Uint8Array): boolean {
    if (this.size === this.#frames.length) return false;
    this.#frames[(this.#first + this.size++) % this.#frames.length] = frame;
    return true;
  }

  shift(): Uint8Array | undefined {
    const frame = this.#frames[this.#first];
    this.#frames[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.#frames.length;
    this.size--;
    return frame;
  }
}
