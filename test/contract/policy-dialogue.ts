// SPDX-License-Identifier: Apache-2.0
import { get16, get32, type PacketBuilder } from '../support/packets.js';
import type { Packet } from '../support/policy-oracle.js';
import type { Carried, PolicyNode } from './policy-node.js';
import { first } from './policy-probes.js';

/** Somebody and the interface that he is behind. */
export interface End {
  at: string;
  address: string;
}

let lastPort = 20_000;
let lastNumber = 0;

/** A connection between two ends, packet by packet: `passes`, or the reason that it is dropped for. */
export class Dialogue {
  readonly #port = ++lastPort;
  #hasBegun = false;

  constructor(
    readonly node: PolicyNode,
    readonly client: End,
    readonly server: End,
    readonly protocol: Packet['protocol'] = 'TCP',
    readonly port = 80,
  ) {}

  /** Sends from the client; what begins the connection at first. */
  say(): string {
    const ports = { src: this.#port, dst: this.port };
    const builder = this.#between(this.client, this.server);
    const hasBegun = this.#hasBegun;
    this.#hasBegun = true;
    return hasBegun
      ? this.#goes(this.client, this.server, (payload) => this.#later(builder, ports, payload))
      : this.#goes(this.client, this.server, (payload) =>
          first(builder, this.protocol, ports.src, ports.dst, payload),
        );
  }

  /** Sends from the server. */
  answer(): string {
    const ports = { src: this.port, dst: this.#port };
    const builder = this.#between(this.server, this.client);
    return this.#goes(this.server, this.client, (payload) => this.#later(builder, ports, payload));
  }

  /** Both sides have said something; all of it has to pass. */
  open(): this {
    const said = [this.say(), this.answer(), this.say(), this.answer()];
    if (said.some((each) => each !== 'passes')) throw new Error(`not opened: ${said}`);
    return this;
  }

  /** What becomes of a packet of each side. */
  get both(): string[] {
    return [this.say(), this.answer()];
  }

  #between(from: End, to: End): PacketBuilder {
    return this.node.from(from.at).ip({ src: from.address, dst: to.address });
  }

  #later(
    builder: PacketBuilder,
    ports: { src: number; dst: number },
    payload: Uint8Array,
  ): PacketBuilder {
    if (this.protocol === 'TCP') return builder.tcp({ ...ports, flags: 'PA', payload });
    if (this.protocol === 'UDP') return builder.udp({ ...ports, payload });
    if (this.protocol === 'SCTP') return builder.sctp({ ...ports, chunk: 'data', payload });
    const reply = ports.dst === this.#port;
    return builder.icmpEcho({ id: this.#port, reply, payload });
  }

  #goes(from: End, to: End, make: (payload: Uint8Array) => PacketBuilder): string {
    const number = ++lastNumber;
    const payload = Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);
    return fate(this.node, { at: from.at, frame: make(payload).build() }, to.at, number);
  }
}

/** A new connection's first packet: `passes`, or the reason that it is dropped for. */
export function opens(
  node: PolicyNode,
  client: End,
  server: End,
  protocol?: Packet['protocol'],
  port?: number,
): string {
  return new Dialogue(node, client, server, protocol, port).say();
}

/** What becomes of a frame whose last four bytes are `number`, and which is for `to`. */
function fate(node: PolicyNode, sent: Carried, to: string, number: number): string {
  const before = node.drops;
  const received = node.exchange([sent]);
  const after = node.drops;
  const reasons = Object.keys(after).filter((name) => after[name] !== before[name]);
  const found = received.map(({ at, frame }) =>
    at === to && get32(frame, frame.length - 4) === number
      ? 'passes'
      : `a frame of type ${get16(frame, 12)} at ${at}`,
  );
  return [...found, ...reasons].join(' and ') || 'nothing';
}
