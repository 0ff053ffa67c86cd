// SPDX-License-Identifier: Apache-2.0
import type { Timeouts } from '../../engine.js';
import { PROTOCOL, TCP_FLAG } from '../packet/headers.js';

/** Index into `FLOW_STATES`. */
export const STATE = {
  unreplied: 0,
  synReceived: 1,
  established: 2,
  closeWait: 3,
  timeWait: 4,
  closed: 5,
} as const;

/**
 * State of a connection whose protocol has a beginning and an end: TCP and SCTP.
 * @param client - flags that the client has sent
 * @param backend - flags that the backend has sent
 * @param bothSpoke - each side has sent a packet
 * @param isOneWay - what the backend sends goes another way: but for RST the client alone counts
 */
export function connectionState(
  client: number,
  backend: number,
  bothSpoke: boolean,
  isOneWay: boolean,
): number {
  if ((client | backend) & TCP_FLAG.rst) return STATE.closed;
  const other = isOneWay ? client : backend;
  if (client & other & TCP_FLAG.fin) return STATE.timeWait;
  if ((client | other) & TCP_FLAG.fin) return STATE.closeWait;
  if (!bothSpoke && !isOneWay) return STATE.unreplied;
  return client & TCP_FLAG.ack ? STATE.established : STATE.synReceived;
}

/** Not yet a connection, or no more: it goes where there is no room. */
export function isExpendable(state: number): boolean {
  return state !== STATE.established && state !== STATE.closeWait;
}

/** The protocol has connections that begin with SYN, or what stands for it, and end. */
export function hasHandshake(protocol: number): boolean {
  return protocol === PROTOCOL.tcp || protocol === PROTOCOL.sctp;
}

/** Seconds without a packet after which a connection ends. */
export class FlowTimeouts {
  // By state.
  readonly #tcp: readonly number[];
  readonly #sctp: readonly number[];
  readonly #udp: readonly number[];
  readonly #icmp: number;

  constructor(timeouts: Timeouts) {
    const { tcpUnreplied, tcpSynReceived, tcpEstablished, tcpCloseWait, tcpTimeWait } = timeouts;
    const { sctpUnreplied, sctpEstablished, sctpClosed, udpUnreplied, udpStream } = timeouts;
    this.#tcp = [
      tcpUnreplied,
      tcpSynReceived,
      tcpEstablished,
      tcpCloseWait,
      tcpTimeWait,
      timeouts.tcpClosed,
    ];
    this.#sctp = [
      sctpUnreplied,
      sctpUnreplied,
      sctpEstablished,
      sctpClosed,
      sctpClosed,
      sctpClosed,
    ];
    this.#udp = [udpUnreplied, udpUnreplied, udpStream];
    this.#icmp = timeouts.icmp;
  }

  of(protocol: number, state: number): number {
    switch (protocol) {
      case PROTOCOL.tcp:
        return this.#tcp[state];
      case PROTOCOL.sctp:
        return this.#sctp[state];
      case PROTOCOL.udp:
        return this.#udp[state];
      default:
        return this.#icmp;
    }
  }
}
