// SPDX-License-Identifier: Apache-2.0
import { PacketBuilder } from './packets-build.js';
import { concat, ipBytes, ipv6Text, macBytes, put16 } from './packets-bytes.js';
import type { Extension } from './packets-extensions.js';

/** Frames of ARP and of neighbour discovery. */

export interface ArpFields {
  operation: number;
  senderMac: string;
  sender: string;
  target: string;
  targetMac?: string;
  /** Of the Ethernet header. Default: `senderMac`. */
  src?: string;
  /** Of the Ethernet header. Default: broadcast. */
  dst?: string;
  hardwareType?: number;
  protocolType?: number;
  hardwareLength?: number;
  protocolLength?: number;
}

/** An ARP frame of 42 bytes. */
export function arp(fields: ArpFields): Uint8Array {
  const frame = new Uint8Array(42);
  frame.set(macBytes(fields.dst ?? 'ff:ff:ff:ff:ff:ff'), 0);
  frame.set(macBytes(fields.src ?? fields.senderMac), 6);
  put16(frame, 12, 0x0806);
  put16(frame, 14, fields.hardwareType ?? 1);
  put16(frame, 16, fields.protocolType ?? 0x0800);
  frame[18] = fields.hardwareLength ?? 6;
  frame[19] = fields.protocolLength ?? 4;
  put16(frame, 20, fields.operation);
  frame.set(macBytes(fields.senderMac), 22);
  frame.set(ipBytes(fields.sender), 28);
  frame.set(macBytes(fields.targetMac ?? '00:00:00:00:00:00'), 32);
  frame.set(ipBytes(fields.target), 38);
  return frame;
}

export interface NdFields {
  /** Of the Ethernet header, and of the link-layer address option unless that is given. */
  mac: string;
  /** Of the IPv6 header. */
  sender: string;
  target: string;
  /** Of the Ethernet header. Default: as the IPv6 destination says. */
  dst?: string;
  /** Of the IPv6 header. Default: the solicited-node group. */
  to?: string;
  /** Options as they are. Default: a link-layer address option with `mac`. */
  options?: Uint8Array;
  /** Default 255. */
  ttl?: number;
  code?: number;
  checksum?: number;
  extensions?: readonly Extension[];
  /** Keeps that many bytes of ICMP. */
  length?: number;
}

/** A neighbour solicitation: 86 bytes unless `options` says otherwise. */
export function solicitation(fields: NdFields): Uint8Array {
  const to = fields.to ?? solicitedNode(fields.target);
  return neighbourDiscovery(135, to, 0, fields);
}

/** A neighbour advertisement; `flags`: router, solicited, override. */
export function advertisement(
  fields: NdFields & { to: string; dst: string; flags?: number },
): Uint8Array {
  return neighbourDiscovery(136, fields.to, fields.flags ?? 0x60, fields);
}

/** A link-layer address option: source (1) or target (2). */
export function linkLayerOption(type: 1 | 2, mac: string): Uint8Array {
  return concat(Uint8Array.of(type, 1), macBytes(mac));
}

/** `ff02::1:ff` and the last three bytes of the target. */
export function solicitedNode(target: string): string {
  return ipv6Text(concat(ipBytes('ff02::1:ff00:0').slice(0, 13), ipBytes(target).slice(13)));
}

/** The link-local address that is made of a MAC (EUI-64). */
export function linkLocal(mac: string): string {
  const bytes = macBytes(mac);
  const host = [bytes[0] ^ 2, bytes[1], bytes[2], 0xff, 0xfe, bytes[3], bytes[4], bytes[5]];
  return ipv6Text(concat(ipBytes('fe80::').slice(0, 8), Uint8Array.from(host)));
}

function neighbourDiscovery(
  type: 135 | 136,
  to: string,
  flags: number,
  fields: NdFields,
): Uint8Array {
  const options = fields.options ?? linkLayerOption(type === 135 ? 1 : 2, fields.mac);
  const group = ipBytes(to);
  const multicast = `33:33:${Array.from(group.slice(12), hex).join(':')}`;
  const body = concat(ipBytes(fields.target), options);
  return new PacketBuilder()
    .eth({ src: fields.mac, dst: fields.dst ?? multicast })
    .ipv6({
      src: fields.sender,
      dst: to,
      ttl: fields.ttl ?? 255,
      extensions: fields.extensions ?? [],
    })
    .icmp({
      type,
      code: fields.code ?? 0,
      id: flags << 8,
      seq: 0,
      payload: fields.length === undefined ? body : body.slice(0, fields.length - 8),
      ...(fields.checksum !== undefined && { checksum: fields.checksum }),
    })
    .build();
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
