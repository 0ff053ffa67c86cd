// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { SluiceError } from '../../../errors.js';
import { type Burst, MAX_BURST } from '../packet/burst.js';
import type { SoftwareInterface } from './interface.js';
import { pcapHeader, pcapRecord, readPcap } from './pcap-file.js';

/** Bytes that are gathered before they are written. */
const WRITE_BATCH = 256 * 1024;

/** What a pcap interface needs to be made. */
export interface PcapParameters {
  mac: Uint8Array;
  mtu: number;
  unfinishedChecksums: boolean;
  /** File to play, or none: nothing is received. */
  rx: string | undefined;
  /** File to write, or none: what is sent is gone. */
  tx: string | undefined;
  /** Milliseconds since the epoch, for the records that are written. */
  now: () => number;
}

/**
 * Plays one file and records into another. When the file to play has come to its end, the interface
 * goes down: its peer has left.
 */
export class PcapInterface implements SoftwareInterface {
  readonly mac: Uint8Array;
  readonly mtu: number;
  readonly unfinishedChecksums: boolean;
  readonly tunnel = null;
  up = true;
  readonly #frames: readonly Uint8Array[] | null;
  #next = 0;
  readonly #now: () => number;
  #file: number | null;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  private constructor(parameters: PcapParameters, frames: readonly Uint8Array[] | null) {
    this.mac = parameters.mac;
    this.mtu = parameters.mtu;
    this.unfinishedChecksums = parameters.unfinishedChecksums;
    this.#frames = frames;
    this.#now = parameters.now;
    this.#file = parameters.tx === undefined ? null : openForWriting(parameters.tx);
    if (this.#file !== null) this.#write(pcapHeader());
  }

  /** @throws SluiceError `ERR_INTERFACE`; `path` is `rx` or `tx` */
  static async open(parameters: PcapParameters): Promise<PcapInterface> {
    const frames = parameters.rx === undefined ? null : await play(parameters.rx);
    return new PcapInterface(parameters, frames);
  }

  get hasInput(): boolean {
    // The poll that finds nothing is the one that takes the link down: it is wanted, too.
    return this.#frames !== null && this.up;
  }

  receive(burst: Burst): number {
    if (this.#frames === null) return 0;
    const left = this.#frames.length - this.#next;
    if (left === 0) this.up = false;
    const count = Math.min(left, MAX_BURST);
    for (let i = 0; i < count; i++) burst.frame[i] = this.#frames[this.#next++];
    return count;
  }

  transmit(frame: Uint8Array): boolean {
    if (this.#file !== null) this.#write(pcapRecord(frame, this.#now()));
    return true;
  }

  close(): void {
    if (this.#file === null) return;
    this.#flush();
    closeSync(this.#file);
    this.#file = null;
  }

  #write(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= WRITE_BATCH) this.#flush();
  }

  #flush(): void {
    const batch = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    for (let at = 0; at < batch.length; ) at += writeSync(this.#file as number, batch, at);
  }
}

async function play(path: string): Promise<Uint8Array[]> {
  try {
    return readPcap(await readFile(path));
  } catch (cause) {
    throw failure('rx', path, cause);
  }
}

function openForWriting(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (cause) {
    throw failure('tx', path, cause);
  }
}

function failure(parameter: string, path: string, cause: unknown): SluiceError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SluiceError('ERR_INTERFACE', `${path}: ${reason}`, {
    path: parameter,
    cause,
  });
}
