// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { isMac, read16, read32 } from '../base/byte-order.js';
import { fold, sum } from '../base/checksum.js';
import { hashTuple } from '../base/crc32c.js';
import { type Burst, LANE } from '../packet/burst.js';
import { ETH, ETHERTYPE, ICMP, IPV4, PROTOCOL, TCP, UDP } from '../packet/headers.js';
import type { Context, Station } from './context.js';

const PASSED = -1;

/** Checks every packet and notes what the later stages need of it. */
export function parse(burst: Burst, context: Context): void {
  const station = context.stations[burst.ingress] as Station;
  for (let i = 0; i < burst.count; i++) {
    const frame = burst.frame[i];
    burst.length[i] = frame.length;
    let reason = parseEthernet(burst, i, frame, station);
    if (reason === PASSED && burst.lane[i] !== LANE.arp) {
      reason = parseIpv4(burst, i, frame, context);
      if (reason === PASSED) reason = parseL4(burst, i, frame);
    }
    if (reason !== PASSED) context.drop(burst, i, reason);
  }
}

function parseEthernet(burst: Burst, i: number, frame: Uint8Array, station: Station): number {
  if (frame.length < ETH.length) return DROP.malformed_ethernet;
  const type = read16(frame, ETH.type);
  const group = (frame[ETH.destination] & 1) !== 0;
  if (type === ETHERTYPE.arp) {
    burst.lane[i] = LANE.arp;
    return group || isMac(frame, ETH.destination, station.mac) ? PASSED : DROP.mac_not_ours;
  }
  if (type !== ETHERTYPE.ipv4) return DROP.unsupported_ethertype;
  if (group) return DROP.l2_broadcast;
  burst.lane[i] = LANE.service;
  return isMac(frame, ETH.destination, station.mac) ? PASSED : DROP.mac_not_ours;
}

function parseIpv4(burst: Burst, i: number, frame: Uint8Array, context: Context): number {
  const room = frame.length - ETH.length;
  if (room < IPV4.minimumLength) return DROP.malformed_ipv4;
  const first = frame[IPV4.versionAndLength];
  const header = (first & 0x0f) * 4;
  const total = read16(frame, IPV4.totalLength);
  if (
    first >>> 4 !== 4 ||
    header < IPV4.minimumLength ||
    total < header ||
    header > room ||
    total > room
  ) {
    return DROP.malformed_ipv4;
  }
  burst.length[i] = ETH.length + total;
  if (fold(sum(frame, ETH.length, header)) !== 0xffff) return DROP.bad_ipv4_checksum;

  const source = read32(frame, IPV4.source);
  const destination = read32(frame, IPV4.destination);
  if (isMartian(source) || context.program.isOwn(source)) return DROP.martian_source;
  if (isMartian(destination)) return DROP.martian_destination;
  if ((read16(frame, IPV4.fragment) & IPV4.fragmentMask) !== 0) return DROP.fragment;

  burst.source[i] = source;
  burst.destination[i] = destination;
  burst.protocol[i] = frame[IPV4.protocol];
  burst.ipLength[i] = total;
  burst.l4[i] = ETH.length + header;
  return PASSED;
}

/** 0/8, 127/8, 224/3. */
function isMartian(address: number): boolean {
  const first = address >>> 24;
  return first === 0 || first === 127 || first >= 224;
}

function parseL4(burst: Burst, i: number, frame: Uint8Array): number {
  const l4 = burst.l4[i];
  const room = burst.length[i] - l4;
  burst.ports[i] = 0;
  burst.tcpFlags[i] = 0;
  switch (burst.protocol[i]) {
    case PROTOCOL.tcp: {
      if (room < TCP.minimumLength) return DROP.malformed_l4;
      const header = (frame[l4 + TCP.dataOffset] >>> 4) * 4;
      if (header < TCP.minimumLength || header > room) return DROP.malformed_l4;
      burst.tcpFlags[i] = frame[l4 + TCP.flags];
      break;
    }
    case PROTOCOL.udp: {
      if (room < UDP.minimumLength) return DROP.malformed_l4;
      const length = read16(frame, l4 + UDP.length);
      if (length < UDP.minimumLength || length > room) return DROP.malformed_l4;
      break;
    }
    case PROTOCOL.icmp:
      return room < ICMP.minimumLength ? DROP.malformed_l4 : PASSED;
    default:
      return PASSED;
  }
  const ports = read32(frame, l4);
  burst.ports[i] = ports;
  burst.hash[i] = hashTuple(burst.source[i], burst.destination[i], ports, burst.protocol[i]);
  burst.lane[i] = LANE.flow;
  return PASSED;
}
