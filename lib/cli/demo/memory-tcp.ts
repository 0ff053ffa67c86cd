// SPDX-License-Identifier: Apache-2.0
import type { TcpFlags, TcpFrame } from './frames.js';

// TCP for one request and one answer over a path that keeps order and loses nothing: no
// retransmission, no window, no options. What it sends is right to the last checksum.

/** What a connection hands to its host for sending. */
export interface Segment {
  sequence: number;
  acknowledgement: number;
  flags: TcpFlags;
  payload: Uint8Array;
}

/** Answers a request; `null` as long as the request is not complete. */
export type TcpService = (request: string) => string | null;

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** State that both sides have. Sequence numbers wrap at 2^32. */
class Endpoint {
  protected text = '';
  /** What we send next, and what we expect next. */
  #next: number;
  #expected = 0;
  readonly #transmit: (segment: Segment) => void;

  constructor(initial: number, transmit: (segment: Segment) => void) {
    this.#next = initial >>> 0;
    this.#transmit = transmit;
  }

  /** Everything that we have sent is acknowledged by the segment. */
  protected isAcknowledgedBy({ flags, acknowledgement }: TcpFrame): boolean {
    return flags.ack === true && acknowledgement === this.#next;
  }

  /** Takes a segment that is next in order. @returns `false` for any other */
  protected take({ flags, sequence, payload }: TcpFrame): boolean {
    if (flags.syn === true) this.#expected = sequence;
    if (sequence !== this.#expected) return false;
    this.text += decoder.decode(payload);
    const length = payload.length + (flags.syn ? 1 : 0) + (flags.fin ? 1 : 0);
    this.#expected = (this.#expected + length) >>> 0;
    return true;
  }

  protected send(flags: TcpFlags, text = ''): void {
    const payload = text === '' ? NOTHING : encoder.encode(text);
    const acknowledgement = flags.ack === true ? this.#expected : 0;
    this.#transmit({ sequence: this.#next, acknowledgement, flags, payload });
    const length = payload.length + (flags.syn ? 1 : 0) + (flags.fin ? 1 : 0);
    this.#next = (this.#next + length) >>> 0;
  }
}

/** The side that asks: connects, sends its request, reads up to the other side's FIN. */
export class TcpClient extends Endpoint {
  readonly #request: string;
  readonly #done: (answer: string | Error) => void;
  #state: 'connecting' | 'waiting' | 'closing' | 'closed' = 'connecting';

  constructor(
    initial: number,
    request: string,
    transmit: (segment: Segment) => void,
    done: (answer: string | Error) => void,
  ) {
    super(initial, transmit);
    this.#request = request;
    this.#done = done;
    this.send({ syn: true });
  }

  receive(frame: TcpFrame): void {
    const { flags, payload } = frame;
    if (flags.rst === true) {
      this.#end(new Error('connection refused'));
    } else if (this.#state === 'connecting') {
      if (flags.syn !== true || !this.isAcknowledgedBy(frame)) return;
      this.take(frame);
      this.#state = 'waiting';
      this.send({ ack: true });
      this.send({ psh: true, ack: true }, this.#request);
    } else if (this.#state === 'waiting') {
      if (!this.take(frame)) return;
      if (flags.fin === true) {
        this.#state = 'closing';
        this.send({ fin: true, ack: true });
      } else if (payload.length > 0) this.send({ ack: true });
    } else if (this.#state === 'closing' && this.isAcknowledgedBy(frame)) this.#end(this.text);
  }

  #end(answer: string | Error): void {
    this.#state = 'closed';
    this.#done(answer);
  }
}

/** The side that answers: one request, then it closes. */
export class TcpServer extends Endpoint {
  readonly #service: TcpService;
  #answered = false;

  constructor(
    initial: number,
    syn: TcpFrame,
    service: TcpService,
    transmit: (segment: Segment) => void,
  ) {
    super(initial, transmit);
    this.#service = service;
    this.take(syn);
    this.send({ syn: true, ack: true });
  }

  /** @returns `true` when the connection is over */
  receive(frame: TcpFrame): boolean {
    const { flags, payload } = frame;
    if (flags.rst === true) return true;
    if (flags.syn === true || !this.take(frame)) return false;
    const answer = payload.length > 0 && !this.#answered ? this.#service(this.text) : null;
    if (answer !== null) {
      this.#answered = true;
      this.send({ psh: true, ack: true }, answer);
      this.send({ fin: true, ack: true });
    } else if (payload.length > 0 || flags.fin === true) this.send({ ack: true });
    return flags.fin === true;
  }
}
