// SPDX-License-Identifier: Apache-2.0
import {
  type ArpFrame,
  BROADCAST,
  buildFrame,
  type EchoFrame,
  type Envelope,
  parseFrame,
  type TcpFrame,
  type UdpFrame,
} from './frames.js';
import { type Segment, TcpClient, TcpServer, type TcpService } from './memory-tcp.js';
import type { Seat } from './shop.js';

/** Answers a datagram. */
export type UdpService = (question: Uint8Array) => Uint8Array;

type Reply = (answer: string) => void;

const FIRST_PORT = 32_768;
const LAST_PORT = 60_999;

/**
 * A host of one address that lives in this process: it asks for its gateway by ARP, answers ARP,
 * serves UDP and TCP, and sends requests. Everything goes through the gateway.
 */
export class MemoryHost {
  /** Frames that could not be read: broken, or of a kind that a host of this network never gets. */
  faults = 0;
  readonly #seat: Seat;
  readonly #mac: string;
  readonly #transmit: (frame: Uint8Array) => void;
  readonly #udpServices = new Map<number, UdpService>();
  readonly #tcpServices = new Map<number, TcpService>();
  readonly #servers = new Map<string, TcpServer>();
  /** Requests of ours under way, by local port, or identifier for echo. */
  readonly #udpRequests = new Map<number, Reply>();
  readonly #tcpRequests = new Map<number, TcpClient>();
  readonly #echoRequests = new Map<number, Reply>();
  #gatewayMac: string | null = null;
  #waiting: ((gatewayMac: string) => void)[] = [];
  #lastPort = LAST_PORT;
  #sequence = 1_000;

  /** @param transmit - puts a frame on the wire */
  constructor(seat: Seat, mac: string, transmit: (frame: Uint8Array) => void) {
    this.#seat = seat;
    this.#mac = mac;
    this.#transmit = transmit;
  }

  serveUdp(port: number, service: UdpService): void {
    this.#udpServices.set(port, service);
  }

  serveTcp(port: number, service: TcpService): void {
    this.#tcpServices.set(port, service);
  }

  /** Sends a datagram from a port of its own and waits for the answer. */
  requestUdp(address: string, port: number, question: string): Promise<string> {
    const sourcePort = this.#freePort();
    return this.#request(this.#udpRequests, sourcePort, (envelope) =>
      buildFrame({
        kind: 'udp',
        ...envelope(address),
        sourcePort,
        destinationPort: port,
        payload: new TextEncoder().encode(question),
      }),
    );
  }

  /** Pings an address. */
  async requestEcho(address: string): Promise<void> {
    const identifier = this.#freePort();
    await this.#request(this.#echoRequests, identifier, (envelope) =>
      buildFrame({ kind: 'echo', ...envelope(address), reply: false, identifier, sequence: 1 }),
    );
  }

  /** Connects, sends a request, and waits until the other side has answered and closed. */
  requestTcp(address: string, port: number, request: string): Promise<string> {
    const sourcePort = this.#freePort();
    return new Promise((resolve, reject) => {
      this.#whenResolved((gatewayMac) => {
        const transmit = (segment: Segment): void =>
          this.#sendTcp(this.#envelope(address, gatewayMac), sourcePort, port, segment);
        const client = new TcpClient(this.#initialSequence(), request, transmit, (answer) => {
          this.#tcpRequests.delete(sourcePort);
          if (answer instanceof Error) reject(answer);
          else resolve(answer);
        });
        this.#tcpRequests.set(sourcePort, client);
      });
    });
  }

  /** Takes a frame off the wire. */
  receive(bytes: Uint8Array): void {
    const frame = parseFrame(bytes);
    if (frame === null) this.faults++;
    else if (frame.kind === 'arp') this.#arp(frame);
    else if (frame.destination !== this.#seat.address || frame.destinationMac !== this.#mac)
      this.faults++;
    else if (frame.kind === 'udp') this.#udp(frame);
    else if (frame.kind === 'tcp') this.#tcp(frame);
    else this.#echo(frame);
  }

  #arp(frame: ArpFrame): void {
    if (frame.target !== this.#seat.address) return;
    if (frame.operation === 1) this.#sendArp(2, frame.sender, frame.senderMac);
    if (frame.sender !== this.#seat.gateway) return;
    this.#gatewayMac = frame.senderMac;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const send of waiting) send(frame.senderMac);
  }

  #udp(frame: UdpFrame): void {
    const reply = this.#udpRequests.get(frame.destinationPort);
    if (reply !== undefined) {
      reply(new TextDecoder().decode(frame.payload));
      return;
    }
    const service = this.#udpServices.get(frame.destinationPort);
    if (service === undefined) {
      this.faults++;
      return;
    }
    const answer: UdpFrame = {
      kind: 'udp',
      ...this.#envelope(frame.source, frame.sourceMac),
      sourcePort: frame.destinationPort,
      destinationPort: frame.sourcePort,
      payload: service(frame.payload),
    };
    this.#transmit(buildFrame(answer));
  }

  #tcp(frame: TcpFrame): void {
    const client = this.#tcpRequests.get(frame.destinationPort);
    if (client !== undefined) {
      client.receive(frame);
      return;
    }
    const key = `${frame.source}:${frame.sourcePort}:${frame.destinationPort}`;
    const server = this.#servers.get(key);
    const service = this.#tcpServices.get(frame.destinationPort);
    if (server !== undefined) {
      if (server.receive(frame)) this.#servers.delete(key);
    } else if (service !== undefined && frame.flags.syn === true) {
      const { source, sourceMac, sourcePort, destinationPort } = frame;
      const transmit = (segment: Segment): void =>
        this.#sendTcp(this.#envelope(source, sourceMac), destinationPort, sourcePort, segment);
      const accepted = new TcpServer(this.#initialSequence(), frame, service, transmit);
      this.#servers.set(key, accepted);
    } else this.faults++;
  }

  #echo(frame: EchoFrame): void {
    if (frame.reply) {
      this.#echoRequests.get(frame.identifier)?.('');
      return;
    }
    const envelope = this.#envelope(frame.source, frame.sourceMac);
    this.#transmit(buildFrame({ ...frame, ...envelope, reply: true }));
  }

  #request(
    requests: Map<number, Reply>,
    key: number,
    build: (envelope: (address: string) => Envelope) => Uint8Array,
  ): Promise<string> {
    return new Promise((resolve) => {
      requests.set(key, (answer) => {
        requests.delete(key);
        resolve(answer);
      });
      this.#whenResolved((gatewayMac) =>
        this.#transmit(build((address) => this.#envelope(address, gatewayMac))),
      );
    });
  }

  #whenResolved(send: (gatewayMac: string) => void): void {
    if (this.#gatewayMac !== null) {
      send(this.#gatewayMac);
      return;
    }
    this.#waiting.push(send);
    if (this.#waiting.length === 1) this.#sendArp(1, this.#seat.gateway, BROADCAST);
  }

  #sendArp(operation: number, target: string, destinationMac: string): void {
    const { address } = this.#seat;
    this.#transmit(
      buildFrame({
        kind: 'arp',
        operation,
        senderMac: this.#mac,
        sender: address,
        target,
        destinationMac,
      }),
    );
  }

  #sendTcp(
    envelope: Envelope,
    sourcePort: number,
    destinationPort: number,
    segment: Segment,
  ): void {
    this.#transmit(
      buildFrame({ kind: 'tcp', ...envelope, sourcePort, destinationPort, ...segment }),
    );
  }

  #envelope(destination: string, destinationMac: string): Envelope {
    return { sourceMac: this.#mac, destinationMac, source: this.#seat.address, destination };
  }

  #freePort(): number {
    this.#lastPort = this.#lastPort === LAST_PORT ? FIRST_PORT : this.#lastPort + 1;
    return this.#lastPort;
  }

  #initialSequence(): number {
    this.#sequence += 64_000;
    return this.#sequence;
  }
}
