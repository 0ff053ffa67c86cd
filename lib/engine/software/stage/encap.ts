// SPDX-License-Identifier: Apache-2.0
import { writeAddress } from '../base/address.js';
import { read16, write16, write32 } from '../base/byte-order.js';
import { writeIpv4Checksum } from '../base/checksum.js';
import { mix } from '../base/mix.js';
import {
  ETH,
  ETHERTYPE,
  GRE,
  IPV4,
  IPV4_FRAGMENT,
  IPV6,
  PROTOCOL,
  UDP,
  VXLAN,
} from '../packet/headers.js';
import type { Tunnel } from '../table/tunnels.js';
import { trafficClassOf } from './decap.js';

/** RFC 7348, 5. */
const SOURCE_PORTS = { first: 49_152, count: 16_384 } as const;

/**
 * The packet that carries a frame through a tunnel with a remote end, whole but for its MACs: a new
 * frame, because there is no room in front of the old one.
 * @param hash - of the five-tuple inside, as received
 */
export function wrap(frame: Uint8Array, tunnel: Tunnel, hash: number): Uint8Array {
  const entropy = mix(hash);
  const type = read16(frame, ETH.type);
  const inside = tunnel.isLayer3 ? frame.subarray(ETH.length) : frame;
  const own = ownLength(tunnel);
  const ip = tunnel.isIpv4 ? IPV4.minimumLength : IPV6.length;
  const at = ETH.length + ip;
  const outer = new Uint8Array(at + own + inside.length);
  outer.set(inside, at + own);
  if (tunnel.kind === 'gre') writeGre(outer, at, tunnel, type, entropy);
  if (tunnel.kind === 'vxlan') writeVxlan(outer, at, tunnel, entropy);
  const protocol = protocolOf(tunnel, type);
  const trafficClass = trafficClassOf(frame);
  if (tunnel.isIpv4) writeIpv4(outer, tunnel, protocol, trafficClass);
  else writeIpv6(outer, tunnel, protocol, trafficClass);
  return outer;
}

/** Bytes of the tunnel's own headers behind the IP header. */
function ownLength({ kind, key }: Tunnel): number {
  if (kind === 'ipip') return 0;
  if (kind === 'vxlan') return UDP.minimumLength + VXLAN.length;
  return GRE.length + (key === null ? 0 : GRE.field);
}

function protocolOf({ kind }: Tunnel, type: number): number {
  if (kind === 'gre') return PROTOCOL.gre;
  if (kind === 'vxlan') return PROTOCOL.udp;
  return type === ETHERTYPE.ipv4 ? PROTOCOL.ipv4 : PROTOCOL.ipv6;
}

function writeGre(
  outer: Uint8Array,
  at: number,
  { key }: Tunnel,
  type: number,
  entropy: number,
): void {
  write16(outer, at + GRE.type, type);
  if (key === null) return;
  write16(outer, at, GRE.hasKey);
  write32(outer, at + GRE.length, key === 'flow' ? entropy : key);
}

function writeVxlan(outer: Uint8Array, at: number, { port, vni }: Tunnel, entropy: number): void {
  write16(outer, at, SOURCE_PORTS.first + (entropy % SOURCE_PORTS.count));
  write16(outer, at + 2, port);
  write16(outer, at + UDP.length, outer.length - at);
  outer[at + UDP.minimumLength] = VXLAN.hasVni;
  write32(outer, at + UDP.minimumLength + VXLAN.vni, vni << 8);
}

function writeIpv4(
  outer: Uint8Array,
  { local, remote, ttl }: Tunnel,
  protocol: number,
  typeOfService: number,
): void {
  write16(outer, ETH.type, ETHERTYPE.ipv4);
  outer[IPV4.versionAndLength] = 0x45;
  outer[IPV4.typeOfService] = typeOfService;
  write16(outer, IPV4.totalLength, outer.length - ETH.length);
  write16(outer, IPV4.fragment, IPV4_FRAGMENT.dontFragment);
  outer[IPV4.ttl] = ttl;
  outer[IPV4.protocol] = protocol;
  write32(outer, IPV4.source, local[3]);
  write32(outer, IPV4.destination, remote[3]);
  writeIpv4Checksum(outer, ETH.length, IPV4.minimumLength);
}

function writeIpv6(
  outer: Uint8Array,
  { local, remote, ttl }: Tunnel,
  protocol: number,
  trafficClass: number,
): void {
  write16(outer, ETH.type, ETHERTYPE.ipv6);
  write32(outer, IPV6.version, (6 << 28) | (trafficClass << 20));
  write16(outer, IPV6.payloadLength, outer.length - ETH.length - IPV6.length);
  outer[IPV6.nextHeader] = protocol;
  outer[IPV6.hopLimit] = ttl;
  writeAddress(outer, IPV6.source, local, 0);
  writeAddress(outer, IPV6.destination, remote, 0);
}
