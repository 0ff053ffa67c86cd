// SPDX-License-Identifier: Apache-2.0
import type { DropReason } from '../../lib/engine/reasons.js';
import {
  arp,
  authentication,
  destinationOptions,
  type Extension,
  fragment,
  fragmentHeader,
  hopByHop,
  type Ipv6Fields,
  packet,
  routing,
} from '../support/packets.js';
import type { DropCase } from './drop-cases.js';
import { FAMILIES, fromClient, NET, V4, V6 } from './net.js';

/** What parse and arp refuse. */

const US = NET.us[0];
const CLIENT = NET.client;
const OTHER_STATION = '02:00:00:00:00:99';
const eth = { src: CLIENT.mac, dst: US };
const ports = { src: 40_000, dst: 53 };

function ipv4Case(reason: DropReason, title: string, fields: object): DropCase {
  const builder = packet()
    .eth(eth)
    .ipv4({ src: V4.client, dst: V4.service, ...fields });
  return {
    reason,
    title: `IPv4, ${title}`,
    frame: builder.udp({ ...ports, payload: 'x' }).build(),
  };
}

function ipv6Case(reason: DropReason, title: string, fields: Partial<Ipv6Fields>): DropCase {
  const builder = packet()
    .eth(eth)
    .ipv6({ src: V6.client, dst: V6.service, ...fields });
  return {
    reason,
    title: `IPv6, ${title}`,
    frame: builder.udp({ ...ports, payload: 'x' }).build(),
  };
}

function arpCase(reason: DropReason, title: string, fields: object): DropCase {
  const request = { operation: 1, senderMac: CLIENT.mac, sender: V4.client, target: V4.own[0] };
  return { reason, title, frame: arp({ ...request, ...fields }) };
}

const plain = () => fromClient(V4.pod).udp({ ...ports, payload: 'x' });
const plain6 = () => fromClient(V6.pod).udp({ ...ports, payload: 'x' });
const eightOptions = Array.from({ length: 8 }, () => destinationOptions());

/** An extension header that says it is longer than the packet. */
function endless(extension: Extension): Extension {
  const bytes = extension.bytes.slice();
  bytes[1] = 200;
  return { ...extension, bytes };
}

const ETHERNET: readonly DropCase[] = [
  { reason: 'malformed_ethernet', title: '13 bytes', frame: plain().truncate(13).build() },
  { reason: 'malformed_ethernet', title: 'one byte', frame: plain().truncate(1).build() },
  {
    reason: 'unsupported_ethertype',
    title: 'VLAN, even for others',
    frame: packet().eth({ src: CLIENT.mac, dst: OTHER_STATION, type: 0x8100 }).build(),
  },
  ...FAMILIES.flatMap(({ name, service }): DropCase[] => {
    const to = (dst: string) =>
      fromClient(service).eth({ src: CLIENT.mac, dst }).udp(ports).build();
    return [
      { reason: 'mac_not_ours', title: `${name} for another station`, frame: to(OTHER_STATION) },
      { reason: 'l2_broadcast', title: `${name}, broadcast`, frame: to('ff:ff:ff:ff:ff:ff') },
      { reason: 'l2_broadcast', title: `${name}, multicast`, frame: to('33:33:00:00:00:01') },
    ];
  }),
  arpCase('mac_not_ours', 'ARP for another station', { dst: OTHER_STATION }),
];

const IPV4: readonly DropCase[] = [
  { reason: 'malformed_ipv4', title: '19 bytes', frame: plain().truncate(33).build() },
  { reason: 'malformed_ipv4', title: 'nothing', frame: plain().truncate(14).build() },
  ipv4Case('malformed_ipv4', 'version 6', { version: 6 }),
  ipv4Case('malformed_ipv4', 'header of 16 bytes', { headerLength: 16 }),
  ipv4Case('malformed_ipv4', 'header beyond the frame', { headerLength: 60 }),
  ipv4Case('malformed_ipv4', 'total length below the header', { totalLength: 19 }),
  ipv4Case('malformed_ipv4', 'total length beyond the frame', { totalLength: 30 }),
  ipv4Case('bad_ipv4_checksum', 'wrong checksum', { checksum: 0x1234 }),
  ipv4Case('martian_source', '0/8', { src: '0.1.2.3' }),
  ipv4Case('martian_source', 'loopback', { src: '127.0.0.1' }),
  ipv4Case('martian_source', 'multicast', { src: '224.0.0.1' }),
  ipv4Case('martian_source', 'broadcast', { src: '255.255.255.255' }),
  ipv4Case('martian_source', 'our own on this interface', { src: '10.0.0.1' }),
  ipv4Case('martian_source', 'our own on another interface', { src: '10.2.0.1' }),
  ipv4Case('martian_destination', '0/8', { dst: '0.0.0.0' }),
  ipv4Case('martian_destination', 'loopback', { dst: '127.0.0.1' }),
  ipv4Case('martian_destination', 'multicast', { dst: '239.1.1.1' }),
  ipv4Case('martian_destination', 'reserved', { dst: '240.0.0.1' }),
  ipv4Case('martian_destination', 'broadcast', { dst: '255.255.255.255' }),
];

const IPV6: readonly DropCase[] = [
  { reason: 'malformed_ipv6', title: 'IPv6, 39 bytes', frame: plain6().truncate(53).build() },
  { reason: 'malformed_ipv6', title: 'IPv6, nothing', frame: plain6().truncate(14).build() },
  ipv6Case('malformed_ipv6', 'version 4', { version: 4 }),
  ipv6Case('malformed_ipv6', 'payload length beyond the frame', { payloadLength: 10 }),
  ipv6Case('malformed_ipv6', 'hop-by-hop options behind others', {
    extensions: [destinationOptions(), hopByHop()],
  }),
  ipv6Case('malformed_ipv6', 'a second fragment header', {
    extensions: [
      fragmentHeader({ offset: 0, more: false, id: 1 }),
      fragmentHeader({ offset: 0, more: false, id: 1 }),
    ],
  }),
  ipv6Case('malformed_ipv6', 'an extension header beyond the packet', {
    extensions: [endless(destinationOptions())],
  }),
  ipv6Case('malformed_ipv6', 'an authentication header beyond the packet', {
    extensions: [endless(authentication())],
  }),
  ipv6Case('malformed_ipv6', 'less than eight bytes of an extension header', {
    protocol: 60,
    payloadLength: 7,
  }),
  ipv6Case('malformed_ipv6', 'a ninth extension header', {
    extensions: [...eightOptions, destinationOptions()],
  }),
  ipv6Case('routing_header', 'segments left', { extensions: [routing(1)] }),
  ipv6Case('martian_source', 'loopback', { src: '::1' }),
  ipv6Case('martian_source', 'unspecified', { src: '::' }),
  ipv6Case('martian_source', 'multicast', { src: 'ff02::1' }),
  ipv6Case('martian_source', 'IPv4 mapped', { src: '::ffff:a00:9' }),
  ipv6Case('martian_source', 'link-local', { src: 'fe80::9' }),
  ipv6Case('martian_source', 'our own on this interface', { src: 'fd00::1' }),
  ipv6Case('martian_source', 'our own on another interface', { src: 'fd02::1' }),
  ipv6Case('martian_destination', 'loopback', { dst: '::1' }),
  ipv6Case('martian_destination', 'unspecified', { dst: '::' }),
  ipv6Case('martian_destination', 'multicast', { dst: 'ff02::1' }),
  ipv6Case('martian_destination', 'IPv4 mapped', { dst: '::ffff:a00:9' }),
  ipv6Case('martian_destination', 'link-local', { dst: 'fe80::9' }),
];

const FRAGMENTS: readonly DropCase[] = FAMILIES.flatMap(({ name, service, client }): DropCase[] => {
  const datagram = fromClient(service)
    .udp({ ...ports, payload: new Uint8Array(64) })
    .build();
  const quoting = fromClient(service).udp(ports).build();
  const error = fromClient(client).icmpError({ type: name === 'IPv4' ? 3 : 1, quoting });
  const reason = 'malformed_fragment';
  return [
    {
      reason,
      title: `${name}, no data`,
      frame: fragment(datagram, { from: 64, to: 64 }),
    },
    {
      reason,
      title: `${name}, more to come behind a length that is no multiple of 8`,
      frame: fragment(datagram, { from: 0, to: 12 }),
    },
    {
      reason,
      title: `${name}, beyond 65,535 bytes`,
      frame: beyond(datagram, name),
    },
    {
      reason,
      title: `${name}, of an ICMP error`,
      frame: fragment(error.build(), { from: 0, to: 16 }),
    },
  ];
});

/** A last fragment that begins at byte 65,528 and has 16 bytes. */
function beyond(datagram: Uint8Array, name: 'IPv4' | 'IPv6'): Uint8Array {
  if (name === 'IPv4') {
    const ip = { src: V4.client, dst: V4.service, fragment: 65_528 / 8 };
    return packet().eth(eth).ipv4(ip).payload(new Uint8Array(16), 17).build();
  }
  const frame = fragment(datagram, { from: 0, to: 16, more: false });
  new DataView(frame.buffer).setUint16(56, 65_528);
  return frame;
}

const L4: readonly DropCase[] = FAMILIES.flatMap(({ name, service, own }): DropCase[] => {
  const to = () => fromClient(service);
  const cases: readonly [title: string, frame: Uint8Array][] = [
    ['UDP of 7 bytes', to().payload(new Uint8Array(7), 17).build()],
    ['UDP of no bytes', to().payload(new Uint8Array(0), 17).build()],
    [
      'UDP length 7',
      to()
        .udp({ ...ports, length: 7 })
        .build(),
    ],
    [
      'UDP length beyond the packet',
      to()
        .udp({ ...ports, length: 9 })
        .build(),
    ],
    [
      'UDP length that only the padding would fill',
      to()
        .udp({ ...ports, length: 9 })
        .pad(10)
        .build(),
    ],
    ['TCP of 19 bytes', to().payload(new Uint8Array(19), 6).build()],
    [
      'TCP data offset 4',
      to()
        .tcp({ ...ports, dataOffset: 4 })
        .build(),
    ],
    [
      'TCP data offset beyond the packet',
      to()
        .tcp({ ...ports, dataOffset: 6 })
        .build(),
    ],
    ['SCTP of 15 bytes', to().payload(new Uint8Array(15), 132).build()],
    [
      'ICMP of 7 bytes',
      fromClient(own[0])
        .payload(new Uint8Array(7), name === 'IPv4' ? 1 : 58)
        .build(),
    ],
  ];
  return cases.map(([title, frame]) => ({
    reason: 'malformed_l4',
    title: `${name}, ${title}`,
    frame,
  }));
});

const ARP: readonly DropCase[] = [
  arpCase('malformed_arp', 'hardware type', { hardwareType: 6 }),
  arpCase('malformed_arp', 'protocol type', { protocolType: 0x86dd }),
  arpCase('malformed_arp', 'hardware length', { hardwareLength: 8 }),
  arpCase('malformed_arp', 'protocol length', { protocolLength: 16 }),
  arpCase('malformed_arp', 'opcode 3', { operation: 3 }),
  arpCase('malformed_arp', 'group sender', { senderMac: '01:00:5e:00:00:01' }),
  arpCase('malformed_arp', 'zero sender', { senderMac: '00:00:00:00:00:00' }),
  {
    reason: 'malformed_arp',
    title: '27 bytes',
    frame: arp({
      operation: 1,
      senderMac: CLIENT.mac,
      sender: V4.client,
      target: V4.own[0],
    }).slice(0, 41),
  },
  arpCase('arp_not_for_us', 'request for another station', { target: '10.0.0.77' }),
  arpCase('arp_not_for_us', 'request for our address on another interface', { target: '10.1.0.1' }),
  arpCase('arp_not_for_us', 'reply to another station', { operation: 2, target: '10.0.0.77' }),
  arpCase('arp_absorbed', 'reply to us', { operation: 2, dst: US }),
  arpCase('arp_absorbed', 'announcement by request', { target: V4.client }),
  arpCase('arp_absorbed', 'announcement by reply', { operation: 2, target: V4.client }),
];

export const PARSE_CASES: readonly DropCase[] = [
  ...ETHERNET,
  ...IPV4,
  ...IPV6,
  ...FRAGMENTS,
  ...L4,
  ...ARP,
];
