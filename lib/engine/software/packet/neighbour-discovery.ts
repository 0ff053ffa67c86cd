// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS, writeAddress } from '../base/address.js';
import { copyMac, write16, write32 } from '../base/byte-order.js';
import { IPV6_FAMILY, writeL4Checksum } from './family.js';
import { ETH, ETHERTYPE, ICMP, IPV6, ND_TYPE, PROTOCOL } from './headers.js';

/** Messages that ask for a neighbour and tell of one (RFC 4861): offsets from the ICMPv6 header. */
export const ND = { flags: 4, target: 8, options: 24 } as const;

/** Types of options: the MAC of who asks, and of who is told of. */
export const ND_OPTION = { sourceMac: 1, targetMac: 2 } as const;

/** Options are counted in units of so many bytes. */
export const ND_OPTION_UNIT = 8;

const ROUTER_AND_OVERRIDE = 0xa0;
const SOLICITED = 0x40;

const L4 = ETH.length + IPV6.length;
const L4_LENGTH = ND.options + ND_OPTION_UNIT;
const HOP_LIMIT = 255;

// ff02::1 and its MAC (RFC 2464, 7).
const ALL_NODES = Int32Array.of(0xff020000, 0, 0, 1);
const ALL_NODES_MAC = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);

/** What is said, and to whom. */
interface Message {
  type: number;
  flags: number;
  /** Ours: source, and in the option. */
  mac: Uint8Array;
  toMac: Uint8Array;
  source: Int32Array;
  destination: Int32Array;
  target: Int32Array;
  option: number;
}

/** The link-local address that a MAC makes (EUI-64, RFC 4291, appendix A). */
export function linkLocalOf(mac: Uint8Array): Int32Array {
  return Int32Array.of(
    0xfe800000,
    0,
    ((mac[0] ^ 0x02) << 24) | (mac[1] << 16) | (mac[2] << 8) | 0xff,
    (0xfe << 24) | (mac[3] << 16) | (mac[4] << 8) | mac[5],
  );
}

/**
 * A frame that tells of an address of ours.
 * @param asker - address of who has asked, and its MAC; `null`: it has none, all nodes are told
 */
export function advertisement(
  mac: Uint8Array,
  target: Int32Array,
  asker: { address: Int32Array; mac: Uint8Array } | null,
): Uint8Array {
  return build({
    type: ND_TYPE.advertisement,
    flags: asker === null ? ROUTER_AND_OVERRIDE : ROUTER_AND_OVERRIDE | SOLICITED,
    mac,
    toMac: asker?.mac ?? ALL_NODES_MAC,
    source: target,
    destination: asker?.address ?? ALL_NODES,
    target,
    option: ND_OPTION.targetMac,
  });
}

/** A frame that asks for the MAC of `target`, to its solicited-node group. */
export function solicitation(mac: Uint8Array, source: Int32Array, target: Int32Array): Uint8Array {
  const low = target[ADDRESS_WORDS - 1];
  return build({
    type: ND_TYPE.solicitation,
    flags: 0,
    mac,
    toMac: Uint8Array.of(0x33, 0x33, 0xff, low >>> 16, low >>> 8, low),
    source,
    destination: Int32Array.of(0xff020000, 0, 1, 0xff000000 | (low & 0xffffff)),
    target,
    option: ND_OPTION.sourceMac,
  });
}

function build(message: Message): Uint8Array {
  const frame = new Uint8Array(L4 + L4_LENGTH);
  copyMac(frame, ETH.destination, message.toMac, 0);
  copyMac(frame, ETH.source, message.mac, 0);
  write16(frame, ETH.type, ETHERTYPE.ipv6);
  write32(frame, IPV6.version, 0x60000000);
  write16(frame, IPV6.payloadLength, L4_LENGTH);
  frame[IPV6.nextHeader] = PROTOCOL.icmpv6;
  frame[IPV6.hopLimit] = HOP_LIMIT;
  writeAddress(frame, IPV6.source, message.source, 0);
  writeAddress(frame, IPV6.destination, message.destination, 0);
  frame[L4 + ICMP.type] = message.type;
  frame[L4 + ND.flags] = message.flags;
  writeAddress(frame, L4 + ND.target, message.target, 0);
  frame[L4 + ND.options] = message.option;
  frame[L4 + ND.options + 1] = 1;
  copyMac(frame, L4 + ND.options + 2, message.mac, 0);
  const at = L4 + ICMP.checksum;
  writeL4Checksum(IPV6_FAMILY, frame, PROTOCOL.icmpv6, L4, L4_LENGTH, at);
  return frame;
}
