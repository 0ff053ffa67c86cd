// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { copyMac, read16, read32, write16, write32 } from '../base/byte-order.js';
import { adjustAt, delta16, fold, sum } from '../base/checksum.js';
import { type Burst, CLASS, FRAGMENT, LANE, PASSED } from '../packet/burst.js';
import { FAMILIES } from '../packet/family.js';
import {
  ETH,
  ETHERTYPE,
  GRE,
  IPV4,
  IPV6,
  NO_STATION,
  PROTOCOL,
  UDP,
  VXLAN,
} from '../packet/headers.js';
import type { PacketEnds, Tunnel, TunnelKind } from '../table/tunnels.js';
import type { Context, Station } from './context.js';
import { parsePacket } from './parse.js';

/** It was for no tunnel, and is as it was. */
export const NOT_CARRIED = -2;

const ECN_MASK = 3;
const CONGESTED = 3;

/** What the headers of a packet say that carries another one. */
interface Carried {
  begin: number;
  end: number;
  /** EtherType of a packet that has no Ethernet header; else 0. */
  type: number;
  /** Key or VNI. */
  key: number | null;
}

/**
 * Takes packets for tunnels out of those that carry them, and parses them anew as packets that came in by
 * the tunnel. A view is made of each.
 */
export function decap(burst: Burst, context: Context): void {
  for (let i = 0; i < burst.count; i++) {
    if (burst.lane[i] === LANE.done) continue;
    let reason = decapsulate(burst, i, context);
    if (reason === NOT_CARRIED) continue;
    if (reason === PASSED) {
      context.counters.received(burst.ingress[i], burst.frame[i].length);
      reason = parsePacket(burst, i, context);
    }
    if (reason !== PASSED) context.drop(burst, i, reason);
  }
}

/**
 * Takes one packet out that parse has let pass, if there is one in it; it is to be parsed then.
 * @returns `PASSED`, `NOT_CARRIED` or one of `DROP`
 */
export function decapsulate(burst: Burst, i: number, context: Context): number {
  const { tunnels } = context;
  const kind = kindOf(burst, i, context);
  if (kind === null) return NOT_CARRIED;
  const ends: PacketEnds = {
    source: burst.source,
    destination: burst.destination,
    at: i * 4,
    port: kind === 'vxlan' ? burst.ports[i] & 0xffff : 0,
  };
  if (!tunnels.expects(kind, ends)) return NOT_CARRIED;
  const carried = readCarried(burst, i, kind);
  if (carried === null) return DROP.malformed_tunnel;
  const tunnel = tunnels.find(kind, ends, carried.key);
  if (tunnel === undefined) return NOT_CARRIED;
  const congested = (trafficClassOf(burst.frame[i]) & ECN_MASK) === CONGESTED;
  cut(burst, i, carried, tunnel, context);
  if (congested) markCongestion(burst.frame[i]);
  return PASSED;
}

/** Type of service (traffic class) of a frame; of what is not IP: 0. */
export function trafficClassOf(frame: Uint8Array): number {
  const type = read16(frame, ETH.type);
  if (type === ETHERTYPE.ipv4) return frame[IPV4.typeOfService];
  return type === ETHERTYPE.ipv6 ? (read16(frame, IPV6.version) >>> 4) & 0xff : 0;
}

function kindOf(burst: Burst, i: number, { tunnels }: Context): TunnelKind | null {
  const lane = burst.lane[i];
  if (lane === LANE.arp || lane === LANE.nd || burst.fragment[i] !== FRAGMENT.none) return null;
  const { isIpv4 } = FAMILIES[burst.family[i]];
  if (!isIpv4 && burst.l4[i] !== ETH.length + IPV6.length) return null;
  if (burst.class[i] === CLASS.udp)
    return tunnels.hasPort(burst.ports[i] & 0xffff) ? 'vxlan' : null;
  if (burst.class[i] !== CLASS.other) return null;
  const protocol = burst.protocol[i];
  if (protocol === PROTOCOL.gre) return 'gre';
  return protocol === PROTOCOL.ipv4 || protocol === PROTOCOL.ipv6 ? 'ipip' : null;
}

function readCarried(burst: Burst, i: number, kind: TunnelKind): Carried | null {
  const l4 = burst.l4[i];
  if (kind === 'gre') return readGre(burst.frame[i], l4, burst.length[i]);
  if (kind === 'vxlan') return readVxlan(burst.frame[i], l4);
  const type = burst.protocol[i] === PROTOCOL.ipv4 ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6;
  return { begin: l4, end: burst.length[i], type, key: null };
}

// RFC 2784, RFC 2890.
function readGre(frame: Uint8Array, at: number, end: number): Carried | null {
  if (end - at < GRE.length) return null;
  const flags = read16(frame, at);
  const type = read16(frame, at + GRE.type);
  if (flags & ~(GRE.hasChecksum | GRE.hasKey | GRE.hasSequence)) return null;
  if (type !== ETHERTYPE.ipv4 && type !== ETHERTYPE.ipv6) return null;
  const keyAt = at + GRE.length + (flags & GRE.hasChecksum ? GRE.field : 0);
  const sequenceAt = keyAt + (flags & GRE.hasKey ? GRE.field : 0);
  const begin = sequenceAt + (flags & GRE.hasSequence ? GRE.field : 0);
  if (begin > end) return null;
  if (flags & GRE.hasChecksum && fold(sum(frame, at, end - at)) !== 0xffff) return null;
  return { begin, end, type, key: flags & GRE.hasKey ? read32(frame, keyAt) : null };
}

// RFC 7348.
function readVxlan(frame: Uint8Array, udp: number): Carried | null {
  const at = udp + UDP.minimumLength;
  const end = udp + read16(frame, udp + UDP.length);
  if (end - at < VXLAN.length || frame[at] !== VXLAN.hasVni) return null;
  return { begin: at + VXLAN.length, end, type: 0, key: read32(frame, at + VXLAN.vni) >>> 8 };
}

function cut(burst: Burst, i: number, carried: Carried, tunnel: Tunnel, context: Context): void {
  const begin = carried.begin - (tunnel.isLayer3 ? ETH.length : 0);
  const frame = burst.frame[i].subarray(begin, carried.end);
  burst.frame[i] = frame;
  burst.ingress[i] = tunnel.slot;
  if (!tunnel.isLayer3) return;
  const { mac } = context.stations[tunnel.slot] as Station;
  copyMac(frame, ETH.destination, mac, 0);
  copyMac(frame, ETH.source, NO_STATION, 0);
  write16(frame, ETH.type, carried.type);
}

// RFC 6040, 4.2.
function markCongestion(frame: Uint8Array): void {
  if (frame.length < ETH.length) return;
  const type = read16(frame, ETH.type);
  const room = frame.length - ETH.length;
  if (type === ETHERTYPE.ipv4 && room >= IPV4.minimumLength) {
    const before = read16(frame, IPV4.versionAndLength);
    if ((before & ECN_MASK) === 0) return;
    write16(frame, IPV4.versionAndLength, before | CONGESTED);
    adjustAt(frame, IPV4.checksum, delta16(before, before | CONGESTED));
  } else if (type === ETHERTYPE.ipv6 && room >= IPV6.length) {
    const before = read32(frame, IPV6.version);
    if (((before >>> 20) & ECN_MASK) !== 0) {
      write32(frame, IPV6.version, before | (CONGESTED << 20));
    }
  }
}
